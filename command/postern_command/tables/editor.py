"""Read, check, write and show one row of the live tables: what `postern alias`, `sender` and `rule` share."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from postern_mail.lookup import follow
from postern_mail.mail.address import Address, alias_key
from postern_mail.mail.aliases import resolve
from postern_mail.mail.keys import domain_of, no_alias
from postern_mail.mail.plan import Policy
from postern_mail.mail.replying.reserved import clashes
from postern_mail.mail.row_faults import settings_faults
from postern_mail.mail.rows import BOOKKEEPING, Row, Rows, SenderKey
from postern_mail.mail.senders import EVERYWHERE
from postern_mail.mail.settings import Settings
from postern_mail.ports.forward import Tables

from ..output import difference_text
from ..status import UsageError, refuse_any, warn
from .change import Change
from .checks import Findings, alias_faults, leads, sender_faults
from .differences import same, stamped

if TYPE_CHECKING:
    from ..stack import Stack


def typed_key(text: str) -> str:
    """An alias key in the form that look-ups use, in any domain. Raises UsageError for other text."""
    key = alias_key(text)
    if fault := no_alias(key, {domain_of(key).lstrip(".*")}):
        raise UsageError(f"{text!r}: {fault}")
    return key


def with_attributes(row: Row, attributes: Mapping[str, Any]) -> Row:
    """The row with these attributes; None removes one."""
    merged = {**row, **attributes}
    return {name: value for name, value in merged.items() if name not in attributes or value is not None}


@dataclass(frozen=True, slots=True)
class Editor:
    """Writes one row of the live tables, or with `dry_run` shows what it would write."""

    where: "Stack"
    dry_run: bool
    as_json: bool

    def alias(self, key: str) -> Row | None:
        """The alias's current row, None without one. Raises Temporary."""
        return self.where.tables.read([key], ()).aliases[key]

    def settings(self) -> Row | None:
        """The current settings, None if none was ever set. Raises Temporary."""
        return next(self.where.rows.scan("settings"), None)

    def sender_rule(self, key: SenderKey) -> Row | None:
        """The rule's current row, None without one. Raises Temporary."""
        return self.where.tables.read((), [key]).senders[key]

    def write(self, change: Change, *along: Change) -> None:
        """Check a change, write it together with the changes in `along`, and show what changed in its table.

        Ends with status 1 for a row that is not valid. Raises Overtaken if someone else changed a row first, Temporary.
        """
        if not along and change.before is not None and change.after is not None and same(change.before, change.after):
            self._show(change, [], written=False)
            return
        found = findings(change, self.where.tables, self.where.policy)
        found.faults += self._clashes(change)
        warn(found.warnings)
        refuse_any(found.faults)
        if not self.dry_run:
            write_live(change, self.where, *along)
        self._show(change, found.warnings, written=not self.dry_run)
        for one in along:
            if one.table == change.table:
                self._show(one, [], written=not self.dry_run)

    def _clashes(self, change: Change) -> list[str]:
        """Aliases that would get in the way of reply addresses; the table is read only if the change may cause it."""
        if change.after is None or change.table == "senders":
            return []
        settings = change.after if change.table == "settings" else self.settings()
        if not may_clash(change, settings):
            return []
        rows = {row["address"]: row for row in self.where.rows.scan("aliases")}
        if change.table == "aliases":
            rows[change.key[0]] = change.after
        return list(clashes(rows, settings, self.where.domains))

    def _show(self, change: Change, warnings: list[str], *, written: bool) -> None:
        if self.as_json:
            typer.echo(difference_text.as_json(change, warnings=warnings, written=written))
        elif written or (self.dry_run and change.before != change.after):
            difference_text.show([change])
        else:
            typer.echo(f"{change}: nothing to change")


def may_clash(change: Change, settings: Row | None) -> bool:
    """Whether a change may turn replies on, or take the local part of reply addresses."""
    before, after = change.before or {}, change.after or {}
    names = ("reply", "reply_local_part") if change.table == "settings" else ("reply", "patterns")
    name = str((settings or {}).get("reply_local_part") or Settings().reply_local_part)
    is_named = change.before is None and change.key[0].startswith((f"{name}@", f"{name}+"))
    return is_named or any(before.get(one) != after.get(one) for one in names)


def write_live(change: Change, where: "Stack", *along: Change) -> None:
    """Write these changes together, with who makes them and when. Raises Overtaken if someone else changed a row
    first, Temporary."""
    from ..aws.table_rows import caller  # noqa: PLC0415 (boto3 takes half a second)

    stamp = {"updated_at": int(time.time()), "updated_by": caller()}
    where.rows.write([stamped(one, stamp) for one in (change, *along)])


def findings(change: Change, tables: Tables, policy: Policy) -> Findings:
    """What is wrong with a change. Raises Temporary."""
    if change.after is None:
        return _left_to(change, tables, policy)
    if change.table == "settings":  # the typed value was checked; faults in other settings are only warnings
        return Findings(warnings=settings_faults(change.after))
    row = _judged(change)
    if change.table == "aliases":
        (key,) = change.key
        found = leads(key, row, tables, policy.own_domains, time.time())
        return Findings([*alias_faults(key, row, policy.own_domains), *found.faults], found.warnings)
    sender, scope = change.key
    orphan = scope != EVERYWHERE and tables.read([scope], ()).aliases[scope] is None
    warnings = [f"{change}: there is no such alias"] if orphan else []
    return Findings(sender_faults((sender, scope), row, policy), warnings)


def _left_to(change: Change, tables: Tables, policy: Policy) -> Findings:
    """A warning if a removed alias's mail would go to a less specific one instead of being rejected."""
    found, domains = Findings(), policy.own_domains
    address = change.key[0]
    if change.table == "aliases" and not no_alias(address, domains) and not address.startswith("@"):
        rows, now = Rows({address: None}), time.time()
        follow(tables, [Address.parse(address)], rows, domains, now)
        left_to = resolve(Address.parse(address), rows, domains, now).matched
        if left_to:
            found.warnings.append(
                f"mail to {address} now goes by {left_to[0]}; to reject it, disable the alias instead"
            )
    return found


def _judged(change: Change) -> Row:
    """The new row without the old one's bookkeeping."""
    return {name: value for name, value in (change.after or {}).items() if name not in BOOKKEEPING}
