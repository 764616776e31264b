"""What SES found out about who sent a message: its own Authentication-Results (RFC 8601), and nobody else's.

Only SES's own block is looked at (`ses_block`); and within it the sender chose the HELO name and the local part
of MAIL FROM, which must not pass for a result.
"""

import re
from dataclasses import dataclass

from .message import Message
from .ses_block import SesBlock

_SPF = re.compile(r"amazonses\.com;\s*spf=([a-z]+)(?![a-z])")
_DKIM = re.compile(r";\s*dkim=pass\s+header\.i=[^\s;@]*@([a-z0-9_.-]+)(?=[\s;]|\Z)")
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+\Z")


@dataclass(frozen=True, slots=True)
class Authentication:
    """SES's results: `spf` for the domain of MAIL FROM, lower case, "" if there is none; `dkim`, the
    domains of the signatures that passed."""

    spf: str = ""
    dkim: tuple[str, ...] = ()

    @classmethod
    def of(cls, message: Message, message_id: str) -> "Authentication":
        """Read SES's own results; a message without them has none.

        The result of SPF comes before anything the sender wrote. Those of DKIM come after the HELO name,
        so they count only if that is a plain name, as SES's Received has it.
        """
        block = SesBlock.of(message, message_id)
        text = block.results.lower() if block else ""
        spf = _SPF.match(text)
        plain = block is not None and block.helo != ""
        return cls(spf[1] if spf else "", tuple(_DKIM.findall(text)) if spf and plain else ())

    def vouches_for(self, local: str, domain: str) -> str:
        """How the domain of this envelope sender is authenticated, "" if it is not.

        A signature is aligned if it is the domain's own or that of a domain above it, which rules it.
        """
        if self.spf == "pass":
            return "spf"
        if not _LOCAL.match(local.lower()):
            return ""  # with quotes it could hold anything, a result too
        aligned = any("." in one and (domain == one or domain.endswith(f".{one}")) for one in self.dkim)
        return "dkim" if aligned else ""
