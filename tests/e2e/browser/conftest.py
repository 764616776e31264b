import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.system import Emulator
from tests.e2e.browser.person import Person


class Served:
    """`postern page` on the running system."""

    def __init__(self, emulator: Emulator, *options: str) -> None:
        environment = {**os.environ, **emulator.environment, "PYTHONUNBUFFERED": "1"}
        command = [str(Path(sys.executable).parent / "postern"), "page", "--no-browser", *options]
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.address = self._process.stdout.readline().strip()

    @property
    def here(self) -> str:
        """Without the path."""
        return self.address.partition("/start")[0]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


@pytest.fixture(scope="session")
def _person() -> Iterator[Person]:
    with Person() as made:
        yield made


@pytest.fixture
def served(emulator: Emulator) -> Iterator[Served]:
    made = Served(emulator)
    yield made
    made.stop()


@pytest.fixture
def person(_person: Person, served: Served) -> Person:
    """One who has opened the address that was printed."""
    _person.do("fresh")
    _person.do("size", width=1280, height=900)
    _person.do("scheme", scheme="light")
    assert _person.do("open", url=served.address) == 200
    return _person
