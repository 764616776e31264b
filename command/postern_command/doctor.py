"""`postern doctor`: everything that needs somebody, in one place, with what to do about it."""

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Annotated, Any

import typer
from postern_mail.examination import Examined, Grade
from postern_mail.mail.visible import visible

from .options import JsonOption, StackOption
from .stack import Stack
from .status import AWS_FAILED, NO, exits

_STYLES = {Grade.FAILED: "red", Grade.NO_ANSWER: "red", Grade.WARNING: "yellow", Grade.NOT_CHECKED: "dim"}
_WIDE = max(map(len, Grade))
_GOOD = (Grade.OK, Grade.NOT_CHECKED)


def doctor(
    stack: StackOption = None,
    whole: Annotated[bool, typer.Option("--all", help="Say what was seen also where all is well.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Look for everything that needs somebody.

    Exit status 0 if all is well or there are warnings only, 1 if something failed, 3 if AWS did not answer for a part
    of it; the others are shown all the same. With --json one object a line: group, check, state, found (seen, todo,
    state).
    """
    with exits():
        where = Stack.find(stack)
        from .examinations import EXAMINATIONS  # noqa: PLC0415 (they are many, and the help needs none)

        examined = [one.run(where, where.get) for one in EXAMINATIONS]
    if as_json:
        for one in examined:
            typer.echo(json.dumps(_object(one)))
    else:
        _show(examined, whole)
    grades = {one.grade for one in examined}
    if Grade.NO_ANSWER in grades:
        raise typer.Exit(AWS_FAILED)
    if Grade.FAILED in grades:
        raise typer.Exit(NO)


def _object(one: Examined) -> dict[str, Any]:
    found = [{"seen": each.text, "todo": each.todo, "state": each.grade} for each in one.findings]
    return {"group": one.group, "check": one.name, "state": one.grade, "found": found}


def _show(examined: list[Examined], whole: bool) -> None:
    from rich.console import Console  # noqa: PLC0415 (it takes its time, and the help needs none)
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False, markup=False)

    def say(text: str, indent: int, style: str | None = None) -> None:
        if console.is_terminal:
            console.print(Padding(Text(visible(text), style or ""), (0, 0, 0, indent)))
        else:
            typer.echo(f"{'':{indent}}{visible(text)}")

    for group, members in groupby(examined, lambda one: one.group):
        listed = list(members)
        say(group, 0)
        shown = [one for one in listed if whole or one.grade not in _GOOD]
        for grade in _GOOD:
            if names := ", ".join(one.name for one in listed if one.grade is grade and one not in shown):
                say(f"{grade:{_WIDE}}  {names}", 2, _STYLES.get(grade))
        for one in shown:
            say(f"{one.grade:{_WIDE}}  {one.name}", 2, _STYLES.get(one.grade))
            for each in one.findings:
                say(each.text, 4 + _WIDE)
                if each.todo:
                    say(f"-> {each.todo}", 4 + _WIDE)
    say(_sum(examined), 0)


def _sum(examined: Iterable[Examined]) -> str:
    """The last line: how many of each."""
    counts = {grade: sum(one.grade is grade for one in examined) for grade in Grade}
    if not any(counts[grade] for grade in Grade if grade not in _GOOD):
        return f"All is well: {counts[Grade.OK]} things were looked at."
    return ", ".join(f"{number} {grade}" for grade, number in counts.items() if number) + "."
