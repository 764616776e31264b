"""`postern quarantine`: what is shown of a message, what is proposed, what is thrown away, and what is released at once."""

import pytest
from postern_command.output.message_text import MOST_LINES, header_rows, text_lines

from tests.operating.conftest import Office
from tests.operating.test_hostile import HOSTILE, TERMINAL, is_safe
from tests.operating.test_orders import addresses, run_again

INFO = ("info@example.com", "quarantined", "screening: bl.spamcop.net (the client, 127.0.0.2); score 1 of 1")
RAW = (
    b"From: =?utf-8?q?Caf=C3=A9?= <x@cafe.example>\r\nSubject: a\r\n folded one\r\nX-Other: 1\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nHello\r\nfrom \x1b[31m\xe2\x80\xaeus\r\n"
)


def test_show_has_header_verdicts_findings_and_text(office: Office) -> None:
    message_id = office.happened(INFO)
    office.store(message_id, RAW)
    done = office.run("quarantine", "show", message_id)
    assert done.status == 0
    for line in (
        "  From     Caf\u00e9 <x@cafe.example>",
        "  Subject  a folded one",
        "  others   2 fields",
        "  | Hello",
    ):
        assert line in done.out.splitlines(), line
    assert "  | from \\x1b[31m\\u202eus" in done.out
    assert "screening: bl.spamcop.net" in done.out
    assert "SES says" in done.out
    (shown,) = office.run("quarantine", "show", message_id, "--json").objects
    assert shown["header"][0] == ["From", "Caf\u00e9 <x@cafe.example>"]
    assert shown["text"][0] == "Hello"


def test_show_goes_on_without_the_message_and_without_the_ledger(office: Office) -> None:
    message_id = office.happened(INFO)
    assert "the bucket no longer has it" in office.run("quarantine", "show", message_id).out
    office.store("onlystored0000000000000000000000000", RAW)
    assert "Hello" in office.run("quarantine", "show", "onlystored0000000000000000000000000").out
    assert office.run("quarantine", "show", "neverheard0000000000000000000000000").status == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_of_a_message_acts(office: Office, text: str) -> None:
    message_id = office.happened(INFO, source=f"{text}@evil.example")
    name = text.replace("\n", "").replace("\r", "")
    raw = f"From: {name} <a@x.example>\r\n{name}: x\r\nSubject: {name}\r\n\r\n{text}\r\n".encode()
    office.store(message_id, raw)
    for command in (("show", message_id), ("show", message_id, "--wide"), ("learn", message_id)):
        done = office.run("quarantine", *command, **TERMINAL)
        assert is_safe(done.out), command
        assert is_safe(done.err), command


def test_learn_proposes_and_writes_nothing(office: Office) -> None:
    message_id = office.happened(INFO, source="Be'tsy@Sender.example")
    done = office.run("quarantine", "learn", message_id)
    assert "  postern sender add 'be'\"'\"'tsy@sender.example' OK --scope info@example.com\n" in done.out
    assert "anyone can forge this sender" in done.out
    assert [one["command"] for one in office.run("quarantine", "learn", message_id, "--json").objects][-1] == (
        "postern sender add sender.example REJECT"
    )
    assert office.cloud.rows("SenderTable") == []
    assert office.run("quarantine", "learn", office.happened(INFO, source="<>")).status == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("The list <News.list.example>", "postern rule add 30 REJECT --list-id 'equals News.list.example'"),
        ("news.list.example", "postern rule add 30 REJECT --list-id 'equals news.list.example'"),
        ("<a b>", None),
        ("x\x1b[2J", None),
    ],
)
def test_learn_proposes_a_header_rule_for_a_list(office: Office, said: str, expected: str | None) -> None:
    office.cloud.put("AliasTable", [{"address": "#settings", "header_rules": "7, 20"}])
    try:
        message_id = office.happened(INFO, source="<>")
        office.store(message_id, f"From: a@b.example\r\nList-Id: {said}\r\n\r\nhi\r\n".encode())
        done = office.run("quarantine", "learn", message_id, "--json")
        assert [one["command"] for one in done.objects] == ([] if expected is None else [expected])
        assert done.status == (expected is None)
    finally:
        office.cloud.delete("AliasTable", [{"address": "#settings"}])


