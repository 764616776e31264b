"""How far something is that takes its time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from postern_mail.mail.visible import visible


@contextmanager
def progress() -> Iterator[Callable[[str, str], None]]:
    """Takes how far it is, and what changes each time: one line that is written again on a terminal, else a line only
    where the first of both is another. Standard output is left alone."""
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
