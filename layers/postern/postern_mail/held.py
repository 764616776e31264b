"""Grey holds that ended without the queue waking their message: the hourly watch wakes it."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Protocol

from .mail.outcomes import State
from .mail.receipt import kept_event
from .mail.records import dataclass
from .ports.clock import Clock
from .ports.watch import WatchState
from .watch import MOST_NAMED

GRACE = 1800  # seconds after which the queue is no longer waited for


class EventQueue(Protocol):
    """The retry queue."""

    def put_event(self, event: Mapping[str, Any], by: str) -> None:
        """Put an event into the queue. Raises Temporary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Wakes overdue messages."""

    book: WatchState
    queue: EventQueue
    clock: Clock

    def run(self) -> tuple[str, ...]:
        """Wake the overdue messages and return their ids. Raises Temporary; safe to repeat."""
        found = overdue(self.book, self.clock.now())
        for message_id, recipients in found.items():
            entry = self.book.message_entries([message_id])[message_id]
            self.queue.put_event(kept_event(message_id, entry, recipients), "watch")
        return tuple(found)


def overdue(book: WatchState, now: float) -> dict[str, tuple[str, ...]]:
    """Messages with recipients whose hold ended a while ago, and those recipients. Raises Temporary."""
    opened = list(islice(book.open_since_before(now), MOST_NAMED))
    marked = [one for one, entry in book.message_entries(opened).items() if _is_due(entry, now)]
    waiting = {one: _waiting(book.entries(one), now) for one in marked}
    return {one: recipients for one, recipients in waiting.items() if recipients}


def _waiting(entries: Mapping[str, Mapping[str, Any]], now: float) -> tuple[str, ...]:
    return tuple(
        name.removeprefix("to:")
        for name, entry in sorted(entries.items())
        if name.startswith("to:") and State.of(entry) is State.DEFERRED and _is_due(entry, now)
    )


def _is_due(entry: Mapping[str, Any], now: float) -> bool:
    return "release_at" in entry and float(entry["release_at"]) + GRACE < now
