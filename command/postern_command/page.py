"""`postern page`: the commands as web pages, for a browser on this machine."""

import time
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from .options import StackOption
from .stack import Stack
from .status import exits, usage_error
from .tables.file import TablesFile


def page(
    file: Annotated[
        Path | None,
        typer.Option("--file", exists=True, dir_okay=False, help="Edit this tables file, not the live tables."),
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Show and accept no actions.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="End after this long without a request.")] = 60,
    stack: StackOption = None,
) -> None:
    """Serve web pages to this machine's browser: mail, quarantine, aliases, rules, destinations, domains, doctor.

    It listens on a random port of 127.0.0.1 and ::1, and does what the commands do, with the same permissions. The
    address that it prints works once. Ctrl-C ends it. It needs the extra `page`: in the clone, run
    python3 -m pip install '.[page]'.
    """
    try:
        from .pages.server import begin, serve  # noqa: PLC0415 (the extra)
    except ModuleNotFoundError as missing:
        usage_error(f"the page needs {missing.name}: in the clone, python3 -m pip install '.[page]'")
    from .pages.desk import Desk  # noqa: PLC0415

    with exits():
        found = Stack.find(stack)
        if file is not None:
            TablesFile.load(file)
        begun = begin(Desk(found, stack, file, read_only), time.monotonic)

    def ready() -> None:
        typer.echo(f"{begun.address}\nThe address works once. Ctrl-C ends the page.")
        if browser:
            webbrowser.open(begun.address)

    ended_idle = serve(begun, ready, minutes * 60)
    typer.echo(f"ended: no request for {minutes} minutes" if ended_idle else "ended")
