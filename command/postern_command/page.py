"""`postern page`: the commands for eyes, in a browser on this machine."""

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
    read_only: Annotated[bool, typer.Option("--read-only", help="Show no actions, and take none.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="End after so long without a request.")] = 60,
    stack: StackOption = None,
) -> None:
    """Serve a page for this machine's browser: mail, quarantine, aliases, rules, destinations, domains, doctor.

    It listens on 127.0.0.1 and ::1 at a random port and does what the commands do, with the same rights. The address
    it prints is good once. It ends with Ctrl-C. It needs the extra `page`: in
    the clone, python3 -m pip install '.[page]'.
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
        typer.echo(f"{begun.address}\nThe address is good once. The page ends with Ctrl-C.")
        if browser:
            webbrowser.open(begun.address)

    ended_idle = serve(begun, ready, minutes * 60)
    typer.echo(f"ended: no request for {minutes} minutes" if ended_idle else "ended")
