"""The alias table against virtual(5): what cleanup makes of a recipient."""

import pytest
from hypothesis import given

from . import ours
from .conversation import held, send
from .generated import OWN, alias_tables
from .judging import judging
from .ours import AliasTable, Expansion
from .server import Server

TAGS = [
    pytest.param("virtual", True, id="tags kept"),
    pytest.param("virtual-cut", False, id="tags cut"),
]


@pytest.mark.parametrize(("service", "keep_tag"), TAGS)
@judging(examples=45)
@given(case=alias_tables())
def test_cleanup_expands_to_the_same_recipients(
    postfix: Server, service: str, keep_tag: bool, case: tuple[AliasTable, list[str]]
) -> None:
    table, asked = case
    for recipient, expected in zip(asked, judge(postfix, service, table, asked), strict=True):
        assert (recipient, ours.expand(table, recipient, OWN, keep_tag=keep_tag)) == (recipient, expected)


def judge(postfix: Server, service: str, table: AliasTable, asked: list[str]) -> list[Expansion]:
    """What Postfix expands each recipient to; what stays in our own domains has no mailbox there."""
    postfix.write("virtual", {key: ", ".join(targets) for key, targets in table.rows.items()})
    postfix.write("virtual-regexp", _regexps(table))
    replies = send(postfix, service, [("s@sender.example", [recipient]) for recipient in asked])
    expanded = iter(held(postfix, [reply.queue_id for reply in replies if reply.queue_id]))
    return [_expansion(next(expanded)) if reply.queue_id else Expansion(failed=reply.code == 451) for reply in replies]


def _regexps(table: AliasTable) -> dict[str, str]:
    return {
        f"/^({pattern})@{key[1:].replace('.', '[.]')}$/": ", ".join(_substituted(target) for target in targets)
        for key, patterns in table.patterns.items()
        for pattern, targets in patterns
    }


def _substituted(target: str) -> str:
    r"""A destination for a regexp: table, where `\1` is `${2}` as the whole pattern is a group too."""
    return target.replace("\\2", "${3}").replace("\\1", "${2}")


def _expansion(recipients: tuple[str, ...]) -> Expansion:
    outside = (one.lower() for one in recipients if one.rpartition("@")[2].lower() not in OWN)
    return Expansion(frozenset(outside))
