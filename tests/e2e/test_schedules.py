"""The scheduled functions as Lambda runs them, on the template's own variables."""

import json
import time
from typing import Any

import pytest
from postern.aws import watchbook

from emulator.system import Emulator


def counted(emulator: Emulator, before: int) -> dict[str, float]:
    """The metrics in the log since then, by name."""
    found: dict[str, float] = {}
    for line in emulator.function_log.read_bytes()[before:].decode().splitlines():
        if line.startswith("{") and "_aws" in line:
            metrics: dict[str, Any] = json.loads(line)
            found |= {name: value[0] for name, value in metrics.items() if isinstance(value, list)}
    return found


@pytest.fixture
def quiet(emulator: Emulator) -> Emulator:
    """A stack of which the check remembers nothing, and with no open message."""
    rows = [row for row in emulator.cloud.rows("LedgerTable") if "open" in row or row["message_id"].startswith("#")]
    emulator.cloud.delete("LedgerTable", ({"message_id": row["message_id"], "entry": row["entry"]} for row in rows))
    return emulator


def test_the_check_counts_what_it_finds(quiet: Emulator) -> None:
    before = len(quiet.function_log.read_bytes())
    assert quiet.run_scheduled("ReconcileFunction") is None
    assert counted(quiet, before) == {"OpenTooLong": 0, "NeverSeen": 0}
    old = int(time.time()) - 48 * 3600
    quiet.cloud.put("LedgerTable", [{"message_id": "stuck", "entry": "message", "opened_at": old, "open": "open"}])
    quiet.cloud.put("LedgerTable", [{"message_id": watchbook.PARTITION, "entry": "unseen:lost", "stored_at": old}])
    before = len(quiet.function_log.read_bytes())
    assert quiet.run_scheduled("ReconcileFunction") is None
    assert counted(quiet, before) == {"OpenTooLong": 1, "NeverSeen": 1}
    assert '"never_seen":["lost"]' in quiet.function_log.read_bytes()[before:].decode()
