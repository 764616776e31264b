"""What dry runs read rows from: the live tables of a stack, or a tables file in their place."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from postern_mail.mail.plan import Policy
from postern_mail.mail.senders import PARENT
from postern_mail.ports.forward import Tables

from .stack import Stack
from .status import warn
from .tables.checks import Findings
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

    What is wrong in a file is said as warnings.
    Raises WrongUse, BadTablesFile, Temporary.
    """
    if tables is not None:
        loaded = TablesFile.load(tables)
        policy = Policy(loaded.domains, parent_style or PARENT)
        warn(Findings.of(loaded, policy).said)
        return Source(loaded, policy)
    live = Stack.find(stack)
    policy = live.policy  # what is wrong with it is said before AWS is asked
    return Source(live.tables, replace(policy, parent_style=parent_style or policy.parent_style))
