from collections.abc import Iterator

import pytest
from postern.cli.tables_file import TablesFile

from emulator.function import ROOT
from emulator.system import Emulator


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    """The whole system, started once; retries come at once."""
    with Emulator("example.com", retry_delays=(0.05, 0.05)) as emulator:
        emulator.sending.account.off = ("bounce-rate",)  # two tests are two mail servers' worth of mail in one second
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    """The running system with its usual tables and empty queues."""
    running.load(TablesFile.load(ROOT / "emulator" / "tables.toml"))
    running.cloud.messages("RetryQueue")
    return running
