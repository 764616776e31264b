"""The commands and their options. docs/command.md is generated from here.

Exit status: 0 done, 1 the answer is no, 2 wrong use, 3 AWS or the network failed.
"""

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from .. import __version__
from ..mail.envelope import BadEvent
from . import explain as explaining
from .tables_file import BadTablesFile

WRONG_USE = 2

app = typer.Typer(name="postern", no_args_is_help=True, add_completion=False, rich_markup_mode=None)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"postern {__version__}")
        raise typer.Exit


@app.callback()
def postern(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Postern, the back gate of a mail domain."""


@app.command()
def explain(
    event: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="SES's Lambda event, as JSON.")],
    tables: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A tables file, as TOML.")],
    message: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The message, to see how its header changes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Print what would become of a message, and why. Nothing is sent and AWS is not asked.

    Exit status 0 when the plan was printed, whatever it is; 2 for a file that cannot be read.
    """
    try:
        explained = explaining.explain(event, message, tables)
    except (BadEvent, BadTablesFile, OSError) as fault:
        _wrong_use(str(fault))
    except (ValueError, RecursionError) as fault:
        _wrong_use(f"{event}: {fault}")
    if as_json:
        typer.echo(json.dumps(explained))
    else:
        for line in explaining.lines(explained):
            Console(soft_wrap=True, highlight=False, markup=False).print(line)


def _wrong_use(fault: str) -> NoReturn:
    typer.echo(f"postern: {fault}", err=True)
    raise typer.Exit(WRONG_USE)


def run() -> None:
    """Entry point of the `postern` script."""
    app()
