"""Local parts for aliases that a password manager asks for, in addy.io's formats, and those that it may not have."""

import re

from .envelope import TEST_LOCAL
from .token import Choose
from .words import WORDS

CUSTOM, CHARACTERS, NAMED_BY_WORDS, UUID = FORMATS = ("custom", "random_characters", "random_words", "uuid")
MOST = 50  # characters of a requested name, as at addy.io
_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_HEX = "0123456789abcdef"
_LENGTH = 8  # 41 bits: the brake stops anyone guessing names long before
_NUMBERS = [str(number) for number in range(1000)]
# Characters that every web form and mail system accepts; "+" begins a tag, which would be the same alias.
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\Z")
# Anyone who gets mail to one of the first six can obtain certificates for the domain (CA/Browser Forum, "Baseline
# Requirements" 3.2.2.4.4); mail servers and other domains write to the next four (RFC 2142); the last is Postern's.
KEPT_BACK = frozenset(
    {
        "admin", "administrator", "hostmaster", "postmaster", "root", "webmaster",
        "abuse", "mailer-daemon", "noc", "security",
        TEST_LOCAL,
    }
)  # fmt: skip


def made(form: str, choose: Choose) -> str:
    """A new local part in one of FORMATS except CUSTOM."""
    if form == NAMED_BY_WORDS:
        return f"{choose(WORDS)}.{choose(WORDS)}{choose(_NUMBERS)}"
    if form == UUID:  # version 4, RFC 9562 5.4
        return re.sub("x", lambda _: choose(_HEX), f"{'x' * 8}-xxxx-4xxx-{choose('89ab')}xxx-{'x' * 12}")
    return "".join(choose(_CHARACTERS) for _ in range(_LENGTH))


def fault(local: str) -> str:
    """Why this name may not be had, in addy.io's words; "" if it may."""
    if not local:
        return "The local part field is required."
    if len(local) > MOST:
        return f"The local part field must not be greater than {MOST} characters."
    if not _NAME.match(local):
        return "Invalid alias local part."
    return "That alias already exists." if local in KEPT_BACK else ""
