"""The alias table against aliases(5): to whom local(8) sends on, seen where it arrives."""

from itertools import count

from hypothesis import given

from . import ours
from .conversation import send, wait_until_idle
from .differences import tagged_row_leads_to_itself
from .generated import LOCAL, local_tables
from .judging import judging
from .ours import AliasTable, Expansion
from .server import Server
from .sink import Sink

_numbers = count()


@judging(examples=40)
@given(case=local_tables().filter(lambda case: not tagged_row_leads_to_itself(case[0])))
def test_local_sends_on_to_the_same_recipients(postfix: Server, sink: Sink, case: tuple[AliasTable, list[str]]) -> None:
    table, asked = case
    for recipient, expected in zip(asked, judge(postfix, sink, table, asked), strict=True):
        found = ours.expand(table, recipient, [LOCAL], keep_tag=False)
        if found.failed:
            continue  # a loop: local(8) bounces that branch and goes on with the others
        assert (recipient, found) == (recipient, expected)


def judge(postfix: Server, sink: Sink, table: AliasTable, asked: list[str]) -> list[Expansion]:
    """Where mail for each recipient arrives."""
    rows = {key.rpartition("@")[0]: ", ".join(targets) for key, targets in table.rows.items()}
    postfix.write("aliases", {key: targets.replace("discard:", "/dev/null") for key, targets in rows.items()})
    senders = [f"case{next(_numbers)}@sender.example" for _ in asked]
    start = postfix.log.stat().st_size
    replies = send(postfix, "aliases", [(sender, [one]) for sender, one in zip(senders, asked, strict=True)])
    wait_until_idle(postfix, start, replies[-1].queue_id)
    return [Expansion(_arrived(sink, sender)) for sender in senders]


def _arrived(sink: Sink, sender: str) -> frozenset[str]:
    return frozenset(to.lower() for one in sink.arrived if one.sender == sender for to in one.recipients)
