"""Whether a DNS list counts: by its own test entries (RFC 5782 5), and by how many clients it names.

A list that lapsed names everyone: SpamCop's did in January 2021. A list that names over half of the last clients, or
fails the hourly test, does not count until it recovers.
"""

from collections.abc import Collection, Mapping
from typing import Any

from .dns import Answer
from .dns_lists import broken
from .records import dataclass, field

CLIENTS = 20  # distinct clients that are remembered

Tested = Mapping[str, str]  # why lists failed, by zone


@dataclass(frozen=True, slots=True)
class Seen:
    """One client, as a digest, and the lists that named it or a domain of its message."""

    client: str
    zones: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lists:
    """The stored state of all lists. `version` counts its changes."""

    faulty: Tested = field(default_factory=dict)
    recent: tuple[Seen, ...] = ()
    version: int = 0

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Lists":
        """Read the ledger's row, {} if there is none yet."""
        recent = tuple(Seen(str(one["client"]), frozenset(one.get("zones", ()))) for one in row.get("recent", ()))
        faulty = {str(zone): str(why) for zone, why in row.get("faulty", {}).items()}
        return cls(faulty, recent, int(row.get("version", 0)))

    @property
    def silent(self) -> dict[str, str]:
        """Why a list does not count, by its zone."""
        names = {zone for one in self.recent for zone in one.zones}
        many = {zone: sum(zone in one.zones for one in self.recent) for zone in sorted(names)}
        crowd = {
            zone: f"it named {count} of the last {len(self.recent)} clients"
            for zone, count in many.items()
            if count > CLIENTS // 2
        }
        return {**crowd, **self.faulty}

    def with_client(self, client: str, zones: Collection[str]) -> "Lists":
        """The state with one more client; it replaces an earlier result for that client, and the oldest client is
        dropped."""
        others = [one for one in self.recent if one.client != client]
        return Lists(self.faulty, (*others, Seen(client, frozenset(zones)))[-CLIENTS:], self.version)

    def knows(self, client: str, zones: Collection[str]) -> bool:
        """Whether this client is among the last with the same result: then nothing need be written."""
        return Seen(client, frozenset(zones)) in self.recent


def failure(listed: Answer | None, unlisted: Answer | None) -> str:
    """Why a list fails by its test entries; "" if it passes, and if it did not answer in time."""
    if listed is None or unlisted is None:
        return ""
    if fault := broken(listed) or broken(unlisted):
        return fault
    if unlisted.values:
        return "it lists its own entry that nothing may list"
    return "" if listed.values else "it does not list its own test entry"
