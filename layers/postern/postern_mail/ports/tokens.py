"""What the password manager's door needs: tokens, names, a count, and a new alias."""

from collections.abc import Collection, Mapping
from typing import Protocol

from ..mail.rows import Row


class TokenBook(Protocol):
    """The alias table and a counter."""

    def token(self, key: str) -> Row | None:
        """A token's row, None if there is none. Raises Temporary."""
        ...

    def seen(self, keys: Collection[str]) -> Mapping[str, Row]:
        """Those of these keys that have a row, each with its `address`, a domain's `patterns`, and of the settings
        `reply_local_part`. Raises Temporary."""
        ...

    def count(self, key: str, day: str, most: int) -> bool:
        """Count one alias more for a token; False, and nothing is counted, if the day has had its most. Raises
        Temporary."""
        ...

    def make(self, row: Row) -> bool:
        """Write a new alias; False, and nothing is written, if its key has a row. Raises Temporary."""
        ...
