"""`postern import`: tables from the files of other mail systems."""

import json
from pathlib import Path
from typing import Annotated

import typer
from postern_mail.mail.address import Address, InvalidAddress
from postern_postfix import report as reporting
from postern_postfix.address_parameters import Named
from postern_postfix.importing import Asked, CannotImport, import_postfix
from postern_postfix.maps import Map
from postern_postfix.report import Report, Verdict
from postern_postfix.source import Table
from rich.console import Console

from .status import NO, wrong_use
from .tables.file import TablesFile
from .tables.text import toml

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
    Path | None, typer.Option(exists=True, dir_okay=False, help="main.cf; the tables that it names are read too.")
]
_Root = Annotated[
    Path, typer.Option(exists=True, file_okay=False, help="Where the box's files are, if they were copied.")
]
_Style = Annotated[
    str | None, typer.Option(help="How a domain covers what is below it: parent or dot; else as main.cf has it.")
]
_Out = Annotated[Path | None, typer.Option(dir_okay=False, help="The tables file; else standard output.")]
_Force = Annotated[bool, typer.Option("--force", help="Overwrite the tables file if it is there.")]
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
    parent_style: _Style = None,
    out: _Out = None,
    force: _Force = False,
    as_json: _Json = False,
) -> None:
    """Make a tables file from Postfix's files, and say by file and line what became of each line.

    The report goes to standard output, or to standard error if the tables go to standard output.
    Exit status 0 if everything was taken over or changed; 1 if something did not come along, which
    the report names, and the tables are written all the same; 2 for wrong use.
    """
    if out is not None and out.exists() and not force:
        wrong_use(f"{out} is there already; --force overwrites it")
    given = {Table.ALIASES: _named(aliases), Table.VIRTUAL: _named(virtual), Table.ACCESS: _named(sender_access)}
    if main_cf is None and not any(given.values()):
        wrong_use("nothing to import: give --aliases, --virtual, --sender-access or --main-cf")
    try:
        tables, report = import_postfix(Asked(_domains(domain), given, main_cf, root, _parents(parent_style)))
    except CannotImport as fault:
        wrong_use(fault)
    _write(tables, out)
    _print(report, as_json, to_stderr=out is None)
    if report.counts()[Verdict.IMPOSSIBLE]:
        raise typer.Exit(NO)


def _named(names: list[str] | None) -> tuple[Named, ...]:
    return tuple(Named(Map.parse(name)) for name in names or ())


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


def _print(report: Report, as_json: bool, to_stderr: bool) -> None:
    if as_json:
        typer.echo(json.dumps(reporting.as_json(report)), err=to_stderr)
        return
    console = Console(stderr=to_stderr, soft_wrap=True, highlight=False, markup=False)
    for line in reporting.lines(report):
        console.print(line)
