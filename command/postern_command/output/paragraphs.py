"""Sentences wrapped at the width of the terminal, and indented."""

from collections.abc import Callable

import typer
from postern_mail.mail.visible import visible


def paragraphs() -> Callable[[str, int, str | None], None]:
    """A function that prints a text with an indent, in a style; in one line if the output is not a terminal."""
    from rich.console import Console  # noqa: PLC0415 (it takes its time, and the help needs none)
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False, markup=False)

    def wrapped(text: str, indent: int, style: str | None = None) -> None:
        console.print(Padding(Text(visible(text), style or ""), (0, 0, 0, indent)))

    def plain(text: str, indent: int, _: str | None = None) -> None:
        typer.echo(f"{'':{indent}}{visible(text)}")

    return wrapped if console.is_terminal else plain
