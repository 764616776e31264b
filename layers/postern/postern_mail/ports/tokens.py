"""What the API for password managers needs from outside: tokens, names, a counter, and new aliases."""

from collections.abc import Collection, Mapping
from typing import Protocol

from ..mail.rows import Row


class TokenBook(Protocol):
    """The alias table and a counter."""

    def token(self, key: str) -> Row | None:
        """A token's row, None if there is none. Raises Temporary."""
        ...

    def rows_of(self, keys: Collection[str]) -> Mapping[str, Row]:
        """The rows of those keys that have one, each with its `address`, a domain's `patterns`, and `reply_local_part`
        of the settings. Raises Temporary."""
        ...

    def count(self, key: str, day: str, most: int) -> bool:
        """Count one more alias for a token. Returns False, counting nothing, if the day's limit is reached. Raises
        Temporary."""
        ...

    def make(self, row: Row) -> bool:
        """Write a new alias. Returns False, writing nothing, if its key has a row. Raises Temporary."""
        ...
