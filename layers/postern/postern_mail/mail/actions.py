"""The actions of access(5): the right side of a sender rule.

A word that Postfix accepts with another meaning than its reader would think, or that cannot be done behind SES, is an
error that says what Postfix would do.
"""

import re

from .address import Address, InvalidAddress
from .records import dataclass
from .rewrite import ONCE_ONLY, REMOVED, REMOVED_PREFIX

OK, REJECT, DISCARD, DUNNO, HOLD = "OK", "REJECT", "DISCARD", "DUNNO", "HOLD"
REDIRECT, BCC, PREPEND, WARN, INFO = "REDIRECT", "BCC", "PREPEND", "WARN", "INFO"
TAG = "TAG"  # ours
ACTIONS = (OK, REJECT, DISCARD, DUNNO, HOLD, REDIRECT, BCC, PREPEND, WARN, INFO, TAG)
MAX_TAG = 40  # characters
MAX_PREPEND = 900  # octets of one line we add: RFC 5322 2.1.1 has 998

_CODE = re.compile(r"[45][0-9][0-9]\Z")
_FIELD = re.compile(r"([!-9;-~]+):[ \t]*([ -~]*[!-~])\Z")
_OTHERS = {
    "RELAY": "in Postfix it is the same as OK here; write OK",
    "PERMIT": "in Postfix it is a restriction that accepts; write OK",
    "PERMIT_AUTH_DESTINATION": "in Postfix it accepts what is for our own domains, as everything here is; write OK",
    "DEFER": "Postfix would ask the sender to try later; write 450 and a text",
    "DEFER_IF_PERMIT": "Postfix would ask the sender to try later; write 450 and a text",
    "DEFER_IF_REJECT": "Postfix would ask the sender to try later instead of refusing; write 450 and a text",
    "FILTER": "Postfix would send the message through a content filter; there is none here, PREPEND can mark it",
    "HANGUP": "Postfix would drop the connection; it is over by then, write REJECT",
}


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `word` is one of ACTIONS or a code such as 550; `address` is that of REDIRECT and BCC."""

    word: str
    text: str = ""
    address: Address | None = None

    @classmethod
    def parse(cls, typed: object) -> "Action":
        """Read an action; raises ValueError that says what is wrong and what Postfix would do."""
        word, *rest = (typed if isinstance(typed, str) else "").split(None, 1) or [""]
        word, text = word.upper(), "".join(rest).strip()
        if word not in ACTIONS and not (_CODE.match(word) and text):
            raise ValueError(f"action {typed!r}: {_meaning(word)}")
        if word in (REDIRECT, BCC):
            return cls(word, text, _address(typed, text))
        if word == PREPEND:
            _check_field(typed, text)
        if word == TAG and not (0 < len(text) <= MAX_TAG and text.isprintable()):
            raise ValueError(
                f"action {typed!r}: expected TAG and up to {MAX_TAG} characters that go before the subject"
            )
        return cls(word, text)

    @property
    def is_final(self) -> bool:
        """Whether the search ends here; after any other action Postfix continues with the next restriction."""
        return self.word in (OK, REJECT, DISCARD) or self.is_code

    @property
    def is_code(self) -> bool:
        """Whether this is an SMTP reply code with its text."""
        return self.word.isdigit()

    def __str__(self) -> str:
        return f"{self.word} {self.text}".rstrip()


def _meaning(word: str) -> str:
    """What is wrong with a word that is not one of our actions, and what Postfix would make of it."""
    if word in _OTHERS:
        return _OTHERS[word]
    if word.isdigit():
        return "a number without a text means OK in Postfix; write 550 and a text, REJECT, or OK"
    if ":" in word:
        return "Postfix would look it up as the name of a map; there are none here"
    if re.match(r"(REJECT|PERMIT|CHECK|WARN_IF|SLEEP|DEFER)_", word):
        return "Postfix would apply it as a restriction; there are none here"
    return f"expected one of {', '.join(ACTIONS)}, or a code with a text; Postfix would read it as a restriction"


def _address(typed: object, text: str) -> Address:
    try:
        return Address.parse(text)
    except InvalidAddress as fault:
        raise ValueError(f"action {typed!r}: {fault}") from fault


def _check_field(typed: object, text: str) -> None:
    """Raises ValueError for a header line that SES refuses or that we remove or write ourselves."""
    found = _FIELD.match(text)
    if found is None or len(text) > MAX_PREPEND:
        raise ValueError(f"action {typed!r}: expected PREPEND Name: value, in ASCII and under {MAX_PREPEND} octets")
    name = found[1].lower()
    if name in ONCE_ONLY or name in REMOVED or name in ("to", "cc"):
        raise ValueError(f"action {typed!r}: SES takes {found[1]} once, and the message has its own; use an X- name")
    if name.startswith((REMOVED_PREFIX, "x-postern-")):
        raise ValueError(f"action {typed!r}: names beginning so are not for rules to set")
