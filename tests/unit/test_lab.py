"""The parts of `make local` that only a person's own machine has."""

from pathlib import Path

import pytest

from emulator.news import Arrivals
from emulator.outside import Outside
from emulator.schedules import Schedules, next_run
from emulator.sending.maildirs import Maildirs
from emulator.template import Template
from tests.builders import ROOT


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


NOON = 1_795_780_800.0  # 2026-11-27 12:00 UTC


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("rate(1 hour)", 1),
        ("rate(30 minutes)", 0.5),
        ("rate(2 days)", 48),
        ("cron(0 5 * * ? *)", 17),
        ("cron(30 12 * * ? *)", 0.5),
        ("cron(0 12 * * ? *)", 24),
    ],
)
def test_a_schedule_fires_as_on_aws(expression: str, hours: float) -> None:
    assert next_run(expression, NOON) == NOON + hours * 3600


@pytest.mark.parametrize("expression", ["cron(0 5 ? * MON *)", "rate(1 week)", "at(2026-11-27T12:00:00)", ""])
def test_another_form_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="not a schedule"):
        next_run(expression, NOON)


def schedules(owner: str) -> Schedules:
    parameters = {"Domains": "example.com", "OwnerAddress": owner}
    return Schedules(Template.load(ROOT / "template.yaml", "postern-lab", parameters), NOON)


def test_the_stack_s_schedules_are_kept_for_two_days() -> None:
    kept = schedules("me@home.example")
    ran = [word for minute in range(1, 2 * 24 * 60 + 1) for word in kept.due(NOON + minute * 60)]
    assert (ran.count("watch"), ran.count("digest")) == (48, 2)


def test_what_the_machine_slept_through_runs_once() -> None:
    assert list(schedules("me@home.example").due(NOON + 40 * 3600)) == ["watch", "digest"]
