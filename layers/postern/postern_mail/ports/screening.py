"""What `screening` asks of the world; nobody does for a stack that screens nothing."""

from collections.abc import Collection
from typing import Protocol

from ..mail.dns import Answers, Question
from ..mail.list_health import Lists


class Resolver(Protocol):
    """The DNS."""

    def ask(self, questions: Collection[Question], seconds: float) -> Answers:
        """What was answered within so many seconds for all together; raises nothing."""


class ListBook(Protocol):
    """What is remembered of DNS lists. Raises Temporary."""

    def lists(self) -> Lists:
        """As it stands."""

    def saw(self, before: Lists, after: Lists) -> None:
        """Remember that; if somebody was faster, what he wrote stays."""


class Key(Protocol):
    """The owner's key for Spamhaus."""

    def __call__(self) -> str:
        """The key, "" if there is none. Raises Temporary."""


class GreyBook(Protocol):
    """When mail came first that nothing authenticates. Raises Temporary."""

    def first_seen(self, triplet: str, now: float, keep: float) -> float:
        """When such mail came first, epoch seconds: now, if none came within so many seconds before."""

    def passes(self, client: str, now: float) -> int:
        """How many messages of a client's passed."""

    def passed(self, client: str, now: float, keep: float) -> None:
        """Count one, at most one an hour."""
