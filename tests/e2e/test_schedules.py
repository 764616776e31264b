"""The scheduled functions as Lambda runs them, on the template's own variables."""

import json
import quopri
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from postern_mail.aws.daily_test import PARTITION as DAILY_TESTS
from postern_mail.aws.forward.ledger import HOSTS
from postern_mail.aws.watch import state

from emulator.account import REGION
from emulator.receiving.name_server import NameServer
from emulator.system import OWNER, Emulator

FORGOTTEN = (state.PARTITION, HOSTS, DAILY_TESTS)


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
    rows = [row for row in emulator.cloud.rows("LedgerTable") if "open" in row or row["message_id"] in FORGOTTEN]
    emulator.cloud.delete("LedgerTable", ({"message_id": row["message_id"], "entry": row["entry"]} for row in rows))
    return emulator


def test_the_check_counts_what_it_finds(quiet: Emulator) -> None:
    before = len(quiet.function_log.read_bytes())
    assert quiet.run_scheduled("WatchFunction") is None
    assert counted(quiet, before) == {"NeedsSomebody": 0}
    old = int(time.time()) - 48 * 3600
    quiet.cloud.put("LedgerTable", [{"message_id": "stuck", "entry": "message", "opened_at": old, "open": "open"}])
    quiet.cloud.put("LedgerTable", [{"message_id": state.PARTITION, "entry": "unseen:lost", "stored_at": old}])
    before = len(quiet.function_log.read_bytes())
    assert quiet.run_scheduled("WatchFunction") is None
    assert counted(quiet, before) == {"NeedsSomebody": 2}
    ((said, text),) = quiet.cloud.heard()
    assert said == "Mail of example.com: 2 things to look at"
    assert "What to do: `postern trace stuck --stack postern-local` says what waits" in text
    assert "lost, stored" in text
    assert quiet.run_scheduled("WatchFunction") is None
    assert quiet.cloud.heard() == [], "told once"
    quiet.cloud.delete("LedgerTable", [{"message_id": "stuck", "entry": "message"}])
    assert quiet.run_scheduled("WatchFunction") is None
    ((said, text),) = quiet.cloud.heard()
    assert said == "Mail of example.com: 1 thing over"
    assert "RESOLVED, nothing is left to do:\n  - messages open too long: stuck" in text
    assert '"never_seen":["lost"]' in quiet.function_log.read_bytes()[before:].decode()


def test_the_owner_is_told_once_of_yesterday(quiet: Emulator) -> None:
    yesterday = int(time.time()) - 86_400
    day = datetime.fromtimestamp(yesterday, UTC).date().isoformat()
    entry = {"message_id": "kept", "entry": "message", "day": day, "opened_at": yesterday, "source": "a@sender.example"}
    outcome = {"message_id": "kept", "entry": "to:info@example.com", "state": "quarantined", "reason": "spam FAIL"}
    quiet.cloud.put(
        "LedgerTable", [{**entry, "noted": {"quarantined info@example.com"}, "noted_at": yesterday}, outcome]
    )
    before = len(quiet.maildirs.messages(OWNER))
    for _ in range(2):
        assert quiet.run_scheduled("DigestFunction") is None
    (raw,) = quiet.maildirs.messages(OWNER)[before:]
    assert b'From: "example.com mail gate" <postmaster@example.com>' in raw
    text = quopri.decodestring(raw).decode(errors="replace").replace("\r\n", "\n")
    assert "  From a@sender.example to info@example.com: spam FAIL\n    Send it on:\n" in text
    stack = f"--stack {quiet.template.stack}"
    assert f"      postern quarantine release kept --recipient info@example.com {stack}\n" in text


@pytest.fixture
def public(dns: NameServer) -> Iterator[NameServer]:
    """Public DNS, in which SES takes our mail."""
    dns.records["example.com", "MX"] = [f"10 inbound-smtp.{REGION}.amazonaws.com."]
    yield dns
    del dns.records["example.com", "MX"]


@pytest.mark.usefixtures("public")
def test_the_daily_test_goes_out_and_comes_back(quiet: Emulator) -> None:
    """Through SES, the public MX, SES, the rule and the function; no one gets it, and nothing counts it as mail."""
    before, log = sum(1 for _ in quiet.maildirs.folder.rglob("new/*")), len(quiet.function_log.read_bytes())
    assert quiet.run_scheduled("DigestFunction") is None
    quiet.settle()
    (entry,) = [row for row in quiet.cloud.rows("LedgerTable") if row["message_id"] == DAILY_TESTS]
    assert (entry["entry"], entry["stage"], entry["why"]) == ("example.com", "underway", "")
    assert entry["arrived_at"] >= entry["sent_at"]
    assert sum(1 for _ in quiet.maildirs.folder.rglob("new/*")) == before
    assert counted(quiet, log) == {}


def test_where_public_dns_names_someone_else_nothing_is_sent_and_people_hear_why(
    quiet: Emulator, public: NameServer
) -> None:
    public.records["example.com", "MX"] = ["10 mx.elsewhere.example."]
    assert quiet.run_scheduled("DigestFunction") is None
    (entry,) = [row for row in quiet.cloud.rows("LedgerTable") if row["message_id"] == DAILY_TESTS]
    assert (entry["stage"], entry.get("sent_at")) == ("held", 0)
    quiet.cloud.heard()
    assert quiet.run_scheduled("WatchFunction") is None
    (mail,) = quiet.cloud.heard()
    assert "NEW: daily test" in mail[1]
    assert "mx[.]elsewhere[.]example as MX of" in mail[1]
