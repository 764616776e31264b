"""The digest as bytes: clean whatever strangers wrote, and never endless."""

import quopri
import shlex
from email import message_from_bytes, policy
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from postern_command.main import app
from postern_mail.mail.address import Address
from postern_mail.mail.digest import DEAD, KINDS, MAX_LINES, Section, digest, line
from postern_mail.mail.outcomes import State

SENDER, OWNER = Address("postmaster", "example.com"), Address("owner", "dest.example")


def made(*sections: Section) -> bytes:
    return digest("2026-11-21", sections, SENDER, OWNER)


def text(raw: bytes) -> str:
    return quopri.decodestring(raw.partition(b"\r\n\r\n")[2]).decode().replace("\r\n", "\n")


def quarantined(text: str = "From a@sender.example to info@example.com: spam FAIL") -> Section:
    return Section("quarantined", (line("quarantined", text, "postern", message_id="ID1", who="info@example.com"),), 1)


def test_it_says_what_and_what_to_do_and_what_is_lost_first() -> None:
    raw = made(quarantined(), Section(DEAD, (), 3))
    message = message_from_bytes(raw, policy=policy.default)
    assert message["Subject"] == "example.com mail on 2026-11-21: dead letters 3, quarantined 1"
    assert message["From"] == '"example.com mail gate" <postmaster@example.com>'
    assert (message["To"], message["Auto-Submitted"]) == ("owner@dest.example", "auto-generated")
    assert (
        text(raw)
        == """\
What you should know about the mail of example.com on 2026-11-21 (UTC).
Each command can be pasted into a terminal where Postern is installed.

DEAD LETTERS (3)
  Mail could not be forwarded for 36 hours, and is not retried any more. It is
  kept for 14 days.

  and 3 more

QUARANTINED (1)
  Mail was kept and not sent on: it looked like spam, a virus or a forgery, or
  a rule of yours says so. What you do not miss needs nothing; it is thrown
  away in time.

  From a@sender.example to info@example.com: spam FAIL
    Send it on:
      postern quarantine release ID1 --recipient info@example.com --stack postern
"""
    )


def test_a_bad_day_is_cut_and_counted() -> None:
    lines = tuple(line("failed", f"{number} {'x' * 5000}", "postern", message_id="m") for number in range(500))
    raw = made(Section("failed", lines, 5000))
    shown = text(raw).splitlines()
    assert len(shown) < 4 * MAX_LINES + 10
    assert shown[-1] == f"  and {5000 - MAX_LINES:,} more"
    assert len(raw) < MAX_LINES * 500


@pytest.mark.parametrize("word", [*State, "lost", "host-lost", "unanswered", "odd"])
def test_every_word_has_a_title_and_what_to_do(word: str) -> None:
    kind = Section(word, (), 1).kind
    assert kind.title
    assert bool(kind.does) == bool(kind.command)
    assert kind.command or word == "host-lost", "there is no command for what others' programs do"


@pytest.mark.parametrize("word", [word for word, kind in KINDS.items() if kind.command])
def test_every_command_is_one_that_there_is(word: str) -> None:
    todo = line(word, "", "postern", message_id="abcdef", who="info@example.com", source="info@example.com").todo
    names = todo.split()[1:]
    command: Any = typer.main.get_command(app)
    while names and names[0] in getattr(command, "commands", {}):
        command = command.commands[names.pop(0)]
    context = typer.Context(command, help_option_names=["-h", "--help"])  # the command keeps what it was asked first
    command.parse_args(context, names)  # raises for what it does not know


@pytest.mark.parametrize("who", ["a b@x.example", "$(rm -rf ~)@x.example", "`id`", "x'y@x.example", "a;b", "--all"])
def test_what_strangers_chose_is_one_word_of_the_command(who: str) -> None:
    made_of = shlex.split(line("quarantined", "", "postern", message_id="m", who=who).todo)
    assert made_of == ["postern", "quarantine", "release", "m", "--recipient", who, "--stack", "postern"]


@given(st.text(), st.text())
def test_nothing_that_strangers_wrote_gets_out_of_its_line(word: str, stranger: str) -> None:
    raw = made(Section(word, (line(word, stranger, "postern", message_id=stranger, who=stranger),), 1))
    header, _, body = raw.partition(b"\r\n\r\n")
    assert header.isascii()
    assert [one.partition(b":")[0] for one in header.split(b"\r\n") if not one.startswith(b" ")] == [
        b"From", b"To", b"Subject", b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding", b"Auto-Submitted",
    ]  # fmt: skip
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in body.replace(b"\r\n", b"")
