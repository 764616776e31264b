"""The commands by name; each is in the module of its name. docs/command.md is generated from here.

Exit status: 0 done, 1 the answer is no, 2 wrong use, 3 AWS or the network failed.
"""

from typing import Annotated

import typer
from postern_mail import __version__

from . import alias, destination, import_postfix, quarantine, sender, settings
from .apply import apply
from .doctor import doctor
from .explain import explain
from .export import export
from .help import Grouped, give_examples
from .log import log
from .original import original
from .plan import plan
from .redrive import redrive
from .replay import replay
from .resolve import resolve
from .rewrite import rewrite
from .screen import screen
from .stack import Where
from .trace import trace

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
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    region: Annotated[
        str | None, typer.Option(help="The AWS region; else samconfig.toml's, or as the AWS command finds it.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="The profile of AWS; else samconfig.toml's, or as the AWS command finds it.")
    ] = None,
) -> None:
    """Postern, the back gate of a mail domain."""
    Where.typed = Where(region, profile)


for command in (resolve, screen, explain, rewrite, original, plan, apply, export, log, trace, replay, redrive, doctor):
    app.command()(command)
for group, name in (
    (import_postfix, "import"),
    (quarantine, "quarantine"),
    (alias, "alias"),
    (sender, "sender"),
    (destination, "destination"),
    (settings, "settings"),
):
    app.add_typer(group.app, name=name)
give_examples(app)


def run() -> None:
    """Entry point of the `postern` script."""
    app()
