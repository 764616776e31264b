"""Who may reply in the name of an alias: every attack that must fail, and the ways that must work."""

from typing import Any

import pytest
from postern_mail.mail.address import Address
from postern_mail.mail.authentication import Authentication
from postern_mail.mail.message import Message
from postern_mail.mail.records import replace
from postern_mail.mail.replying.permission import DKIM, DMARC, Doubt, doubt, is_same, replier, robot, sent_at

from tests.builders import MESSAGE_ID, envelope, stored, verdict

JANE = Address.parse("jane@dest.example")
TO = Address.parse("reply+abcdefghij234567abcdefghij@example.com")
SIGNED = "DKIM-Signature: v=1; d=dest.example; h=From:To:Date:Subject; b=x\r\n"
DATE = "Date: Sun, 22 Nov 2026 13:00:00 +0100\r\n"


def judged(
    head: str = "", *, source: str = "jane@dest.example", spf: str = "pass", dkim: str = "", dmarc: str = "PASS",
    requires: str = DMARC, author: str = "From: Jane <jane@dest.example>\r\n", to: str = f"To: {TO}\r\n",
    allowed: tuple[Address, ...] = (JANE,), helo: str = "mx.dest.example", **verdicts: str,
) -> Doubt | None:  # fmt: skip
    raw = stored(f"{head}{author}{to}{DATE}\r\nbody".encode(), source=source, spf=spf, dkim=dkim, helo=helo)
    said: dict[str, Any] = {f"{name}Verdict": verdict(one) for name, one in {"dmarc": dmarc, **verdicts}.items()}
    message = Message.split(raw)
    came = envelope(str(TO), source=source, **said)
    return doubt(replace(came, authentication=Authentication.of(message, MESSAGE_ID)), message, TO, allowed, requires)


def cause(**options: Any) -> str:
    found = judged(**options)
    return found.cause if found else ""


@pytest.mark.parametrize(
    "way",
    [
        {},  # DMARC by SPF
        {"dmarc": "GRAY"},  # no policy: SPF, and MAIL FROM is From
        {"head": SIGNED, "dkim": "dest.example", "spf": "fail", "source": "bounce@elsewhere.example"},
        {"head": SIGNED, "dkim": "dest.example", "dmarc": "GRAY", "requires": DKIM},
        {"head": SIGNED.replace("To:", ""), "dkim": "dest.example", "requires": DKIM},  # Microsoft's signs no To
        {"source": "bounces@mail.dest.example"},
        {"source": "prvs=1234abcdef=jane@dest.example"},  # BATV
        {"author": 'From: "Doe, Jane (private)" <Jane+home@dest.example>\r\n'},
        {"author": "From: =?utf-8?q?J=C3=A4ne?= <jane@dest.example>\r\n"},
        {"author": "From: jane@dest.example\r\n"},
        {"source": "jane@dest.example", "author": "From: sales@dest.example\r\n",
         "allowed": (JANE, Address.parse("sales@dest.example"))},
    ],
)  # fmt: skip
def test_the_destination_may(way: dict[str, Any]) -> None:
    assert judged(**way) is None


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        # SES found nothing that speaks for the author
        ({"spf": "fail", "dmarc": "GRAY"}, "unproven"),
        ({"spf": "fail", "dmarc": "FAIL"}, "unproven"),
        ({"head": SIGNED, "dkim": "dest.example", "dmarc": "FAIL"}, "unproven"),
        # forged results of others, in every field that has some
        ({"head": "Authentication-Results: amazonses.com; dkim=pass header.i=@dest.example; dmarc=pass\r\n",
          "source": "m@evil.example", "dmarc": "GRAY"}, "unproven"),
        ({"head": "ARC-Authentication-Results: i=1; mx.google.com; dkim=pass header.i=@dest.example; spf=pass\r\n"
                  "ARC-Seal: i=1; cv=pass; d=google.com\r\n" + SIGNED,
          "source": "m@evil.example", "dkim": "evil.example", "dmarc": "GRAY"}, "unproven"),
        ({"helo": "x; dkim=pass header.i=@dest.example;", "head": SIGNED, "source": "m@evil.example",
          "dmarc": "GRAY"}, "unproven"),
        # a signature of another domain
        ({"head": SIGNED.replace("dest.example", "evil.example"), "source": "m@evil.example",
          "dkim": "evil.example", "dmarc": "GRAY"}, "unproven"),
        ({"head": SIGNED.replace("d=dest.example", "d=dest.example; i=@evil.example"), "source": "m@evil.example",
          "dkim": "evil.example", "dmarc": "GRAY"}, "unproven"),
        ({"head": SIGNED, "source": "m@evil.example", "dkim": "notdest.example", "dmarc": "GRAY"}, "unproven"),
        # envelope and From differ
        ({"source": "m@evil.example", "dmarc": "GRAY"}, "unproven"),
        ({"source": "m@evil.example", "dmarc": "PASS"}, "unproven"),
        ({"source": "<>", "dmarc": "GRAY"}, "unproven"),
        # a colleague of the owner's own domain
        ({"author": "From: joe@dest.example\r\n", "source": "joe@dest.example"}, "stranger"),
        ({"source": "joe@dest.example", "dmarc": "GRAY"}, "unproven"),
        ({"source": "joe@dest.example", "dmarc": "PASS"}, "unproven"),
        ({"source": "joe@dest.example", "head": SIGNED, "dkim": "dest.example"}, "unproven"),
        # a signed mail of the author's, sent again to this address
        ({"head": SIGNED, "dkim": "dest.example", "spf": "fail", "source": "m@evil.example",
          "to": f"To: {TO}\r\nTo: list@third.example\r\n"}, "form"),
        ({"head": SIGNED, "dkim": "dest.example", "spf": "fail", "source": "m@evil.example",
          "to": "To: list@third.example\r\n"}, "unproven"),
        ({"head": SIGNED.replace("To:", ""), "dkim": "dest.example", "spf": "pass", "source": "m@evil.example"},
         "unproven"),
        ({"head": SIGNED.replace("Date:", ""), "dkim": "dest.example", "spf": "pass", "source": "m@evil.example"},
         "unproven"),
        ({"head": SIGNED.replace("b=x", "l=0; b=x"), "dkim": "dest.example", "spf": "pass",
          "source": "m@evil.example"}, "unproven"),
        ({"head": SIGNED, "dkim": "dest.example", "requires": DKIM, "source": "m@evil.example", "spf": "pass",
          "to": "Cc: a@b.example\r\n"}, "unproven"),
        # without a policy, and without a signature where one is required
        ({"requires": DKIM}, "unproven"),
        ({"requires": DKIM, "dmarc": "GRAY"}, "unproven"),
        ({"dmarc": "PROCESSING_FAILED"}, "unproven"),
        # never
        ({"spam": "FAIL"}, "spam"),
        ({"virus": "FAIL"}, "virus"),
    ],
)  # fmt: skip
def test_no_one_else_may(attack: dict[str, Any], why: str) -> None:
    assert cause(**attack) == why


