"""`python -m emulator local` and `python -m emulator demo`."""

from pathlib import Path
from typing import Annotated

import typer

from . import demo as demonstration
from . import local as standing
from .function import ROOT
from .system import Ports

FOLDER = ROOT / ".local"

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command()
def local(  # noqa: PLR0917 (a command's options)
    tables: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The tables file, in TOML.")],
    smtp: Annotated[int, typer.Option(help="Port for incoming SMTP.")] = standing.PORTS.smtp,
    aws: Annotated[int, typer.Option(help="Port for the AWS APIs.")] = standing.PORTS.aws,
    ses: Annotated[int, typer.Option(help="Port for the SES API that sends.")] = standing.PORTS.ses,
    submission: Annotated[int, typer.Option(help="Port for SES's SMTP interface.")] = standing.PORTS.submission,
    folder: Annotated[Path, typer.Option(file_okay=False, help="Folder for Maildirs and logs.")] = FOLDER,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Also serve `postern page`.")] = True,
) -> None:
    """Run the whole system until Ctrl-C."""
    raise typer.Exit(standing.run(tables, folder, Ports(smtp, aws, ses, submission), page=page))


@app.command()
def demo() -> None:
    """Send real messages through the whole system and check what arrives."""
    raise typer.Exit(demonstration.run(FOLDER / "demo"))


if __name__ == "__main__":
    app()
