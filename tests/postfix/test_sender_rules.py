"""Sender rules against check_sender_access of a running smtpd."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from . import ours
from .conversation import ask, keys_looked_up
from .differences import without_pieces_of_literals, without_second_spellings
from .generated import sender_tables, senders
from .judging import judging
from .server import Server

STYLES = [
    pytest.param("parent", ours.PARENT, True, id="parent"),
    pytest.param("dot", ours.DOT, True, id="dot"),
    pytest.param("parent-plain", ours.PARENT, False, id="parent, no delimiter"),
    pytest.param("dot-plain", ours.DOT, False, id="dot, no delimiter"),
]


@pytest.mark.parametrize(("service", "style", "delimiter"), STYLES)
@judging(examples=15)
@given(asked=st.lists(senders, min_size=5, max_size=20, unique_by=str.lower))
def test_smtpd_looks_up_the_same_keys_in_the_same_order(
    postfix: Server, service: str, style: str, delimiter: bool, asked: list[str]
) -> None:
    for sender, keys in zip(asked, keys_looked_up(postfix, service, asked), strict=True):
        expected = without_second_spellings(without_pieces_of_literals(keys))
        assert (sender, ours.search_keys(sender, style, delimiter=delimiter)) == (sender, expected)


@pytest.mark.parametrize(("service", "style", "delimiter"), STYLES)
@judging(examples=40)
@given(case=sender_tables())
def test_smtpd_gives_the_same_answer(
    postfix: Server, service: str, style: str, delimiter: bool, case: tuple[dict[str, str], list[str]]
) -> None:
    table, asked = case
    postfix.write("rules", table)
    for sender, reply in zip(asked, ask(postfix, service, asked), strict=True):
        expected = reply.text.rpartition("rejected: ")[2] if reply.code == 554 else None
        assert (sender, ours.answer(table, sender, style, delimiter=delimiter)) == (sender, expected)


@judging(examples=40)
@given(case=sender_tables())
def test_the_key_of_everyone_is_a_line_of_its_own_behind_the_map(
    postfix: Server, case: tuple[dict[str, str], list[str]]
) -> None:
    table, asked = case
    postfix.write("rules", table)
    for sender, reply in zip(asked, ask(postfix, "members", asked), strict=True):
        said = reply.text.rpartition("rejected: ")[2]
        assert (sender, ours.answer_of_members(table, "REJECT nobody else", sender)) == (sender, said)
