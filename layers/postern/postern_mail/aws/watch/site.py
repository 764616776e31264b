"""The watch's own stack, for examinations, from the names in its environment."""

from collections.abc import Mapping

from ...mail.plan import Policy
from ...mail.records import dataclass
from .. import clients
from ..clock import SystemClock
from ..destinations import DynamoDestinations
from .backlog import Backlog
from .rows import AllRows
from .state import DynamoWatchState


@dataclass(frozen=True, slots=True)
class OwnSite:
    """`known` has the names of parts, by what they are for; "" for a part that does not exist."""

    known: Mapping[str, str]
    policy: Policy

    def __getitem__(self, thing: str) -> str:
        """The name of a part."""
        return self.known[thing]

    def get(self, thing: str) -> str | None:
        """The name of a part, None if it has none."""
        return self.known.get(thing) or None

    @property
    def site(self) -> "OwnSite":
        """The stack itself."""
        return self

    @property
    def rows(self) -> AllRows:
        """Aliases and sender rules."""
        aliases = self["aliases"]
        return AllRows(clients.dynamodb(), {"settings": aliases, "aliases": aliases, "senders": self["senders"]})

    @property
    def destinations(self) -> DynamoDestinations:
        """The health of destinations."""
        return DynamoDestinations(clients.dynamodb(), self["destinations"], SystemClock())

    @property
    def watch_state(self) -> DynamoWatchState:
        """The ledger."""
        return DynamoWatchState(clients.dynamodb(), self["ledger"])

    def queue(self, thing: str) -> Backlog:
        """A queue."""
        return Backlog(clients.sqs(), self[thing])
