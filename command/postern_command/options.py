"""The options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ParentStyle(StrEnum):
    """senders.PARENT_STYLES, as a choice."""

    PARENT = "parent"
    DOT = "dot"


StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="NAME",
        help="The stack to use; else POSTERN_ALIAS_TABLE and its companions, POSTERN_STACK, or samconfig.toml.",
    ),
]
DnsOption = Annotated[
    bool,
    typer.Option(
        "--dns/--no-dns",
        help="Check the DNS lists and restrictions that are on, from this machine.",
    ),
]
TablesOption = Annotated[
    Path | None,
    typer.Option("--tables", exists=True, dir_okay=False, help="Read this tables file (TOML), not the live tables."),
]
AllRowsOption = Annotated[
    bool, typer.Option("--all-rows", help="Include rows that Postern added: learned ones, those of a token or a link.")
]
WideOption = Annotated[bool, typer.Option("--wide", help="Do not cut lines to the width of the terminal.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
RawOption = Annotated[bool, typer.Option("--raw", help="Write to a terminal too; it obeys any control codes.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")]
ParentStyleOption = Annotated[
    ParentStyle | None,
    typer.Option(
        "--parent-style",
        help="parent: a rule for a domain covers its subdomains; dot: only a rule for .domain does. Else the stack's.",
    ),
]
LimitOption = Annotated[int | None, typer.Option(min=1, help="List at most this many, and say how to continue.")]
NoteOption = Annotated[str | None, typer.Option(help="Free-text note.")]
ScopeOption = Annotated[str, typer.Option(metavar="ALIAS", help="The alias it applies to; * for all.")]
AfterOption = Annotated[str | None, typer.Option(metavar="KEY", help="List only what comes after this key.")]
SinceOption = Annotated[
    str,
    typer.Option(metavar="TIME", help="How far back: 30m, 12h, 7d, 2w, today, yesterday, or a date or time in UTC."),
]
MessageArgument = Annotated[
    str, typer.Argument(metavar="ID", help="SES's message id, or at least its first six characters.")
]
FileArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tables file (TOML).")]
IdsArgument = Annotated[
    list[str], typer.Argument(metavar="ID...", help="SES's message ids, or at least the first six characters of each.")
]
MaybeIdsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID...]", help="SES's message ids, or at least the first six characters of each."),
]
RecipientsOption = Annotated[
    list[str] | None, typer.Option("--recipient", help="Only for this recipient; may be repeated.")
]
