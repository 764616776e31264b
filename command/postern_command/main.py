"""`postern` itself; help.py lists its commands. docs/command.md is generated from here.

Exit status: 0 done, 1 the answer is no, 2 usage error, 3 AWS or the network failed.
"""

from typing import Annotated

import typer
from postern_mail import __version__

from .help import Grouped
from .where import Where

app = typer.Typer(
    name="postern",
    cls=Grouped,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"postern {__version__}")
        raise typer.Exit


@app.callback()
def postern(
    version: Annotated[  # noqa: ARG001 (its callback prints it)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    region: Annotated[str | None, typer.Option(help="The AWS region; else samconfig.toml's, or the AWS CLI's.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="The AWS profile; else samconfig.toml's, or the AWS CLI's.")
    ] = None,
) -> None:
    """Postern, the back gate of a mail domain."""
    Where.typed = Where(region, profile)


def run() -> None:
    """Entry point of the `postern` script."""
    app()
