"""What learning a name asks of the world."""

from typing import Protocol

from ..mail.learning import Learn


class Learner(Protocol):
    """The alias table, as a catch-all writes into it."""

    def learn(self, name: Learn, source: str) -> bool:
        """Whether a row was written for the name: not if there is one, nor if the domain has learned its fill for
        today. Raises Temporary."""
