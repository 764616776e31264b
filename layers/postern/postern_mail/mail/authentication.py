"""What SES found out about a message's sender: its own Authentication-Results (RFC 8601), and no one else's.

Only SES's own block is read (`ses_block`); and even there the sender chose the HELO name and the local part of MAIL
FROM, which must not be mistaken for a result.
"""

import re

from .address import Address
from .message import Message
from .records import dataclass
from .ses_block import SesBlock
from .signatures import names, signatures

_SPF = re.compile(r"amazonses\.com;\s*spf=([a-z]+)(?![a-z])")
_DKIM = re.compile(r";\s*dkim=pass\s+header\.i=[^\s;@]*@([a-z0-9_.-]+)(?=[\s;]|\Z)")
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+\Z")


@dataclass(frozen=True, slots=True)
class Authentication:
    """SES's results: `spf` for the domain of MAIL FROM, lower case, "" if there is none; `dkim`, the domains of the
    signatures that passed."""

    spf: str = ""
    dkim: tuple[str, ...] = ()

    @classmethod
    def of(cls, message: Message, message_id: str) -> "Authentication":
        """Read SES's own results; a message without them has none.

        The SPF result comes before anything the sender wrote. The DKIM results come after the HELO name, so they count
        only if that is a plain name, as SES's Received shows it.
        """
        block = SesBlock.of(message, message_id)
        text = block.results.lower() if block else ""
        spf = _SPF.match(text)
        plain = block is not None and block.helo != ""
        return cls(spf[1] if spf else "", tuple(_DKIM.findall(text)) if spf and plain else ())

    def doubt(self, message: Message, sender: Address, recipient: Address) -> str:
        """Why it is uncertain that the domain of this envelope sender sent the message to this recipient, "" if it is
        certain.

        SPF proves it for the domain. A signature proves it only if it is that domain's own and covers the field that
        names the recipient: anyone who has a signed message can replay it to others.
        """
        if self.spf == "pass":
            return ""
        plain = _LOCAL.match(sender.local.lower())  # a quoted one could hold anything, even a result
        own = (one.identity for one in signatures(message) if one.domain == sender.domain)
        if not plain or not any(identity in self.dkim for identity in own):
            return f"{sender.domain} is not authenticated"
        if names(message, self.dkim, sender.domain, recipient):
            return ""
        return f"the signature of {sender.domain} does not cover this recipient"