def test_delete_takes_the_message_away_and_says_who(office: Office) -> None:
    message_id = office.happened(INFO)
    office.store(message_id)
    assert office.run("quarantine", "delete", message_id, "--dry-run").out.endswith(
        "would be deleted for info@example.com\n"
    )
    assert office.entries(message_id)["to:info@example.com"]["state"] == "quarantined"
    assert office.run("quarantine", "delete", message_id).status == 0
    entries = office.entries(message_id)
    assert entries["to:info@example.com"]["state"] == "discarded"
    assert str(entries["to:info@example.com"]["reason"]).startswith("deleted by ")
    assert "noted" not in entries["message"]
    assert office.run("original", message_id).status == 1
    assert office.run("quarantine", "release", message_id).status == 1


def test_what_someone_may_still_get_is_not_deleted(office: Office) -> None:
    message_id = office.happened(INFO, ("late@example.com", "deferred", "SES is busy"))
    office.store(message_id)
    refused = office.run("quarantine", "delete", message_id)
    assert (refused.status, "late@example.com may still get it" in refused.err) == (1, True)
    assert office.run("original", message_id).status == 0


def test_all_from_a_sender_is_released(office: Office) -> None:
    wanted = [office.happened(INFO, source=source) for source in ("a@one.example", "A@ONE.example", "b@one.example")]
    others = [office.happened(INFO, source="a@two.example"), office.happened(INFO, source="x@a.one.example")]
    for message_id in (*wanted, *others):
        office.store(message_id)
    assert office.run("quarantine", "release", "--all-from", "a@one.example").status == 0
    assert {made.message_id for made in run_again(office)} == set(wanted[:2])
    assert office.run("quarantine", "release", "--all-from", "one.example").status == 0
    assert {made.message_id for made in run_again(office)} == {wanted[2]}
    assert office.run("quarantine", "release", "--all-from", "nobody.example").status == 1
    assert office.run("quarantine", "release").status == 2
    assert office.run("quarantine", "release", wanted[0], "--all-from", "one.example").status == 2


def test_what_is_held_is_released_by_a_person(office: Office) -> None:
    message_id = office.happened(("info@example.com", "deferred", "grey hold until later"))
    entry = office.entries(message_id)["to:info@example.com"]
    office.store(message_id)
    assert office.run("quarantine", "release", message_id).status == 1, "it only waits"
    office.cloud.put("LedgerTable", [{**entry, "release_at": 1_900_000_000}])
    assert office.run("quarantine", "release", message_id).status == 0
    (made,) = run_again(office)
    assert addresses(made) == ["info@example.com"]
    assert "released_by" in office.entries(message_id)["to:info@example.com"]


@pytest.mark.parametrize(
    ("raw", "first", "said"),
    [
        (b"Content-Type: text/html\r\n\r\n<style>x</style><p>Hi &amp; <b>bye</b></p>", "  Hi & bye ", "from HTML"),
        (b"Content-Type: text/plain; charset=no-such\r\n\r\nplain", "plain", ""),
        (b"Content-Transfer-Encoding: base64\r\n\r\n!!!", "", ""),
        (b"Content-Type: image/png\r\n\r\nx", "", "it has no text"),
        (b"Content-Type: text/html\r\n\r\nx" + b"<style>" * 30_000, "x", "from HTML"),
        (b"\r\n" + b"l\r\n" * 100, "l", f"{100 - MOST_LINES} more lines"),
    ],
)
def test_text_of_all_kinds(raw: bytes, first: str, said: str) -> None:
    found, why = text_lines(raw)
    assert (found[0] if found else "").strip() == first.strip()
    assert why.startswith(said)
    assert header_rows(b"")[-1] == ("others", "0 fields")
