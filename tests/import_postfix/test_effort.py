"""Twice the lines are twice the work: counted in steps, as clocks depend on the machine."""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from .box import imported

LINES = 100  # and twice as many


def aliases(count: int) -> dict[str, Any]:
    lines = [f"name{n}: name{n - 1}" if n % 7 == 3 else f"name{n}: jane{n}@dest.example, bob" for n in range(count)]
    return {"aliases": "\n".join(lines)}


def virtual(count: int) -> dict[str, Any]:
    lines = [f"v{n}@example.com jane@dest{n}.example, v{n - 1}@example.com" for n in range(0, count, 2)]
    named = [f"w{n}@example.com w{n}@localhost" for n in range(count)]
    return {
        "virtual": "\n".join([*lines, *named]),
        "aliases": "\n".join(f"w{n}: x{n}@dest.example" for n in range(count)),
    }


def senders(count: int) -> dict[str, Any]:
    return {"access": "\n".join(f"spam{n}.example REJECT" for n in range(count))}


@pytest.mark.parametrize("made", [aliases, virtual, senders])
def test_the_work_grows_with_the_lines(made: Any, tmp_path: Path) -> None:
    imported(tmp_path, **made(10))  # what is loaded once
    once, twice = steps(tmp_path, made(LINES)), steps(tmp_path, made(2 * LINES))
    assert twice < 2.1 * once


def steps(folder: Path, tables: dict[str, Any]) -> int:
    """How many lines of Python the import runs; each turn of a loop is one."""
    count = 0

    def seen(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return seen

    before = sys.gettrace()
    sys.settrace(seen)
    try:
        imported(folder, **tables)
    finally:
        sys.settrace(before)
    return count
