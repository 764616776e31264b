"""`postern import`: make a tables file from another mail system's files."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from postern_mail.mail.address import Address, InvalidAddress

from .status import NO, usage_error
from .tables.file import TablesFile
from .tables.text import toml

if TYPE_CHECKING:
    from postern_postfix.address_parameters import NamedTable
    from postern_postfix.report import Report

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_PARENTS = {"parent": True, "dot": False}
_TABLE = "[TYPE:]FILE"
_Domains = Annotated[list[str], typer.Option(help="A domain that moves to Postern; may be repeated.")]
_Aliases = Annotated[list[str] | None, typer.Option(metavar=_TABLE, help="aliases(5); may be repeated.")]
_Virtual = Annotated[
    list[str] | None, typer.Option(metavar=_TABLE, help="virtual(5), including regexp: and pcre:; may be repeated.")
]
_Senders = Annotated[list[str] | None, typer.Option(metavar=_TABLE, help="access(5) for senders; may be repeated.")]
_MainCf = Annotated[
    Path | None,
    typer.Option(help="main.cf; it reads the tables named there too. With --root, the path on the box will do."),
]
_Root = Annotated[Path, typer.Option(exists=True, file_okay=False, help="The folder with a copy of the box's files.")]
_Style = Annotated[
    str | None, typer.Option(help="How a rule for a domain covers subdomains: parent or dot; else from main.cf.")
]
_Out = Annotated[Path | None, typer.Option(dir_okay=False, help="The tables file to write; else standard output.")]
_Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing tables file.")]
_Mailboxes = Annotated[
    list[str] | None,
    typer.Option(
        "--mailbox",
        metavar="NAME=ADDRESS",
        help="Where mail for a user of the box goes from now on: root=me@home.example; may be repeated.",
    ),
]
_All = Annotated[bool, typer.Option("--all", help="Report every line, even those that need nothing.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")]


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
    """Make a tables file from Postfix's files, and report by file and line what happened to each line.

    The report goes to standard output, or to standard error if the tables go to standard output. Exit status 1 if you
    must decide something, the report's "impossible": mail would go elsewhere or nowhere, or one of your rules is
    lost. 0 otherwise, even if something is "left behind" that does not affect who gets what; 2 for a usage error. The
    tables are written with status 0 and 1.
    """
    from postern_postfix.importing import CannotImport, ImportRequest, import_postfix  # noqa: PLC0415 (a sixth of the start)
    from postern_postfix.report import Verdict  # noqa: PLC0415
    from postern_postfix.source import Table  # noqa: PLC0415

    if out is not None and out.exists() and not force:
        usage_error(f"{out} already exists; --force overwrites it")
    given = {Table.ALIASES: _named(aliases), Table.VIRTUAL: _named(virtual), Table.ACCESS: _named(sender_access)}
    if main_cf is None and not any(given.values()):
        usage_error("nothing to import: give --aliases, --virtual, --sender-access or --main-cf")
    try:
        tables, report = import_postfix(
            ImportRequest(
                domains=_domains(domain),
                given=given,
                main_cf=_on_the_box(main_cf, root),
                root=root,
                parents=_parents(parent_style),
                mailboxes=_mailboxes(mailbox),
            )
        )
    except CannotImport as fault:
        usage_error(fault)
    _write(tables, out)
    _print(report, as_json, every, out)
    if report.counts()[Verdict.IMPOSSIBLE]:
        raise typer.Exit(NO)


def _named(names: list[str] | None) -> "tuple[NamedTable, ...]":
    from postern_postfix.address_parameters import NamedTable  # noqa: PLC0415
    from postern_postfix.maps import Map  # noqa: PLC0415

    return tuple(NamedTable(Map.parse(name)) for name in names or ())


def _on_the_box(main_cf: Path | None, root: Path) -> Path | None:
    """The file on disk: an absolute path is taken within the root, unless it already starts with the root."""
    if main_cf is None:
        return None
    inside = main_cf.resolve().is_relative_to(root.resolve())
    found = root / main_cf.relative_to("/") if main_cf.is_absolute() and not inside else main_cf
    if not found.is_file():
        usage_error(f"file {found} does not exist")
    return found


def _mailboxes(typed: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in typed or ():
        name, _, home = text.partition("=")
        try:
            found[name.strip().lower()] = str(Address.parse(home))
        except InvalidAddress:
            usage_error(f"--mailbox {text!r}: expected NAME=ADDRESS")
        if not name.strip():
            usage_error(f"--mailbox {text!r}: expected NAME=ADDRESS")
    return found


def _domains(typed: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_parsed_domain, typed)))


def _parsed_domain(typed: str) -> str:
    try:
        return Address.parse(f"x@{typed}").domain
    except InvalidAddress:
        usage_error(f"--domain {typed!r} is not a domain")


def _parents(style: str | None) -> bool | None:
    if style is not None and style not in _PARENTS:
        usage_error(f"--parent-style {style!r}: expected parent or dot")
    return None if style is None else _PARENTS[style]


def _write(tables: TablesFile, out: Path | None) -> None:
    text = "".join(toml(tables))
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as fault:
        usage_error(fault)


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
