"""What virtual(5) answers for an address: the search order of its manual page, over all its tables.

The whole address is looked up in every table in turn, patterns included; then the address without its tag, the bare
name, and `@domain` in the tables without patterns.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from postern_mail.mail.address import Address

from .box import Box
from .patterns import PatternRule
from .targets import Target
from .virtual5 import VirtualRow

Table = Mapping[str, VirtualRow] | tuple[PatternRule, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The line that answers, the key that found it ("" for a pattern), and the tag that was not part of the key."""

    owner: VirtualRow | PatternRule
    key: str
    tag: str = ""

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets of the line."""
        return self.owner.targets


@dataclass(frozen=True, slots=True)
class Lookups:
    """The tables of virtual(5), in order."""

    box: Box
    tables: tuple[Table, ...]

    @property
    def rows(self) -> dict[str, VirtualRow]:
        """Every row by key; if a key occurs twice, the first."""
        found: dict[str, VirtualRow] = {}
        for table in self.tables:
            if isinstance(table, Mapping):
                found = {**table, **found}
        return found

    @property
    def patterns(self) -> tuple[PatternRule, ...]:
        """Every pattern, in order."""
        return tuple(rule for table in self.tables if isinstance(table, tuple) for rule in table)

    def find(self, address: Address) -> Answer | None:
        """What Postfix finds for an address, None for nothing."""
        whole = self._whole(address)
        return whole if whole is not None else next(self._parts(address), None)

    def domain(self, domain: str) -> Answer | None:
        """What Postfix finds for an address at a domain that no other key matches; without patterns."""
        key = f"@{domain}"
        row = self._row(key)
        return None if row is None else Answer(row, key)

    def pattern(self, address: Address) -> PatternRule | None:
        """The pattern that answers for an address, None without one."""
        answer = self._whole(address)
        return answer.owner if answer is not None and isinstance(answer.owner, PatternRule) else None

    def tagged(self, address: Address) -> Answer | None:
        """What Postfix finds for an address with some tag; without patterns."""
        return next(self._parts(Address(f"{address.local}{self.box.delimiter[:1]}x", address.domain)), None)

    def _whole(self, address: Address) -> Answer | None:
        for table in self.tables:
            if isinstance(table, Mapping):
                row = table.get(address.key)
                if row is not None:
                    return Answer(row, address.key)
            else:
                for rule in table:
                    if rule.matches(address):
                        return Answer(rule, "")
        return None

    def _parts(self, address: Address) -> Iterator[Answer]:
        name, tag = self.box.split(address.local)
        keys: Iterable[tuple[str, str]] = [(f"{name.lower()}@{address.domain}", tag)] if tag else []
        if self.box.asks_bare(address.domain):
            keys = [*keys, (address.local.lower(), ""), *([(name.lower(), tag)] if tag else [])]
        for key, left in (*keys, (f"@{address.domain}", "")):
            row = self._row(key)
            if row is not None:
                yield Answer(row, key, left)

    def _row(self, key: str) -> VirtualRow | None:
        return next((table[key] for table in self.tables if isinstance(table, Mapping) and key in table), None)