@pytest.mark.parametrize(
    "author",
    [
        "From: Jane <jane@dest.example>\r\nFrom: m@evil.example\r\n",
        "From: m@evil.example\r\nFrom: Jane <jane@dest.example>\r\n",
        "From: Jane <jane@dest.example>, m@evil.example\r\n",
        "From: m@evil.example, Jane <jane@dest.example>\r\n",
        "From: Team: Jane <jane@dest.example>;\r\n",
        "From: jane@dest.example (m@evil.example)\r\n",
        "From: (jane@dest.example) m@evil.example\r\n",
        "From: Jane <jane@dest.example> <m@evil.example>\r\n",
        "From: <m@evil.example> jane@dest.example\r\n",
        "From: <@evil.example:jane@dest.example>\r\n",
        "From: =?utf-8?q?jane=40dest=2Eexample?=\r\n",
        "From: =?utf-8?q?Jane?= <=?utf-8?q?jane=40dest=2Eexample?=>\r\n",
        'From: "jane@dest.example"\r\n',
        "From: jane @dest.example\r\n",
        "From: jane@dest.example.\r\n",
        "From: Jane jane@dest.example\r\n",
        "From: jane@dest.example\x00\r\n",
        "From: mailto:jane@dest.example\r\n",
        "From:\r\n",
        "",
    ],
)
def test_a_from_that_can_be_read_in_two_ways_belongs_to_no_one(author: str) -> None:
    found = judged(author=author)
    assert found is not None
    assert found.cause in ("form", "stranger")
    assert replier(Message.split(author.encode() + b"\r\n")) is None


@pytest.mark.parametrize("name", ["To", "Cc", "Date", "Subject", "Message-ID", "Content-Type", "MIME-Version"])
def test_a_field_that_is_there_twice_can_be_read_in_two_ways(name: str) -> None:
    assert cause(head=f"{name}: x\r\n{name}: x\r\n") == "form"


def test_an_address_in_the_name_is_no_author() -> None:
    found = judged(author='From: "jane@dest.example" <m@evil.example>\r\n', source="m@evil.example")
    assert found is not None
    assert found.cause == "stranger"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jane@dest.example", "jane+home@DEST.example", True),
        ("j.ane@gmail.com", "jane+x@googlemail.com", True),
        ("j.ane@dest.example", "jane@dest.example", False),
        ("jane@dest.example", "jane@mail.dest.example", False),
        ("jane@gmail.com", "jane@gmail.com.evil.example", False),
    ],
)
def test_one_mailbox_in_two_spellings(one: str, other: str, same: bool) -> None:
    assert is_same(Address.parse(one), Address.parse(other)) == same


@pytest.mark.parametrize(
    ("head", "mark"),
    [
        ("Auto-Submitted: auto-replied", "auto-submitted"), ("Precedence: bulk", "precedence"),
        ("X-Autoreply: yes", "x-autoreply"), ("Content-Type: multipart/report; report-type=disposition-notification",
                                               "multipart/report"),
        ("Auto-Submitted: no", ""), ("X-Auto-Response-Suppress: All", ""), ("List-Id: <x.example>", ""),
    ],
)  # fmt: skip
def test_a_robot_is_known(head: str, mark: str) -> None:
    assert robot(envelope(), Message.split(head.encode() + b"\r\n\r\n")) == mark


def test_no_one_is_a_robot() -> None:
    assert robot(envelope(source="<>"), Message.split(b"\r\n")) == "the null sender"


def test_a_date_is_one_moment_however_it_is_written() -> None:
    dates = (b"Sun, 22 Nov 2026 13:00:00 +0100", b"22  Nov 2026 12:00:00 +0000 (UTC)", b"yesterday", b"")
    at = [sent_at(Message.split(b"Date: " + one + b"\r\n\r\n")) for one in dates]
    assert at == [1795348800, 1795348800, None, None]
