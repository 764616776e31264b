"""What people have in their hands when they ask what becomes of a message."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import event
from tests.command import run

TABLES = """\
[aliases."info@example.com"]
destinations = ["jane@dest.example"]

[[senders]]
sender = "spam.example"
action = "REJECT"

[[senders]]
sender = "news.example"
action = "PREPEND X-News: yes"
scope = "info@example.com"

[[senders]]
sender = "news.example"
action = "BCC archive@dest.example"
"""


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    path = tmp_path / "tables.toml"
    path.write_text(TABLES)
    return path


def two() -> dict[str, Any]:
    return {"Records": [*event("info@example.com")["Records"], *event("info@example.com", message_id="m2")["Records"]]}


def text(document: Any) -> str:
    return json.dumps(document)


ONE = event("info@example.com")
PUBLISHED = {"notificationType": "Received", **ONE["Records"][0]["ses"]}


@pytest.mark.parametrize(
    ("document", "count"),
    [
        (ONE, 1),
        (two(), 2),
        ({"version": "1.0", "requestPayload": ONE, "responsePayload": {"errorMessage": "x"}}, 1),
        ({"Records": [{"eventSource": "aws:sqs", "body": text({"requestPayload": ONE})}] * 2}, 2),
        ({"Messages": [{"MessageId": "q", "Body": text({"requestPayload": ONE})}]}, 1),
        ({"Type": "Notification", "Message": text(PUBLISHED)}, 1),
        ({"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": text(PUBLISHED)}}]}, 1),
        ({"Records": [{"body": text({"Type": "Notification", "Message": text(PUBLISHED)})}]}, 1),
        ([ONE, {"requestPayload": ONE}], 2),
        (text(ONE), 1),
    ],
    ids=["event", "two", "failure", "queue", "receive-message", "notification", "topic", "topic-queue", "list", "text"],
)
def test_an_event_is_found_in_whatever_it_is_wrapped(document: Any, count: int, tables: Path, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(text(document))
    done = run("explain", "--event", path, "--tables", tables, "--json")
    assert (done.status, done.err) == (0, "")
    assert [one["recipients"][0]["decision"] for one in done.objects] == ["forward"] * count


@pytest.mark.parametrize("document", [7, [], {}, {"Records": []}, {"Message": "no JSON"}, {"requestPayload": {}}])
def test_what_holds_no_event_is_a_usage_error(document: Any, tables: Path, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(text(document))
    assert run("explain", "--event", path, "--tables", tables).status == 2


def test_a_recipient_that_is_no_address_has_a_line_too(tables: Path, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(text(event("info@example.com", "no address")))
    done = run("explain", "--event", path, "--tables", tables)
    assert (done.status, "  no address: not a mail address" in done.out) == (1, True)
    assert "  info@example.com: forward" in done.out


@pytest.mark.parametrize(
    ("header", "options", "first"),
    [
        (b"Return-Path: <a@x.example>\r\nFrom: b@x.example", (), "message offline from a@x.example"),
        (b"Return-Path: <>\r\nFrom: b@x.example", (), "message offline from <>"),
        (
            b"From: Jane <b@x.example>",
            (),
            "message offline from b@x.example (from the From header, as there is no Return-Path)",
        ),
        (b"Subject: x", (), "message offline from <> (empty, as there is neither Return-Path nor From)"),
        (b"From: b@x.example", ("--sender", "c@x.example"), "message offline from c@x.example"),
        (b"From: b@x.example", ("--sender", "<>"), "message offline from <>"),
    ],
)
def test_a_saved_mail_has_a_sender(
    header: bytes, options: tuple[str, ...], first: str, tables: Path, tmp_path: Path
) -> None:
    mail = tmp_path / "m.eml"
    mail.write_bytes(header + b"\r\n\r\nhello\r\n")
    done = run("explain", mail, "--recipient", "info@example.com", "--tables", tables, *options)
    assert (done.status, done.out.splitlines()[0]) == (0, first)


def test_what_no_server_could_say_is_no_sender(tables: Path, tmp_path: Path) -> None:
    mail = tmp_path / "m.eml"
    mail.write_bytes(b"From: b@x.example\r\n\r\nhello\r\n")
    done = run("explain", mail, "--recipient", "info", "--tables", tables, "--sender", "Betsy <b@x.example>")
    assert (done.status, done.err) == (2, "postern: not a mail address: 'Betsy <b@x.example>'\n")


def test_a_recipient_of_another_domain_is_called_so(tables: Path, tmp_path: Path) -> None:
    mail = tmp_path / "m.eml"
    mail.write_bytes(b"From: b@x.example\r\n\r\nhello\r\n")
    done = run("explain", mail, "--recipient", "x@gmail.example", "--tables", tables)
    assert "x@gmail.example: reject, because gmail.example is not one of our domains" in done.out


def test_the_header_s_changes_are_a_diff_in_its_order(tables: Path, tmp_path: Path) -> None:
    mail = tmp_path / "m.eml"
    mail.write_bytes(b"From: b@x.example\r\nSubject: x\r\nSender: c@x.example\r\n\r\nhello\r\n")
    done = run("explain", mail, "--recipient", "info@example.com", "--tables", tables)
    changes = [line.split(":")[0].strip() for line in done.out.splitlines() if line.startswith(("  -", "  +"))]
    assert changes[:3] == ["- From", "+ From", "+ Reply-To"]  # where From was
    assert changes[-1] == "- Sender"  # behind Subject, which stays


def test_screen_says_every_rule_that_holds(tables: Path) -> None:
    done = run("screen", "x@news.example", "--alias", "info@example.com", "--tables", tables, "--json")
    assert [(rule["scope"], rule["action"]) for rule in done.objects[0]["rules"]] == [
        ("info@example.com", "PREPEND"),
        ("*", "BCC"),
    ]


def test_resolve_says_what_is_not_ours_and_takes_bare_names(tables: Path) -> None:
    done = run("resolve", "x@gmail.example", "info", "--tables", tables)
    assert done.status == 1
    assert done.out.splitlines() == [
        "x@gmail.example: foreign gmail.example is not one of our domains, which are example.com",
        "info: forward jane@dest.example (info@example.com)",
    ]


def test_an_alias_that_takes_replies_shows_the_form_of_its_addresses(tables: Path, tmp_path: Path) -> None:
    tables.write_text(f'{TABLES}\n[settings]\nreply = "author"\n')
    mail = tmp_path / "m.eml"
    mail.write_bytes(b"From: Betsy <betsy@sender.example>\r\n\r\nx")
    done = run("explain", mail, "--recipient", "info@example.com", "--tables", tables)
    assert '+ Reply-To: "Betsy at sender.example" <reply+TOKEN@example.com>' in done.out
    done = run("explain", mail, "--recipient", f"reply+{'a' * 26}@example.com", "--tables", tables)
    assert "is unknown (unless it is a reply address: `postern contact list`)" in done.out
