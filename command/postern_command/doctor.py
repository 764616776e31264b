"""`postern doctor`: everything that needs attention, and what to do about it."""

import json
from collections.abc import Iterable
from typing import Annotated

import typer
from postern_mail.examination import Examined, Grade

from .options import JsonOption, StackOption
from .output.examined import GOOD, as_object, show
from .output.paragraphs import paragraphs
from .stack import Stack
from .status import AWS_FAILED, NO, exits


def doctor(
    stack: StackOption = None,
    whole: Annotated[bool, typer.Option("--all", help="Show the details of healthy checks too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check for anything that needs attention.

    Exit status 0 if all is well or there are only warnings, 1 if a check failed, 3 if AWS did not answer for one of
    them; the others are still shown. With --json, one object per line: group, check, state, found (seen, todo, state).
    """
    with exits():
        where = Stack.find(stack)
        from .examinations import examined as all_of  # noqa: PLC0415 (they are many, and the help needs none)

        examined = list(all_of(where))
    if as_json:
        for one in examined:
            typer.echo(json.dumps(as_object(one)))
    else:
        show(examined, whole=whole)
        paragraphs()(_sum(examined), 0, None)
    grades = {one.grade for one in examined}
    if Grade.NO_ANSWER in grades:
        raise typer.Exit(AWS_FAILED)
    if Grade.FAILED in grades:
        raise typer.Exit(NO)


def _sum(examined: Iterable[Examined]) -> str:
    """The last line: how many checks got each grade."""
    counts = {grade: sum(one.grade is grade for one in examined) for grade in Grade}
    if not any(counts[grade] for grade in Grade if grade not in GOOD):
        return f"All is well: {counts[Grade.OK]} checks passed."
    return ", ".join(f"{number} {grade}" for grade, number in counts.items() if number) + "."
