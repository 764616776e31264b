"""The command run in the tests' own process: a traceback is raised there."""

import json
from dataclasses import dataclass
from typing import Any

from postern_command.main import app
from typer.testing import CliRunner


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def objects(self) -> list[Any]:
        """What it printed, as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments: object, **environment: str) -> Done:
    """Run `postern` with these arguments, in an environment with these variables more."""
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False, env=environment)
    return Done(done.exit_code, done.stdout, done.stderr)
