"""`postern stats`: how much mail came in, and what happened to it."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .figures import ALL, By, Figures, Line, figures, shortened
from .options import JsonOption, StackOption
from .output.bars import bars
from .output.svg import svg
from .output.terminal import parts_printer
from .stack import Stack
from .status import exits

MOST_DAYS = 400  # daily totals are kept that long


def stats(
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="The number of days, including today.")] = 30,
    by: Annotated[By, typer.Option(help="What each line counts.")] = By.DAY,
    limit: Annotated[
        int, typer.Option(min=1, help="Show this many lines, and one for the rest; days are all shown.")
    ] = 20,
    picture: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", dir_okay=False, help="Write a picture to this file.")
    ] = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how much mail came in, and what happened to it.

    Each recipient of a message counts once, on the day the message came in (UTC). The hourly watch adds up each day
    when it is over, and again on the next three days; today is read from the ledger. In a bar, `rejected` includes
    discarded mail, and `lost` includes what failed or is ambiguous. `--by screening` counts messages that DNS lists,
    restrictions or greylisting caught, and recipients that header rules matched. With --json, one object per line,
    all lines, with the count of each outcome.
    """
    with exits():
        found = figures(Stack.find(stack).summaries, by, days)
        if picture is not None:
            picture.write_text(svg(shortened(found, limit)), encoding="utf-8")
    if as_json:
        for one in found.lines:
            typer.echo(json.dumps(as_object(found, one)))
    elif picture is None:
        _print(shortened(found, limit))
    if found.partial:
        typer.echo("there was more mail than this command reads; these figures are too low", err=True)


def as_object(found: Figures, line: Line) -> dict[str, Any]:
    """A line for --json."""
    made: dict[str, Any] = {str(found.by): line.label, "total": line.total}
    if ALL not in line.counts:
        made["counts"] = dict(line.counts)
    if found.by is By.ALIAS:
        made["last_used"] = line.last_used or None
    return made


def _print(found: Figures) -> None:
    if not any(one.total for one in found.lines):
        typer.echo(f"{'no mail' if found.by is not By.SCREENING else 'nothing was screened'} in these days", err=True)
        return
    say, width = parts_printer()
    plain = "utf" not in (sys.stdout.encoding or "").lower()
    for line in bars(found, width, plain=plain):
        say([(one.text, one.style) for one in line])
