"""`postern import`: tables from the files of other mail systems."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from postern_mail.mail.address import Address, InvalidAddress

from .status import NO, wrong_use
from .tables.file import TablesFile
from .tables.text import toml

if TYPE_CHECKING:
    from postern_postfix.address_parameters import Named
    from postern_postfix.report import Report

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_PARENTS = {"parent": True, "dot": False}
_TABLE = "[TYPE:]FILE"
_Domains = Annotated[list[str], typer.Option(help="A domain whose mail is to come through Postern; may be repeated.")]
_Aliases = Annotated[list[str] | None, typer.Option(metavar=_TABLE, help="aliases(5); may be repeated.")]
_Virtual = Annotated[
    list[str] | None, typer.Option(metavar=_TABLE, help="virtual(5), also regexp: and pcre:; may be repeated.")
]
_Senders = Annotated[list[str] | None, typer.Option(metavar=_TABLE, help="access(5) of senders; may be repeated.")]
_MainCf = Annotated[
    Path | None,
    typer.Option(help="main.cf; the tables that it names are read too. With --root its path on the box will do."),
]
_Root = Annotated[
    Path, typer.Option(exists=True, file_okay=False, help="Where the box's files are, if they were copied.")
]
_Style = Annotated[
    str | None, typer.Option(help="How a domain covers what is below it: parent or dot; else as main.cf has it.")
]
_Out = Annotated[Path | None, typer.Option(dir_okay=False, help="The tables file; else standard output.")]
_Force = Annotated[bool, typer.Option("--force", help="Overwrite the tables file if it is there.")]
_Mailboxes = Annotated[
    list[str] | None,
    typer.Option(
        "--mailbox",
        metavar="NAME=ADDRESS",
        help="Where the mail of a user of the box goes from now on, as root=me@home.example; may be repeated.",
    ),
]
_All = Annotated[bool, typer.Option("--all", help="What became of each line, also of those that need nothing.")]
_Json = Annotated[bool, typer.Option("--json", help="The report as one JSON object.")]


@app.callback()
def import_() -> None:
    """Make a tables file from another mail system's files."""


@app.command()
def postfix(
    domain: _Domains,
    aliases: _Aliases = None,
    virtual: _Virtual = None,
    sender_access: _Senders = None,
    main_cf: _MainCf = None,
    root: _Root = Path("/"),
    mailbox: _Mailboxes = None,
    parent_style: _Style = None,
    out: _Out = None,
    force: _Force = False,
    every: _All = False,
    as_json: _Json = False,
) -> None:
    """Make a tables file from Postfix's files, and say by file and line what became of each line.

    The report goes to standard output, or to standard error if the tables go to standard output.
    Exit status 1 if the owner must decide something, the report's "impossible": mail would go elsewhere
    or nowhere, or a rule that the owner wrote is lost. Else 0, also where something is "left behind"
    that decides nothing about who gets what. 2 for wrong use. The tables are written with 0 and 1.
    """
    from postern_postfix.importing import Asked, CannotImport, import_postfix  # noqa: PLC0415 (a sixth of the start)
    from postern_postfix.report import Verdict  # noqa: PLC0415
    from postern_postfix.source import Table  # noqa: PLC0415

    if out is not None and out.exists() and not force:
        wrong_use(f"{out} is there already; --force overwrites it")
    given = {Table.ALIASES: _named(aliases), Table.VIRTUAL: _named(virtual), Table.ACCESS: _named(sender_access)}
    if main_cf is None and not any(given.values()):
        wrong_use("nothing to import: give --aliases, --virtual, --sender-access or --main-cf")
    try:
        tables, report = import_postfix(
            Asked(
                domains=_domains(domain),
                given=given,
                main_cf=_on_the_box(main_cf, root),
                root=root,
                parents=_parents(parent_style),
                mailboxes=_mailboxes(mailbox),
            )
        )
    except CannotImport as fault:
        wrong_use(fault)
    _write(tables, out)
    _print(report, as_json, every, out)
    if report.counts()[Verdict.IMPOSSIBLE]:
        raise typer.Exit(NO)


def _named(names: list[str] | None) -> "tuple[Named, ...]":
    from postern_postfix.address_parameters import Named  # noqa: PLC0415
    from postern_postfix.maps import Map  # noqa: PLC0415

    return tuple(Named(Map.parse(name)) for name in names or ())


def _on_the_box(main_cf: Path | None, root: Path) -> Path | None:
    """The file of the box: an absolute path is meant within the root, unless it has the root in it already."""
    if main_cf is None:
        return None
    inside = main_cf.resolve().is_relative_to(root.resolve())
    found = root / main_cf.relative_to("/") if main_cf.is_absolute() and not inside else main_cf
    if not found.is_file():
        wrong_use(f"there is no file {found}")
    return found


def _mailboxes(typed: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in typed or ():
        name, _, home = text.partition("=")
        try:
            found[name.strip().lower()] = str(Address.parse(home))
        except InvalidAddress:
            wrong_use(f"--mailbox is NAME=ADDRESS, and not {text!r}")
        if not name.strip():
            wrong_use(f"--mailbox is NAME=ADDRESS, and not {text!r}")
    return found


def _domains(typed: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_parsed_domain, typed)))


def _parsed_domain(typed: str) -> str:
    try:
        return Address.parse(f"x@{typed}").domain
    except InvalidAddress:
        wrong_use(f"--domain {typed!r} is not a domain")


def _parents(style: str | None) -> bool | None:
    if style is not None and style not in _PARENTS:
        wrong_use(f"--parent-style is parent or dot, and not {style!r}")
    return None if style is None else _PARENTS[style]


def _write(tables: TablesFile, out: Path | None) -> None:
    text = "".join(toml(tables))
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as fault:
        wrong_use(fault)


def _print(report: "Report", as_json: bool, every: bool, out: Path | None) -> None:
    from postern_postfix import report as reporting  # noqa: PLC0415
    from postern_postfix.report_text import lines as report_lines  # noqa: PLC0415

    to_stderr = out is None
    if as_json:
        typer.echo(json.dumps(reporting.as_json(report)), err=to_stderr)
        return
    said = [*report_lines(report, every)]
    if out is not None:
        said.append(f"next: postern resolve ADDRESS --tables {out}; if that is right, postern plan {out}")
    typer.echo("\n".join(said), err=to_stderr)
