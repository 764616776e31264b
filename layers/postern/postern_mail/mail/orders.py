"""What a person may order for a message: that it runs again, or that it is released from quarantine.

This module decides which of the ledger's entries are reopened, without changing any.
"""

from collections.abc import Collection, Mapping
from typing import Any

from .feedback import lost_by
from .outcomes import ClaimState, State
from .records import dataclass
from .verdicts import FAIL

Entries = Mapping[str, Mapping[str, Any]]


class CannotOrder(ValueError):
    """The order makes no sense for this message; the text says why and what would."""


@dataclass(frozen=True, slots=True)
class Order:
    """The recipients to run a message for, and which settled recipients and destinations to reopen for that."""

    recipients: tuple[str, ...]
    reopened: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()

    def opened(self, entries: Entries) -> tuple[str, ...]:
        """Those of its recipients that are decided again; a settled one that stays so only closes the message."""
        return tuple(who for who in self.recipients if who in self.reopened or not _state(entries, who).settled)


def replay(entries: Entries, wanted: Collection[str], *, again: bool, failed: bool) -> Order:
    """Run for these recipients, all if none is named: those not settled, with `failed` also failed ones, with `again`
    all.

    A settled recipient that still counts as pending is run without being reopened: that only closes the message. Raises
    CannotOrder for a recipient the message did not have, and if nothing would run.
    """
    chosen = _chosen(entries, wanted)
    settled = {who: state for who in chosen if (state := _state(entries, who)).settled}
    lost = {entry.get("recipient") for entry in entries.values() if lost_by(entry)}
    reopened = [who for who, state in settled.items() if again or (failed and (state.replayable or who in lost))]
    pending = entries["message"].get("pending", ())
    left = [f"{who} is {state}" for who, state in settled.items() if who not in reopened and who not in pending]
    if len(left) == len(chosen) or (wanted and left):
        raise CannotOrder(f"{'; '.join(left)}: nothing to run without --failed or --again")
    recipients = tuple(who for who in chosen if who in reopened or who in pending or who not in settled)
    ends = {state for state in ClaimState if (again and state.ends) or (failed and state.replayable)}
    return Order(recipients, tuple(reopened), _destinations(entries, reopened, ends, everybody=not wanted))


def missing(entries: Entries) -> tuple[str, ...]:
    """The destinations that got nothing of a message while they were suspended. An earlier sending without an answer
    may also have come to nothing."""
    claims = {name.removeprefix("via:"): entry for name, entry in entries.items() if name.startswith("via:")}
    return tuple(one for one, claim in claims.items() if "state" in claim and ClaimState(claim["state"]).missed)


def missed(entries: Entries, destinations: Collection[str]) -> Order:
    """Run for the recipients whose destinations got nothing while they were suspended; what other destinations got
    stays settled.

    Raises CannotOrder if they missed nothing of this message.
    """
    found = [one for one in missing(entries) if one in destinations]
    if not found:
        raise CannotOrder("no recipient missed anything of it")
    recipients = tuple(dict.fromkeys(str(entries[f"via:{one}"]["recipient"]) for one in found))
    return Order(recipients, tuple(who for who in recipients if _state(entries, who).settled))


def release(entries: Entries, wanted: Collection[str]) -> Order:
    """Release these recipients from quarantine or grey hold, all held ones if none is named.

    Recipients released before and still deferred run too: that order may have been interrupted before its event was
    sent. Raises CannotOrder if one is neither, and for a message with a virus.
    """
    if entries.get("message", {}).get("verdicts", {}).get("virus") == FAIL:
        raise CannotOrder("SES found a virus in it: that is never released (`postern original` has the message)")
    chosen = _chosen(entries, wanted)
    states = {who: _state(entries, who) for who in chosen}
    kept = tuple(who for who, state in states.items() if state is State.QUARANTINED or _is_held(entries, who))
    runs = tuple(who for who in chosen if who in kept or _is_released(entries, who))
    others = [f"{who} is {state}" for who, state in states.items() if who not in runs]
    if not runs or (wanted and others):
        raise CannotOrder(f"{'; '.join(others)}, not quarantined")
    return Order(runs, kept)


def kept(entries: Entries) -> tuple[str, ...]:
    """The recipients whose quarantine ends when the message is deleted. Raises CannotOrder if there are none, and while
    any recipient may still get the message."""
    chosen = _chosen(entries, ())
    waiting = [who for who in chosen if not _state(entries, who).settled]
    if waiting:
        raise CannotOrder(f"{', '.join(waiting)} may still get it: release or settle that first")
    found = tuple(who for who in chosen if _state(entries, who) is State.QUARANTINED)
    if not found:
        raise CannotOrder("no recipient's copy is quarantined")
    return found


def _is_held(entries: Entries, who: str) -> bool:
    return "release_at" in entries.get(f"to:{who}", {}) and _state(entries, who) is State.DEFERRED


def _is_released(entries: Entries, who: str) -> bool:
    return "released_by" in entries.get(f"to:{who}", {}) and _state(entries, who) is State.DEFERRED


def _state(entries: Entries, who: str) -> State:
    return State.of(entries.get(f"to:{who}", {}))


def _chosen(entries: Entries, wanted: Collection[str]) -> tuple[str, ...]:
    had = sorted(entries["message"]["recipients"])
    strangers = [who for who in wanted if who not in had]
    if strangers:
        raise CannotOrder(f"it was not for {', '.join(strangers)}; it was for {', '.join(had)}")
    return tuple(who for who in had if not wanted or who in wanted)


def _destinations(
    entries: Entries, recipients: Collection[str], states: Collection[ClaimState], *, everybody: bool
) -> tuple[str, ...]:
    """Claims to reopen: those whose copy serves one of these recipients, all if none was named."""
    return tuple(
        name.removeprefix("via:")
        for name, entry in entries.items()
        if name.startswith("via:")
        and (entry.get("state") in states or (states and lost_by(entry)))
        and (everybody or not {entry.get("recipient"), *entry.get("recipients", ())}.isdisjoint(recipients))
    )
