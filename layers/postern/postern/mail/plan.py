"""The plan: what is to become of a message, decided for each recipient before anything is done.

The order of the questions: is there such an alias, does a sender rule refuse this sender, do
SES's verdicts forbid forwarding. The first that says no decides.
"""

from collections.abc import Collection
from dataclasses import dataclass

from . import aliases, senders
from .address import Address
from .envelope import Envelope
from .rows import BadRow, Rows


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one recipient's copy, and why."""

    recipient: Address
    reason: str


@dataclass(frozen=True, slots=True)
class Forward(Decision):
    """Sent on, in the name of `alias`, to each destination."""

    alias: Address
    destinations: tuple[Address, ...]


class Quarantine(Decision):
    """Kept, not forwarded, releasable."""


class Reject(Decision):
    """Not forwarded: the alias or a sender rule says no."""


class Discard(Decision):
    """Not forwarded and not missed: the owner asked for that."""


class Hold(Decision):
    """Cannot be decided until somebody mends a row; retried, and everybody else goes ahead."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one destination: the first recipient gives the name, the others are merged."""

    destination: Address
    forwards: tuple[Forward, ...]

    @property
    def alias(self) -> Address:
        return self.forwards[0].alias


def plan(envelope: Envelope, rows: Rows, own_domains: Collection[str], now: float) -> tuple[Decision, ...]:
    """One decision for each recipient, in the envelope's order. `now` is epoch seconds.

    `rows` holds every key that `aliases.unread` and `senders.keys` name.
    """
    return tuple(_decide(recipient, envelope, rows, own_domains, now) for recipient in envelope.recipients)


def deliveries(decisions: Collection[Decision]) -> tuple[Delivery, ...]:
    """The messages a plan sends: one for each destination, however many recipients lead there."""
    wanted: dict[str, list[tuple[Address, Forward]]] = {}
    for decision in decisions:
        if isinstance(decision, Forward):
            for destination in decision.destinations:
                wanted.setdefault(destination.key, []).append((destination, decision))
    return tuple(Delivery(found[0][0], tuple(forward for _, forward in found)) for found in wanted.values())


def _decide(recipient: Address, envelope: Envelope, rows: Rows, own_domains: Collection[str], now: float) -> Decision:
    resolution = aliases.resolve(recipient, rows, own_domains, now)
    if resolution.outcome == "error":
        return Hold(recipient, resolution.detail)
    if resolution.outcome == "unknown":
        return Reject(recipient, resolution.detail or f"{recipient.key} is unknown")
    if resolution.outcome in ("disabled", "expired"):
        return Reject(recipient, resolution.detail)
    try:
        rule = senders.match(envelope, resolution.matched[0], rows)
    except BadRow as fault:
        return Hold(recipient, str(fault))
    if rule is not None and rule.action == senders.REJECT:
        return Reject(recipient, str(rule))
    if rule is not None and rule.action == senders.DISCARD:
        return Discard(recipient, str(rule))
    return _screen(recipient, envelope, resolution, rule)


def _screen(
    recipient: Address, envelope: Envelope, resolution: aliases.Resolution, rule: senders.SenderRule | None
) -> Decision:
    spam_excused = rule is not None and rule.action == senders.OK
    reason = envelope.verdicts.quarantine_reason(spam_excused=spam_excused)
    if reason is not None:
        return Quarantine(recipient, reason)
    why = f"alias {resolution.matched[0]}" + (f"; {resolution.detail}" if resolution.detail else "")
    if resolution.outcome == "discard":
        return Discard(recipient, f"{why}; {aliases.DISCARD}")
    if rule is not None:
        why += f"; {rule}"
    assert resolution.alias is not None  # it is set whenever a row matched
    return Forward(recipient, why, resolution.alias, resolution.destinations)
