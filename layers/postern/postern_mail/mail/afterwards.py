"""What became of a recipient's mail after SES accepted it: recorded beside the outcome.

The outcome stays `forwarded`, because SES accepted the message; whether the mailbox got it stands in the claims, where
feedback wrote it (docs/reference/feedback.md).
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from .feedback import BOUNCED, COMPLAINED, lost_by
from .records import dataclass

_DELIVERED, _DELAYED = "delivered", "delayed"
_VIA = "via:"


class Later(StrEnum):
    """What SES reported later about one recipient's forwards; with several destinations the worst counts, in this
    order."""

    LOST = "lost"  # it did not arrive, and is not retried any more
    COMPLAINED = "complained"
    BOUNCED = "bounced"  # it arrived nevertheless: an out-of-office reply, for example
    DELAYED = "delayed"
    DELIVERED = "delivered"  # to every destination


@dataclass(frozen=True, slots=True)
class Afterwards:
    """The state, and the details that came with it. `at` is epoch seconds."""

    state: Later
    destination: str
    detail: str = ""
    at: float | None = None


def afterwards(who: str, entries: Mapping[str, Mapping[str, Any]]) -> Afterwards | None:
    """What became of one recipient's forwards, from the ledger's entries of the message; None while SES has reported
    nothing.

    A destination that got the message in another recipient's name counts for both.
    """
    claims = dict(_claims(who, entries))
    found = [(destination, one) for destination, claim in claims.items() for one in _said(claim)]
    for state in Later:
        named = [(destination, said) for destination, (kind, said) in found if kind is state]
        if named and (state is not Later.DELIVERED or len(named) == len(claims)):
            destination, said = named[0]
            at = said.get("at")
            return Afterwards(state, destination, str(said.get("why") or ""), None if at is None else float(at))
    return None


def _claims(who: str, entries: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, entry in sorted(entries.items()):
        if name.startswith(_VIA) and entry.get("recipient") == who:
            yield name.removeprefix(_VIA), entry
    for destination in entries.get(f"to:{who}", {}).get("merged", ()):
        yield destination, entries.get(f"{_VIA}{destination}", {})


def _said(claim: Mapping[str, Any]) -> Iterator[tuple[Later, Mapping[str, Any]]]:
    lost = lost_by(claim)
    if lost:
        yield Later.LOST, lost
    words = ((COMPLAINED, Later.COMPLAINED), (BOUNCED, Later.BOUNCED), (_DELAYED, Later.DELAYED))
    for word, state in (*words, (_DELIVERED, Later.DELIVERED)):
        said = claim.get(word)
        if isinstance(said, Mapping) and (state is not Later.DELAYED or _DELIVERED not in claim):
            yield state, said
