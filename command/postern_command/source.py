"""Where dry runs read rows: the live tables of a stack, or a tables file instead."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from postern_mail.mail.keys import NeverAsked, unasked_aliases, unasked_senders
from postern_mail.mail.plan import Policy
from postern_mail.mail.rows import TableName
from postern_mail.mail.senders import EVERYWHERE, PARENT
from postern_mail.ports.forward import Tables

from .stack import Stack
from .status import warn
from .tables.change import named
from .tables.checks import Findings
from .tables.file import TablesFile


@dataclass(frozen=True, slots=True)
class Source:
    """The tables, and the policy for all mail."""

    tables: Tables
    policy: Policy
    live: bool = False  # a file was checked when it was read
    stack: Stack | None = None  # whose tables they are

    @property
    def domains(self) -> Collection[str]:
        """Our own domains."""
        return self.policy.own_domains

    def warn_of_aliases(self, text: str) -> None:
        """Warn about live rows that seem meant for an address but are never looked up. Raises Temporary."""
        if self.live and (never := unasked_aliases(text, self.domains)):
            rows = self.tables.read(tuple(never), ()).aliases
            warn(_unasked("aliases", (key,), never[key]) for key in never if rows.get(key) is not None)

    def warn_of_senders(self, text: str, scope: str) -> None:
        """The same for a sender, in one scope and in the scope `*`."""
        if self.live and (never := unasked_senders(text, self.policy.parent_style)):
            keys = [(key, where) for where in dict.fromkeys((scope, EVERYWHERE)) for key in never]
            rows = self.tables.read((), keys).senders
            warn(_unasked("senders", key, never[key[0]]) for key in keys if rows.get(key) is not None)


def _unasked(table: TableName, key: tuple[str, ...], why: NeverAsked) -> str:
    return f"{named(table, key)}: no look-up uses this key: {why}"


def source(stack: str | None, tables: Path | None, parent_style: str | None = None) -> Source:
    """The tables file if one is given, else the live tables; `parent_style` overrides the stack's.

    Faults in a file are printed as warnings. Raises UsageError, BadTablesFile, Temporary.
    """
    if tables is not None:
        loaded = TablesFile.load(tables)
        policy = Policy(loaded.domains, parent_style or PARENT)
        warn(Findings.of(loaded, policy).all)
        return Source(loaded, policy)
    live = Stack.find(stack)
    policy = live.policy  # raises for a bad one before AWS is asked
    policy = replace(policy, parent_style=parent_style or policy.parent_style)
    return Source(live.tables, policy, live=True, stack=live)
