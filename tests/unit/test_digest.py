"""The digest as bytes: clean whatever strangers wrote, and never endless."""

import quopri
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.digest import MAX_LINES, Section, digest, heading

SENDER, OWNER = Address("postmaster", "example.com"), Address("owner", "dest.example")


def made(*sections: Section) -> bytes:
    return digest("2026-11-21", sections, SENDER, OWNER)


def text(raw: bytes) -> str:
    return quopri.decodestring(raw.partition(b"\r\n\r\n")[2]).decode().replace("\r\n", "\n")


def test_it_says_what_and_what_to_do() -> None:
    section = Section(*heading("quarantined"), ("ID1  a@sender.example -> info@example.com: spam FAIL",), 1)
    raw = made(section, Section("Dead letters", "postern redrive", (), 3))
    message = message_from_bytes(raw, policy=policy.default)
    assert message["Subject"] == "example.com mail on 2026-11-21: quarantined 1, dead letters 3"
    assert message["From"] == '"example.com mail gate" <postmaster@example.com>'
    assert (message["To"], message["Auto-Submitted"]) == ("owner@dest.example", "auto-generated")
    assert (
        text(raw)
        == """\
What somebody should know of the mail of example.com on 2026-11-21 (UTC).

Quarantined: kept and not forwarded (1)
  postern quarantine release ID, or nothing

  ID1 a@sender.example -> info@example.com: spam FAIL

Dead letters (3)
  postern redrive

  and 3 more
"""
    )


def test_a_bad_day_is_cut_and_counted() -> None:
    raw = made(Section("Failed", "look", tuple(f"{number} {'x' * 5000}" for number in range(500)), 5000))
    lines = text(raw).splitlines()
    assert len(lines) < MAX_LINES + 10
    assert lines[-1] == "  and 4900 more"
    assert len(raw) < MAX_LINES * 400


@pytest.mark.parametrize("word", ["quarantined", "failed", "ambiguous", "unanswered", "odd"])
def test_every_word_has_a_heading(word: str) -> None:
    title, advice = heading(word)
    assert title.lower().startswith((word, "senders"))
    assert advice


@given(st.text(), st.text())
def test_nothing_that_strangers_wrote_gets_out_of_its_line(title: str, line: str) -> None:
    raw = made(Section(title, "look", (line,), 1))
    header, _, body = raw.partition(b"\r\n\r\n")
    assert header.isascii()
    assert [one.partition(b":")[0] for one in header.split(b"\r\n") if not one.startswith(b" ")] == [
        b"From", b"To", b"Subject", b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding", b"Auto-Submitted",
    ]  # fmt: skip
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in body.replace(b"\r\n", b"")
