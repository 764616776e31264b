"""The results of examinations, for people and for programs."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from postern_mail.examination import Examined, Finding, Grade

from ..status import what_to_do
from .paragraphs import paragraphs

_STYLES = {Grade.FAILED: "red", Grade.NO_ANSWER: "red", Grade.WARNING: "yellow", Grade.NOT_CHECKED: "dim"}
_WIDE = max(map(len, Grade))
GOOD = (Grade.OK, Grade.NOT_CHECKED)


def as_object(one: Examined) -> dict[str, Any]:
    """One examination, for --json."""
    found = [{"seen": each.text, "todo": _todo(each), "state": each.grade} for each in one.findings]
    return {"group": one.group, "check": one.name, "state": one.grade, "found": found}


def _todo(one: Finding) -> str:
    return one.todo or (what_to_do(one.text) if one.grade is Grade.NO_ANSWER else "")


def show(examined: Iterable[Examined], *, whole: bool) -> None:
    """Print examinations in groups; the details of all if `whole`, else only of those that are not OK."""
    say = paragraphs()
    for group, members in groupby(examined, lambda one: one.group):
        listed = list(members)
        say(group, 0, None)
        shown = [one for one in listed if whole or one.grade not in GOOD]
        for grade in GOOD:
            if names := ", ".join(one.name for one in listed if one.grade is grade and one not in shown):
                say(f"{grade:{_WIDE}}  {names}", 2, _STYLES.get(grade))
        for one in shown:
            say(f"{one.grade:{_WIDE}}  {one.name}", 2, _STYLES.get(one.grade))
            for each in one.findings:
                say(each.text, 4 + _WIDE, None)
                if todo := _todo(each):
                    say(f"-> {todo}", 4 + _WIDE, None)
