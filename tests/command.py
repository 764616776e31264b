"""The command run in the tests' own process: a traceback is raised there."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import typer.testing
from postern_command.main import app
from typer.testing import CliRunner

# Else all commands are built at each call: a fifth of the time.
vars(typer.testing)["_get_command"] = cache(typer.main.get_command)


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


def run(*arguments: object, stdin: str = "", **environment: str) -> Done:
    """Run `postern` with these arguments and this input, in an environment with these variables more."""
    done = CliRunner().invoke(app, list(map(str, arguments)), input=stdin, catch_exceptions=False, env=environment)
    return Done(done.exit_code, done.stdout, done.stderr)
