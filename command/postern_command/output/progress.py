"""The progress of a long wait, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from postern_mail.mail.visible import visible


@contextmanager
def progress() -> Iterator[Callable[[str, str], None]]:
    """A function that takes the progress and a note that changes each time. On a terminal it redraws one line; else it
    prints a line whenever the progress changes."""
    from rich.console import Console  # noqa: PLC0415 (it takes its time, and the help needs none)

    console, said = Console(stderr=True, highlight=False, markup=False), ""
    if console.is_terminal:
        with console.status("") as status:
            yield lambda far, more: status.update(visible(f"{far}; {more}"))
        return

    def line(far: str, _: str) -> None:
        nonlocal said
        if far != said:
            typer.echo(visible(far), err=True)
        said = far

    yield line
