"""Screening through the whole system: who is listed is kept, and who is held is forwarded or kept by what is known then."""

import time
from email import message_from_bytes
from pathlib import Path

import pytest
from postern_mail.mail.dns_lists import KEYED

from emulator.receiving.name_server import NameServer
from emulator.system import Emulator
from tests.command import run as postern
from tests.e2e.test_system import JANE, Post, message

COP, CLIENT = "bl.spamcop.net", "1.0.0.127"
INFO, STRANGER = "info@example.com", "x@stranger.example"
SECONDS = 20  # a guard, not a measure


@pytest.fixture
def post(emulator: Emulator, dns: NameServer) -> Post:
    dns.records.clear()
    dns.faults.clear()
    dns.asked.clear()
    old = [row for row in emulator.cloud.rows("LedgerTable") if str(row["message_id"]).startswith(("#grey", "#lists"))]
    emulator.cloud.delete("LedgerTable", ({name: row[name] for name in ("message_id", "entry")} for row in old))
    return Post(emulator)


def settings(post: Post, **values: object) -> None:
    post.emulator.cloud.put("AliasTable", [{"address": "#settings", **values}])


def state(post: Post, message_id: str) -> str:
    return str(post.ledger(message_id)[f"to:{INFO}"]["state"])


def woken(post: Post) -> None:
    """Wait for the queue to bring back what is held."""
    deadline = time.monotonic() + SECONDS
    while not (done := post.emulator.retries.consume()):
        assert time.monotonic() < deadline, "nothing was woken"
        time.sleep(0.1)
    assert done == [None]


def test_with_screening_off_no_one_is_asked(post: Post, dns: NameServer) -> None:
    post.send(INFO, sender=STRANGER)
    assert (post.arrived(), dns.asked) == ({JANE: 1}, [])
    assert b"X-Postern-Listed" not in post.last()


def test_who_is_listed_is_kept_and_released_by_a_person(post: Post, dns: NameServer) -> None:
    dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"]
    settings(post, dnsbl_sites=COP)
    message_id = post.send(INFO)
    assert (state(post, message_id), post.arrived()) == ("quarantined", {})
    assert post.ledger(message_id)["message"]["screened"]["listed"] == [COP]
    assert postern("quarantine", "release", message_id, **post.emulator.environment).status == 0
    assert post.emulator.retries.consume() == [None]
    assert post.arrived() == {JANE: 1}


def test_what_is_held_is_forwarded_when_its_time_has_come(post: Post) -> None:
    settings(post, greylist=True, greylist_delay=1, verdict_fields=True)
    message_id = post.send(INFO, sender=STRANGER, raw=message(header=b"X-Postern-SPF: PASS\r\n"))
    assert (state(post, message_id), post.arrived()) == ("deferred", {})
    woken(post)
    assert (state(post, message_id), post.arrived()) == ("forwarded", {JANE: 1})
    assert message_from_bytes(post.last()).get_all("X-Postern-SPF") == ["GRAY"]
    assert post.emulator.cloud.messages("RetryQueue") == []
    assert post.emulator.cloud.messages("FailureQueue") == []
    again = post.send(INFO, sender=STRANGER)
    assert state(post, again) == "forwarded", "such mail came before"


def test_what_is_held_is_kept_if_a_list_knows_by_then(post: Post, dns: NameServer) -> None:
    settings(post, greylist=True, greylist_delay=1, dnsbl_sites=COP)
    message_id = post.send(INFO, sender=STRANGER)
    assert state(post, message_id) == "deferred"
    dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"]
    woken(post)
    assert (state(post, message_id), post.arrived()) == ("quarantined", {})


def test_the_watch_wakes_what_nothing_woke(post: Post) -> None:
    settings(post, greylist=True, greylist_delay=1)
    message_id = post.send(INFO, sender=STRANGER)
    woken_by = post.emulator.cloud.sqs.purge_queue
    woken_by(QueueUrl=post.emulator.environment["POSTERN_RETRY_QUEUE"])
    assert post.emulator.run_scheduled("WatchFunction", ahead=2000) is None
    for _ in range(3):  # woken within the second that it is held for, it waits for the rest of it
        woken(post)
        if state(post, message_id) != "deferred":
            break
    assert (state(post, message_id), post.arrived()) == ("forwarded", {JANE: 1})


