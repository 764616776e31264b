"""Spam filters that run beside Postfix, known by their names and usual ports, and what replaces each.

An unknown program may do anything, even to mail that is not spam.
"""

import re
from dataclasses import dataclass

from .main_cf import words

_VERDICTS = "use SES's verdicts and the quarantine"


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The text about a program, and what to use instead."""

    says: str
    instead: str = _VERDICTS


_POSTGREY = r"\b10023\b|postgrey|sqlgrey|\bgld\b|greylist"  # 10023 is postgrey's port
_KNOWN = (
    (_POSTGREY, Counterpart("greylisting needs a temporary rejection, but SES has already accepted the message")),
    (r"spf", Counterpart("SES checks SPF itself")),
    (r"dkim|dmarc|\b889[13]\b", Counterpart("SES checks DKIM and DMARC itself")),
    (r"amavis|\b10024\b|spamass|spampd|rspamd|\b11332\b|\bclam", Counterpart("SES scans for spam and viruses itself")),
)


def is_postgrey(service: str) -> bool:
    """Whether this is Postgrey or another greylisting service."""
    return re.search(_POSTGREY, service, re.IGNORECASE) is not None


def with_a_counterpart(value: str) -> Counterpart | None:
    """The counterpart of the first program named; None if there is none, or if any program is unknown."""
    named = [_counterpart(word) for word in words(value)]
    return None if None in named else next(iter(named), None)


def _counterpart(word: str) -> Counterpart | None:
    return next((known for shape, known in _KNOWN if re.search(shape, word, re.IGNORECASE)), None)
