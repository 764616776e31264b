"""Programs beside Postfix that look for junk, by their names and usual ports, and what is left of their work.

What is not known here may do anything, also with mail that is no junk.
"""

import re
from dataclasses import dataclass

from .main_cf import words

_VERDICTS = "SES's verdicts and the quarantine are what is left"


@dataclass(frozen=True, slots=True)
class Counterpart:
    """What to say of a program, and what is left of its work."""

    says: str
    instead: str = _VERDICTS


_POSTGREY = r"\b10023\b|postgrey|sqlgrey|\bgld\b|greylist"  # 10023 is postgrey's port
_KNOWN = (
    (_POSTGREY, Counterpart("greylisting needs an answer that says: try again, and SES has accepted by then")),
    (r"spf", Counterpart("SES checks SPF itself")),
    (r"dkim|dmarc|\b889[13]\b", Counterpart("SES checks DKIM and DMARC itself")),
    (r"amavis|\b10024\b|spamass|spampd|rspamd|\b11332\b|\bclam", Counterpart("SES looks for spam and viruses itself")),
)


def is_postgrey(service: str) -> bool:
    """Whether this is Postgrey, or another that does its work."""
    return re.search(_POSTGREY, service, re.IGNORECASE) is not None


def with_a_counterpart(value: str) -> Counterpart | None:
    """The first program's counterpart, None if one of them has none or none is named."""
    named = [_counterpart(word) for word in words(value)]
    return None if None in named else next(iter(named), None)


def _counterpart(word: str) -> Counterpart | None:
    return next((known for shape, known in _KNOWN if re.search(shape, word, re.IGNORECASE)), None)