def test_spamhaus_with_the_owners_key_which_no_one_reads(post: Post, dns: NameServer) -> None:
    key, zone = "abcdef0123456789", "zen.dq.spamhaus.net"
    environment = post.emulator.environment
    dns.records[f"{CLIENT}.{key}.{zone}", "A"] = ["127.0.0.4"]
    settings(post, dnsbl_sites="zen.spamhaus.org")
    assert state(post, post.send(INFO)) == "forwarded", "without a key it is off"
    said = postern("doctor", "--all", **environment).out
    assert f"zen.dq.spamhaus.net not asked: {KEYED}" in said
    assert f"  not asked: {zone}: {KEYED}" in postern("screen", STRANGER, **environment).out
    assert postern("settings", "set", "dqs_key", key, **environment).status == 2, "others can read a command line"
    assert postern("settings", "set", "dqs_key", "-", stdin="no key\n", **environment).status == 1
    done = postern("settings", "set", "dqs_key", "-", stdin=f"{key}\n", **environment)
    assert (done.status, done.out) == (0, "dqs_key is set\n")
    message_id = post.send(INFO)
    assert state(post, message_id) == "quarantined"
    assert post.emulator.run_scheduled("WatchFunction") is None
    logged = post.emulator.function_log.read_text()
    shown = postern("quarantine", "show", message_id, **environment).out + postern("doctor", "--all", **environment).out
    assert f"{zone} does not count" in shown, "127.0.0.1, which nothing may list, is the client here"
    named = {**environment, "POSTERN_NAMESERVER": dns.address}
    screened = postern(
        "screen", STRANGER, "--client", f"mx.x.example[{'.'.join(CLIENT.split('.')[::-1])}]", **named
    ).out
    assert f"{zone} (the client, 127.0.0.4)" in screened or f"does not count now: {zone}" in screened
    assert KEYED not in screened
    for text in (logged, screened, shown, str(post.ledger(message_id)), postern("settings", "list", **environment).out):
        assert key not in text
    assert "not asked" not in shown
    assert postern("settings", "unset", "dqs_key", **environment).status == 0


def test_a_list_that_lapsed_is_found_by_the_watch_and_told(post: Post, dns: NameServer) -> None:
    dns.records[f"*.{COP}", "A"] = ["127.0.0.2"]
    settings(post, dnsbl_sites=COP)
    assert state(post, post.send(INFO)) == "quarantined"
    assert post.emulator.run_scheduled("WatchFunction") is None
    assert state(post, post.send(INFO)) == "forwarded"
    said = postern("doctor", "--all", **post.emulator.environment).out
    assert f"{COP} does not count: it lists its own entry that nothing may list" in said


def test_postgreys_own_file_of_clients(post: Post, tmp_path: Path) -> None:
    environment, file = post.emulator.environment, tmp_path / "whitelist_clients"
    settings(post, greylist=True, greylist_delay=1)
    file.write_text("# Postgrey's\n/(/\n")
    refused = postern("settings", "whitelist", "clients", str(file), **environment)
    assert (refused.status, "line 2" in refused.err) == (1, True)
    file.write_text("# Postgrey's own\nexample.net\n\n127.0.0.0/8  # this machine\n")
    assert (
        postern("settings", "whitelist", "clients", str(file), **environment).out == "2 lines of clients are loaded\n"
    )
    assert state(post, post.send(INFO, sender=STRANGER)) == "forwarded"
    file.write_text("")
    assert postern("settings", "whitelist", "clients", str(file), **environment).status == 0
    assert state(post, post.send(INFO, sender=STRANGER)) == "deferred"


def test_a_header_rule_that_is_added_holds_for_the_next_message(post: Post) -> None:
    settings(post)
    environment = post.emulator.environment
    try:
        assert (
            postern("rule", "add", 10, "HOLD look", "--from", "equals Betsy@sender.example", **environment).status == 0
        )
        assert postern("rule", "add", 20, "TAG [seen]", "--smaller-than", 10_000_000, **environment).status == 0
        message_id = post.send(INFO, sender=STRANGER)
        assert (state(post, message_id), post.arrived()) == ("quarantined", {})
        assert "header rule 010: HOLD look" in str(post.ledger(message_id)[f"to:{INFO}"]["reason"])
        assert postern("rule", "remove", 10, **environment).status == 0
        post.send(INFO, sender=STRANGER)
        assert post.arrived() == {JANE: 1}
        assert b"\r\nSubject: [seen]\r\n" in post.last()
    finally:
        for number in (10, 20):
            postern("rule", "remove", number, **environment)
