"""What learning a name needs from outside."""

from typing import Protocol

from ..mail.learning import Learn


class Learner(Protocol):
    """The alias table, as a catch-all writes into it."""

    def learn(self, name: Learn, source: str) -> bool:
        """Whether a row was written for the name. None is written if it has one, or if the domain has reached its limit
        for today. Raises Temporary."""
