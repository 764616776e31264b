"""What SES found out about who sent a message: its own Authentication-Results (RFC 8601), and nobody else's.

SES puts a block of fields on top of what it stores (docs.aws.amazon.com/ses, "Email receiving concepts").
Below it a sender can have written the same names, so only that block is looked at; and within it the
sender chose the HELO name and the local part of MAIL FROM, which must not pass for a result.
"""

import re
from dataclasses import dataclass

from .message import Field, Message

_BLOCK = ("return-path", "received", "received-spf", "authentication-results")
_BLOCK_PREFIX = "x-ses-"

_SPF = re.compile(r"amazonses\.com;\s*spf=([a-z]+)(?![a-z])")
_DKIM = re.compile(r";\s*dkim=pass\s+header\.i=[^\s;@]*@([a-z0-9_.-]+)(?=[\s;]|\Z)")
_HELO = re.compile(rb"from [A-Za-z0-9_.:\[\]-]+ \(")
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+\Z")


def ses_results(message: Message) -> tuple[Field, ...]:
    """SES's own Received-SPF and Authentication-Results: those in the block it put on top."""
    return tuple(one for name, one in _ses_block(message).items() if name in _BLOCK[2:])


def _ses_block(message: Message) -> dict[str, Field]:
    """The first of each field in SES's block: Received, and what follows it."""
    found: dict[str, Field] = {}
    for one in message.fields:
        if one.name == "received":
            if "received" in found or b"by inbound-smtp." not in one.value:
                break
            found["received"] = one
        elif one.name in _BLOCK[2:] and "received" in found:
            found.setdefault(one.name, one)
        elif one.name not in _BLOCK and not one.name.startswith(_BLOCK_PREFIX):
            break
    return found


@dataclass(frozen=True, slots=True)
class Authentication:
    """SES's results: `spf` for the domain of MAIL FROM, lower case, "" if there is none; `dkim`, the
    domains of the signatures that passed."""

    spf: str = ""
    dkim: tuple[str, ...] = ()

    @classmethod
    def of(cls, message: Message) -> "Authentication":
        """Read SES's own results; a message without them has none.

        The result of SPF comes before anything the sender wrote. Those of DKIM come after the HELO name,
        so they count only if that is a plain name, as SES's Received has it.
        """
        block = _ses_block(message)
        if "authentication-results" not in block:
            return cls()
        text = block["authentication-results"].value.decode("ascii", "replace").lower()
        spf = _SPF.match(text)
        plain = _HELO.match(block["received"].value) is not None
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
