"""What `screening` needs from outside; a stack that screens nothing needs none of it."""

from collections.abc import Collection
from typing import Protocol

from ..mail.dns import Answers, Question
from ..mail.list_health import Lists


class Resolver(Protocol):
    """The DNS."""

    def ask(self, questions: Collection[Question], seconds: float) -> Answers:
        """The answers that came within so many seconds in all. Raises nothing."""


class ListBook(Protocol):
    """The stored state of DNS lists. Raises Temporary."""

    def lists(self) -> Lists:
        """The current state."""

    def note_clients(self, before: Lists, after: Lists) -> None:
        """Store a new state; if another write was faster, that one stays."""


class Key(Protocol):
    """The owner's key for Spamhaus."""

    def __call__(self) -> str:
        """The key, "" if there is none. Raises Temporary."""


class GreyBook(Protocol):
    """When unauthenticated mail first came, by triplet. Raises Temporary."""

    def first_seen(self, triplet: str, now: float, keep: float) -> float:
        """When such mail first came, in epoch seconds: now, if none came within the last `keep` seconds."""

    def passes(self, client: str, now: float) -> int:
        """How many messages from a client passed."""

    def passed(self, client: str, now: float, keep: float) -> None:
        """Count a message that passed, at most one an hour."""
