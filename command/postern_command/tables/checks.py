"""Check rows before they are written, rather than when mail comes.

Rows are read as the functions read them. In addition a key must be one that look-ups use, in a domain of ours, and an
alias must not lead back to itself.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from postern_mail.lookup import follow
from postern_mail.mail.address import Address
from postern_mail.mail.aliases import Alias, Resolution, resolve
from postern_mail.mail.days import moment
from postern_mail.mail.keys import no_alias
from postern_mail.mail.plan import Policy
from postern_mail.mail.replying.reserved import clashes
from postern_mail.mail.row_faults import rule_faults, rule_numbers, settings_faults, unasked_rule, whitelist_faults
from postern_mail.mail.rows import BOOKKEEPING, Row, Rows, SenderKey, TableName
from postern_mail.mail.senders import EVERYWHERE
from postern_mail.ports.forward import Tables

from .change import named
from .file import TablesFile

MAX_ROW = 400_000  # bytes; DynamoDB allows 400 KB, docs.aws.amazon.com/amazondynamodb, "Limits"
_MAX_DIGITS, _MAX_EXPONENT = 38, 125  # of a number, same page
_ANY = "postern-any-address"  # stands for any address that a domain's row answers for


@dataclass(slots=True)
class Findings:
    """Faults, which prevent writing, and warnings, which do not."""

    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, tables: TablesFile, policy: Policy) -> "Findings":
        """Everything wrong in a file, for a stack with this policy."""
        found, domains = cls(), policy.own_domains
        rows = Rows(_Everything(tables.aliases))
        now = time.time()
        found.faults += settings_faults(tables.settings)
        found.faults += whitelist_faults((tables.whitelists or {}).values())
        found.faults += clashes(tables.aliases, tables.settings, domains)
        for key, row in tables.aliases.items():
            found.faults += alias_faults(key, row, tables.domains & frozenset(domains))
            found.add(_led(key, row, domains, lambda address: resolve(address, rows, domains, now)))
        for sender, row in tables.senders.items():
            found.faults += sender_faults(sender, row, policy)
            if unasked := unasked_rule(sender, rule_numbers(tables.all_settings)):
                found.warnings.append(unasked)
            if sender[1] != EVERYWHERE and sender[1] not in tables.aliases:
                found.warnings.append(f"{named('senders', sender)}: there is no such alias")
        return found

    @property
    def all(self) -> list[str]:
        """Faults and warnings together, for dry runs."""
        return [*self.faults, *self.warnings]

    def add(self, more: "Findings") -> None:
        """Add other findings to these."""
        self.faults += more.faults
        self.warnings += more.warnings


def alias_faults(key: str, row: Row, domains: Collection[str]) -> list[str]:
    """What is wrong with one row of the alias table; each fault is a sentence that names the row."""
    faults = _attribute_faults("aliases", (key,), row)
    if fault := no_alias(key, domains):
        faults.append(f"alias {key}: {fault}")
    try:
        Alias.from_row(key, row)
    except ValueError as fault:
        faults.append(str(fault))
    return faults


def sender_faults(key: SenderKey, row: Row, policy: Policy) -> list[str]:
    """What is wrong with one row of the sender table; each fault is a sentence that names the row."""
    faults = _attribute_faults("senders", key, row)
    return [*faults, *rule_faults(key, row, policy.own_domains, policy.parent_style)]


def leads(key: str, row: Row, tables: Tables, domains: Collection[str], now: float) -> Findings:
    """Loops and dead ends of an alias if it had this row; the tables are read as needed. Raises Temporary."""
    rows = Rows({key: row})

    def resolved(address: Address) -> Resolution:
        follow(tables, [address], rows, domains, now)
        return resolve(address, rows, domains, now)

    return _led(key, row, domains, resolved)


def _led(key: str, row: Row, domains: Collection[str], resolved: Callable[[Address], Resolution]) -> Findings:
    """Loops and dead ends of an alias; no findings for a row that cannot be understood."""
    try:
        alias = Alias.from_row(key, row)
        address = Address.parse(f"{_ANY}{key}" if key.startswith("@") else key)
    except ValueError:
        return Findings()  # named by alias_faults
    if alias.enabled and alias.expires_at is not None and alias.expires_at <= time.time():
        return Findings(warnings=[f"alias {key}: it has expired, {moment(alias.expires_at)}; its mail is rejected"])
    ours = [one for one in alias.destinations if one.domain in domains]
    if not alias.enabled or not ours:
        return Findings()
    found = resolved(address)
    if found.outcome == "error":
        return Findings(faults=[f"alias {key}: {found.detail}"])
    told = found.detail and _ANY not in found.detail
    return Findings(warnings=[f"alias {key}: {found.detail}"] if told else [])


def _attribute_faults(table: TableName, key: tuple[str, ...], row: Row) -> list[str]:
    faults = [f"{name} cannot be set: Postern records it in live rows" for name in BOOKKEEPING if name in row]
    faults += [
        f"{name} is a number that DynamoDB cannot store" for name in row if not all(map(_is_exact, _numbers(row[name])))
    ]
    if len(str(row).encode()) > MAX_ROW:
        faults.append(f"the row is larger than {MAX_ROW} bytes, DynamoDB's limit")
    return [f"{named(table, key)}: {fault}" for fault in faults]


def _numbers(value: Any) -> Iterator[int | float | Decimal]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        yield value


def _is_exact(number: int | float | Decimal) -> bool:
    exact = Decimal(str(number))
    digits = "".join(map(str, exact.as_tuple().digits)).strip("0")
    return exact.is_finite() and len(digits) <= _MAX_DIGITS and abs(exact.adjusted()) < _MAX_EXPONENT


class _Everything(dict[str, Row | None]):
    """The rows of a whole table: a missing key counts as looked up and not found."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> None:
        return None
