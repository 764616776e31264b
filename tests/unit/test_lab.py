"""The parts of `make local` that only a person's own machine has."""

from pathlib import Path

import pytest

from emulator.news import Arrivals
from emulator.outside import Outside
from emulator.sending.maildirs import Maildirs


@pytest.fixture
def maildirs(tmp_path: Path) -> Maildirs:
    return Maildirs(tmp_path)


def test_bytes_are_kept_unless_lines_are_to_end_as_in_files(maildirs: Maildirs) -> None:
    maildirs.deliver("jane@dest.example", b"A: b\r\n\r\nlone\rCR\r\n")
    maildirs.as_files = True
    maildirs.deliver("joe@dest.example", b"A: b\r\n\r\nlone\rCR\r\n")
    assert maildirs.messages("jane@dest.example") == [b"A: b\r\n\r\nlone\rCR\r\n"]
    assert maildirs.messages("joe@dest.example") == [b"A: b\n\nlone\rCR\n"]


@pytest.mark.parametrize(
    ("sender", "recipient", "taken"),
    [
        ("jane@dest.example", "you@sender.example", True),
        ("Jane@Dest.Example", "you@sender.example", True),
        ("jane@dest.example", "nobody@Example.com", False),  # ours: SES says whether it is known
        ("stranger@dest.example", "you@sender.example", False),
        ("", "you@sender.example", False),
        ("jane@dest.example", "..", False),
    ],
)
def test_only_who_has_a_mailbox_writes_to_others(maildirs: Maildirs, sender: str, recipient: str, taken: bool) -> None:
    maildirs.deliver("jane@dest.example", b"A: b\r\n\r\n")
    assert Outside(maildirs, "example.com").takes(sender, recipient) is taken


def test_what_arrives_is_told_once_and_a_report_is_called_one(maildirs: Maildirs) -> None:
    maildirs.deliver("jane@dest.example", b"before: it began\r\n\r\n")
    arrivals = Arrivals(maildirs)
    assert list(arrivals.lines()) == []
    maildirs.deliver("jane@dest.example", b"Return-Path: <a@b.example>\r\n\r\nReturn-Path: <>\r\n")
    maildirs.deliver("you@sender.example", b"From: x\r\nReturn-Path: <>\r\n\r\n")
    assert [line.partition(":")[0] for line in arrivals.lines()] == [
        "delivered to jane@dest.example",
        "reported to you@sender.example",
    ]
    assert list(arrivals.lines()) == []
    (maildirs.path("jane@dest.example") / "new" / "read").touch()
    for file in (maildirs.path("jane@dest.example") / "new").iterdir():
        file.unlink()  # a reader takes them
    assert list(arrivals.lines()) == []
