"""The name of a look-up table: `hash:/etc/aliases` is its type and its file (postconf(1), -m).

Only the text that an indexed table is made from can be read, which has the table's own name.
"""

from dataclasses import dataclass
from pathlib import Path

_TEXT = ("hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash")
_PATTERNS = ("regexp", "pcre")
DEFAULT_TYPE = "hash"  # default_database_type


@dataclass(frozen=True, slots=True)
class Map:
    """A look-up table by type and file."""

    type: str
    file: str

    @classmethod
    def parse(cls, text: str) -> "Map":
        """Read `type:file`, or a file alone; `proxy:` is looked through."""
        text = text.removeprefix("proxy:")
        kind, colon, file = text.partition(":")
        if colon and kind.isalnum():
            return cls(kind, file)
        return cls(DEFAULT_TYPE, text)

    @property
    def is_text(self) -> bool:
        """Keys and values, one pair a line."""
        return self.type in _TEXT

    @property
    def is_patterns(self) -> bool:
        """Regular expressions."""
        return self.type in _PATTERNS

    def path(self, root: Path) -> Path:
        """Where it is within a copied tree."""
        return root / self.file.lstrip("/")

    def __str__(self) -> str:
        return f"{self.type}:{self.file}"
