"""Replies: what SMTP would have told the sender, had we decided in time (RFC 5321 4.2, RFC 3463).

An answer to a sender quotes them, so none names a destination, or why SES refused one.
"""

import re

from .actions import Action
from .records import dataclass

MAX_TEXT = 200  # characters of the owner's text: with the code it fits into a line (RFC 5321 4.5.3.1.5: 512 octets)

_STATUS = re.compile(r"([45]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t]+|\Z)")
_NOT_PRINTABLE = re.compile(r"[^ -~]+")


@dataclass(frozen=True, slots=True)
class Reply:
    """One refusal: the reply code, the enhanced status code and a text in ASCII."""

    code: str
    status: str
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.status} {self.text}"

    @classmethod
    def parse(cls, text: str) -> "Reply":
        """Read what `str` wrote. Raises ValueError."""
        code, status, rest = text.split(" ", 2)
        return cls(code, status, rest)


UNKNOWN = Reply("550", "5.1.1", "There is no such address here")
SWITCHED_OFF = Reply("550", "5.2.1", "This address takes no mail any more")
POLICY = Reply("550", "5.7.1", "This address does not take mail that fails these checks")
FAILED = Reply("554", "5.0.0", "The message could not be delivered")


def of_alias(outcome: str) -> Reply:
    """The reply for an alias that is unknown, disabled or expired (`aliases.Resolution.outcome`)."""
    return UNKNOWN if outcome == "unknown" else SWITCHED_OFF


def of_bounce(status: str) -> Reply:
    """The reply for a forward that another server refused with this status (RFC 3463), "" if it gave none. A temporary
    status has become permanent: nothing retries any more."""
    return Reply(FAILED.code, status if status.startswith("5") else FAILED.status, FAILED.text)


def of_rule(action: Action) -> Reply:
    """The reply of a sender rule REJECT or 5NN, as in Postfix (access_map_reject_code 554, status 5.7.1)."""
    found = _STATUS.match(action.text)
    code = action.word if action.is_code else "554"
    status = found[1] if found and found[1][0] == code[0] else "5.7.1"
    text = action.text[found.end() :] if found else action.text
    return Reply(code, status, _NOT_PRINTABLE.sub("?", text)[:MAX_TEXT].strip() or "Access denied")
