"""Faults in the rows of the live tables: rows that a function could not parse, and keys that no look-up uses.

Each fault is a sentence that names its row.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from .aliases import Alias
from .greylist import CLIENTS_KEY, Whitelist, lines_of
from .keys import no_alias, no_sender
from .rows import Row, SenderKey, is_header_rule, rule_key
from .senders import EVERYWHERE, SenderRule
from .settings import Settings


def settings_faults(row: Row | None) -> list[str]:
    """The faults of the settings."""
    return list(_understood(lambda: Settings.from_row(row)))


def whitelist_faults(rows: Iterable[Row]) -> list[str]:
    """The faults of the grey hold's whitelists: while there is one, mail that would be held is deferred."""
    found: list[str] = []
    for row in rows:
        key = str(row["address"])
        read = Whitelist.clients if key == CLIENTS_KEY else Whitelist.recipients
        what = "clients" if key == CLIENTS_KEY else "recipients"
        try:
            read(lines_of(row, key))
        except ValueError as fault:
            found.append(f"whitelist of {what}: {fault}")
    return found


def alias_fault(row: Row, domains: Collection[str]) -> str | None:
    """The fault of a row of the alias table, None if there is none. `domains` are our own."""
    key = row["address"]
    if fault := no_alias(key, domains):
        return f"alias {key}: no look-up uses this key: {fault}"
    return next(_understood(lambda: Alias.from_row(key, row)), None)


def rule_faults(key: SenderKey, row: Row, domains: Collection[str], parent_style: str) -> Iterator[str]:
    """The faults of a sender rule."""
    sender, scope = key
    if fault := no_sender(sender, parent_style):
        yield f"{named_rule(key)}: no look-up uses this key: {fault}"
    if scope != EVERYWHERE and (fault := no_alias(scope, domains)):
        yield f"{named_rule(key)}: the scope is neither * nor an alias: {fault}"
    yield from _understood(lambda: _rule(key, row).check_target(domains))


def unasked_rule(key: SenderKey, numbers: Collection[int]) -> str | None:
    """The fault of a header rule whose number the settings do not list, None if they do."""
    if not is_header_rule(key[0]) or key[0] in map(rule_key, numbers):
        return None
    return f"{named_rule(key)}: it is not used, because the setting header_rules does not list it"


def rule_numbers(row: Row | None) -> tuple[int, ...]:
    """The header rules that the settings list; none if the settings cannot be parsed, which `settings_faults`
    reports."""
    try:
        return Settings.from_row(row).rule_numbers
    except ValueError:
        return ()


def named_rule(key: SenderKey) -> str:
    """The name of a sender rule or header rule, for people."""
    sender, scope = key
    called = f"header {sender.replace(':', ' ')}" if is_header_rule(sender) else f"sender rule {sender}"
    return called if scope == EVERYWHERE else f"{called} for {scope}"


def _rule(key: SenderKey, row: Row) -> SenderRule:
    if not is_header_rule(key[0]):
        return SenderRule.from_row(key, row)
    from .header_rules import HeaderRule  # noqa: PLC0415 (for who has header rules only)

    return HeaderRule.from_row(key, row)


def _understood(read: Callable[[], object]) -> Iterator[str]:
    try:
        read()
    except ValueError as fault:
        yield str(fault)
