"""The options that several commands have, spelled once."""

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
        help="The stack that is meant; else POSTERN_ALIAS_TABLE and the others, POSTERN_STACK, samconfig.toml.",
    ),
]
DnsOption = Annotated[
    bool,
    typer.Option(
        "--dns/--no-dns",
        help="Whether DNS lists and restrictions that are on are asked, from this machine.",
    ),
]
TablesOption = Annotated[
    Path | None,
    typer.Option("--tables", exists=True, dir_okay=False, help="A tables file, as TOML, in place of the live tables."),
]
AllRowsOption = Annotated[
    bool, typer.Option("--all-rows", help="Also rows that were made by themselves: learned, or by a token or a link.")
]
WideOption = Annotated[bool, typer.Option("--wide", help="Cut nothing to the width of the terminal.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of lines for people.")]
RawOption = Annotated[bool, typer.Option("--raw", help="Write to a terminal too, which does what the message says.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")]
ParentStyleOption = Annotated[
    ParentStyle | None,
    typer.Option(
        "--parent-style",
        help="parent: a rule for a domain holds for subdomains; dot: only one with a dot before it. Else the stack's.",
    ),
]
LimitOption = Annotated[int | None, typer.Option(min=1, help="At most so many; then it says how to go on.")]
NoteOption = Annotated[str | None, typer.Option(help="Yours.")]
ScopeOption = Annotated[str, typer.Option(metavar="ALIAS", help="The alias it holds for; * for all.")]
AfterOption = Annotated[str | None, typer.Option(metavar="KEY", help="Only those that come after this one.")]
SinceOption = Annotated[
    str, typer.Option(metavar="TIME", help="So long ago (30m, 12h, 7d), today, yesterday, or a date or time in UTC.")
]
MessageArgument = Annotated[
    str, typer.Argument(metavar="ID", help="SES's id of the message, or its first six characters or more.")
]
FileArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tables file, as TOML.")]
IdsArgument = Annotated[
    list[str], typer.Argument(metavar="ID...", help="SES's ids of messages, or their first six characters or more.")
]
MaybeIdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID...]", help="SES's ids of messages, or their first characters.")
]
RecipientsOption = Annotated[list[str] | None, typer.Option("--recipient", help="Only for this one; may be repeated.")]
