"""A person with a browser, from the tests' side."""

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.builders import ROOT
from tests.required import without

PYTHON = ROOT / ".venv-browser" / "bin" / "python"
MOST_TABS = 60  # to anything on a page


class Person:
    """Sees a page, clicks and types; or has a keyboard only."""

    def __init__(self) -> None:
        chromium = shutil.which("chromium") or without("Chromium is not installed: apt-get install chromium")
        if not PYTHON.exists():
            without("no driver for Chromium: make .venv-browser/ready")
        command = [str(PYTHON), str(Path(__file__).with_name("driver.py")), chromium]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()

    def do(self, what: str, **order: object) -> Any:
        """One order; raises AssertionError for what cannot be done."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": what, **order}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"fault": "the browser is gone"}')
        assert "fault" not in answer, answer
        return answer["answer"]

    def click(self, role: str, name: str) -> None:
        """What a reader of screens calls so."""
        self.do("click", role=role, name=name)

    def fill(self, label: str, text: str) -> None:
        """A field with this label."""
        self.do("fill", label=label, text=text)

    @property
    def text(self) -> str:
        """What is seen, blanks as one."""
        return " ".join(self.do("text").split())

    def tab_to(self, name: str, key: str = "Tab") -> None:
        """Tab until the focus is on what has this name, or begins with it."""
        met = []
        for _ in range(MOST_TABS):
            self.do("press", key=key)
            _, field, label = self.do("focused")
            met.append(label or field)
            if name in (field, label) or label.startswith(name):
                return
        raise AssertionError(f"no {name!r} among {met}")

    def enter(self, name: str) -> None:
        """Tab to it and press Enter."""
        self.tab_to(name)
        self.do("enter")

    def write(self, name: str, text: str) -> None:
        """Tab to a field and type."""
        self.tab_to(name)
        self.do("type", text=text)
