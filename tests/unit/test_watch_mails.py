"""The golden mails of the hourly watch, docs/reference/watch.md: `pytest -s` prints them."""

import re

import pytest
from postern_mail.aws.watch.examinations import EXAMINATIONS

from docs.watch_mails import mails
from tests.builders import ROOT

MAILS = dict(mails())
WRITTEN = (ROOT / "docs/reference/watch.md").read_text(encoding="utf-8")


def test_there_is_one_for_each_kind_of_finding() -> None:
    assert list(MAILS) == [*(one.name for one in EXAMINATIONS), "AWS does not answer", "what is over"]


@pytest.mark.parametrize("name", MAILS)
def test_it_says_what_it_is_what_it_means_since_when_and_what_to_do(name: str) -> None:
    print(MAILS[name])
    assert MAILS[name] in WRITTEN
    assert re.search(r"Subject: Mail of example.com: \d things? (?:to look at|over)\n", MAILS[name])
    if name != "what is over":
        heading, means, finding, *_ = MAILS[name].split("NEW: ")[1].splitlines()
        assert heading in (name, "dead letters")
        assert means.endswith(".")
        assert len(means.split()) >= 8, "a sentence for somebody who does not run mail servers"
        assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d|since yesterday", finding)
        assert "What to do: " in MAILS[name] or name == "AWS does not answer"


def test_every_command_in_them_names_the_stack() -> None:
    commands = [one for text in MAILS.values() for one in re.findall(r"`(postern [^`]*)`", text)]
    assert len(commands) > 20
    assert all(" --stack postern" in one for one in commands)
