from collections.abc import Iterator

import pytest
from postern_command.tables.file import TablesFile

from emulator.function import ROOT
from emulator.receiving.name_server import NameServer
from emulator.receiving.zone import Zone
from emulator.system import Emulator


@pytest.fixture(scope="session")
def dns() -> Iterator[NameServer]:
    """The DNS that screening asks."""
    with NameServer(Zone()) as double:
        yield double


@pytest.fixture(scope="session")
def running(dns: NameServer) -> Iterator[Emulator]:
    """The whole system, started once; retries come at once."""
    made = Emulator("example.com", retry_delays=(0.05, 0.05), parameters={"Links": "true", "AliasApi": "true"})
    made.nameserver = dns.address
    with made as emulator:
        emulator.sending.account.off = ("bounce-rate",)  # two tests are two mail servers' worth of mail in one second
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    """The running system with its usual tables, empty queues and no one suspended."""
    running.load(TablesFile.load(ROOT / "emulator" / "tables.toml"))
    for queue in ("RetryQueue", "FailureQueue"):
        running.cloud.messages(queue)
    health = running.cloud.rows("DestinationTable")
    running.cloud.delete("DestinationTable", ({"address": row["address"]} for row in health))
    counted = [
        row
        for row in running.cloud.rows("LedgerTable")
        if row["message_id"].startswith(("answers:", "#relay", "returned", "#contacts", "#sent", "repli"))
    ]
    running.cloud.delete("LedgerTable", ({name: row[name] for name in ("message_id", "entry")} for row in counted))
    running.sending.fates.clear()
    running.bus.published.clear()
    return running
