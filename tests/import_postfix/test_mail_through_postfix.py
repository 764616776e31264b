"""Who gets mail: a Postfix that holds the imported files themselves, and the alias table that was made of them.

POSTERN_POSTFIX_EXAMPLES=500 .venv/bin/python -m pytest -m slow tests/import_postfix/test_mail_through_postfix.py
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, reject

from tests.postfix.judging import judging as as_many
from tests.postfix.server import HOW_TO_GET_IT, missing
from tests.postfix.sink import Sink

from .box import Imported, imported
from .generated import DOMAINS, Generated, boxes
from .judge import Files, Judge, judging
from .on_the_way import is_impossible_on_the_way
from .test_where_it_leads import CASES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    if why := missing():
        pytest.skip(f"{why}: {HOW_TO_GET_IT}")
    sink = Sink()
    sink.start()
    try:
        with judging(sink) as started:
            yield started
    finally:
        sink.stop()


@pytest.mark.parametrize("name", CASES)
def test_the_cases_are_what_postfix_does(name: str, judge: Judge) -> None:
    case = CASES[name]
    files = Files(case.config, case.files)
    assert {address: sorted(found) for address, found in judge.whom(files, [*case.expected]).items()} == case.expected


@as_many(examples=25)
@given(box=boxes())
def test_the_same_people_get_it(judge: Judge, box: Generated) -> None:
    try:
        expected = judge.whom(box.files, box.asked)
    except TimeoutError:
        reject()  # a list's owner that leads into the list: bounces of bounces, more than it can do in the time
    with tempfile.TemporaryDirectory() as folder:
        done = imported(Path(folder), *DOMAINS, main_cf=box.files.main_cf, files=box.files.files)
    for address in box.asked:
        ours = frozenset(map(str.lower, done.leads_to(address)))
        if not is_known(box, done, address, expected[address], ours):
            assert (address, sorted(ours)) == (address, sorted(expected[address]))


def is_known(box: Generated, done: Imported, address: str, theirs: frozenset[str], ours: frozenset[str]) -> bool:
    """The differences that the report names, and docs/from-postfix.md."""
    delimiter, local = box.delimiter or "", address.partition("@")[0]
    if "+" in local and delimiter != "+" and not theirs:
        return True  # no such address in Postfix, as this + began no tag
    if ours < theirs and is_impossible_on_the_way(done, address):
        return True  # a mailbox of the box, or a circle, on the way
    said = " ".join(part.says for entry in done.report.entries for part in entry.parts)
    dropped = "tags are dropped" in said or any(one in local for one in delimiter if one != "+")
    return dropped and without_tags(ours, delimiter) == without_tags(theirs, delimiter)


def without_tags(addresses: frozenset[str], delimiter: str) -> frozenset[str]:
    every = f"[{re.escape(delimiter + '+')}]"
    return frozenset(re.sub(rf"{every}.*@", "@", address) for address in addresses)
