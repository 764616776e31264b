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
    tables: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A tables file, as TOML.")],
    smtp: Annotated[int, typer.Option(help="Port for SMTP.")] = standing.PORTS.smtp,
    aws: Annotated[int, typer.Option(help="Port that stands for AWS.")] = standing.PORTS.aws,
    ses: Annotated[int, typer.Option(help="Port that stands for SES sending.")] = standing.PORTS.ses,
    submission: Annotated[int, typer.Option(help="Port of SES's SMTP service.")] = standing.PORTS.submission,
    folder: Annotated[Path, typer.Option(file_okay=False, help="For Maildirs and the log.")] = FOLDER,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Serve `postern page` as well.")] = True,
) -> None:
    """Run the whole system until Ctrl-C."""
    raise typer.Exit(standing.run(tables, folder, Ports(smtp, aws, ses, submission), page=page))


@app.command()
def demo() -> None:
    """Send real messages through the whole system and judge what arrives."""
    raise typer.Exit(demonstration.run(FOLDER / "demo"))


if __name__ == "__main__":
    app()
