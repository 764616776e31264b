"""What dry runs read rows from: the live tables of a stack, or a tables file in their place."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from postern_mail.mail.plan import Policy
from postern_mail.ports.forward import Tables

from .stack import Stack
from .tables.file import TablesFile


@dataclass(frozen=True, slots=True)
class Source:
    """Tables, and what is said for all mail."""

    tables: Tables
    policy: Policy

    @property
    def domains(self) -> Collection[str]:
        """Our own."""
        return self.policy.own_domains


def source(stack: str | None, tables: Path | None, parent_style: str | None = None) -> Source:
    """The tables file if there is one, else the live tables; `parent_style` in place of the stack's own.

    Raises WrongUse, BadTablesFile, Temporary.
    """
    if tables is not None:
        loaded = TablesFile.load(tables)
        found = Source(loaded, Policy(loaded.domains))
    else:
        live = Stack.find(stack)
        policy = live.policy  # what is wrong with it is said before AWS is asked
        found = Source(live.tables, policy)
    return replace(found, policy=replace(found.policy, parent_style=parent_style)) if parent_style else found
