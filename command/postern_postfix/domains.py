"""The domain lists in main.cf: mydestination, virtual_alias_domains, virtual_mailbox_domains, relay_domains.

Source: postconf(5), and match_list(3): items are tried in order; `/file` stands for the file's items, `type:table` for
the table's keys, and `!` before an item excludes what it matches.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .access5 import pair
from .box import Kind
from .maps import Map
from .patterns import finds
from .source import WHITE, Line

BOX_NAMES = ("localhost", "localhost.localdomain")
# The order in which Postfix tries the lists: trivial-rewrite(8), resolve.c.
_ORDER = (Kind.LOCAL, Kind.ALIAS, Kind.MAILBOX, Kind.RELAY)
Reading = Callable[[Map], tuple[Line, ...] | None]  # a file's lines, None if it cannot be read


@dataclass(slots=True)
class DomainList:
    """One list. `parents`: a domain covers its subdomains too (relay_domains)."""

    parents: bool = False
    unread: list[str] = field(default_factory=list)  # tables that could not be read
    _items: list[tuple[bool, Callable[[str], bool]]] = field(default_factory=list)

    @classmethod
    def read(cls, items: Iterable[str], reading: Reading, parents: bool = False) -> "DomainList":
        """The list from its items in main.cf."""
        found = cls(parents)
        for item in items:
            found._add(item, reading)
        return found

    def has(self, domain: str) -> bool:
        """Whether the domain (in lower case) is in the list."""
        wanted = [domain, *_parents(domain)] if self.parents else [domain]
        for negated, matches in self._items:
            if any(map(matches, wanted)):
                return not negated
        return False

    def _add(self, item: str, reading: Reading) -> None:
        bare = item.lstrip("!")
        negated = (len(item) - len(bare)) % 2 == 1
        if bare.startswith("/"):
            for line in reading(Map("file", bare)) or self._not_read(item):
                for word in line.text.replace(",", " ").split():
                    self._add(f"!{word}" if negated else word, reading)
        elif ":" in bare:
            self._add_table(item, Map.parse(bare), negated, reading)
        else:
            self._items.append((negated, bare.lower().__eq__))

    def _add_table(self, item: str, table: Map, negated: bool, reading: Reading) -> None:
        lines = reading(table)
        if lines is None:
            self._not_read(item)
        elif table.is_patterns:
            self._items.append((negated, lambda domain: finds(lines, table.type, domain) is True))
        else:
            keys = frozenset(both[0].lower() for line in lines if (both := pair(line)) is not None)
            self._items.append((negated, keys.__contains__))

    def _not_read(self, item: str) -> tuple[Line, ...]:
        self.unread.append(item)
        return ()


@dataclass(frozen=True, slots=True)
class Domains:
    """The four lists, by the class of domain that each defines, and the names of the box itself."""

    lists: dict[Kind, DomainList]
    box: frozenset[str] = frozenset(BOX_NAMES)

    def kind(self, domain: str) -> Kind:
        """The class of a domain (in lower case)."""
        if domain in self.box:
            return Kind.LOCAL
        return next((kind for kind in _ORDER if kind in self.lists and self.lists[kind].has(domain)), Kind.OUTSIDE)

    def unread(self) -> Iterator[tuple[Kind, str]]:
        """The tables that could not be read, each with the class that its domains would have."""
        for kind in _ORDER:
            if kind in self.lists:
                yield from ((kind, item) for item in self.lists[kind].unread)


def listed(line: Line) -> tuple[str, ...]:
    """The domains that a line of a list's file names: words of a plain file, the key of a table's line."""
    return tuple(line.text.replace(",", " ").split(None)) if line.text.strip(WHITE) else ()


def _parents(domain: str) -> Iterator[str]:
    while "." in domain:
        domain = domain.partition(".")[2]
        yield domain
