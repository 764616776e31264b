"""The name of a look-up table: `hash:/etc/aliases` is its type and its file (postconf(1), -m).

Only the text source of an indexed table can be read; its name is the table's own.
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
        """Parse `type:file`, or a file alone; a leading `proxy:` is ignored."""
        text = text.removeprefix("proxy:")
        kind, colon, file = text.partition(":")
        if colon and kind.isalnum():
            return cls(kind, file)
        return cls(DEFAULT_TYPE, text)

    @property
    def is_text(self) -> bool:
        """Whether the table has keys and values, one pair per line."""
        return self.type in _TEXT

    @property
    def is_patterns(self) -> bool:
        """Whether the table has regular expressions."""
        return self.type in _PATTERNS

    def path(self, root: Path) -> Path:
        """The file's path within a copied tree."""
        return root / self.file.lstrip("/")

    def __str__(self) -> str:
        return f"{self.type}:{self.file}"
