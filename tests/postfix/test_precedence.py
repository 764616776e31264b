"""Two lines of check_sender_access, with every pair of actions: what becomes of the message."""

from itertools import product

import pytest

from . import ours
from .conversation import Reply, held, send, wait_until_idle
from .differences import OUTSIDE_OUR_TABLE
from .ours import DESTINATION, Fate
from .server import Server
from .sink import Sink

ACTIONS = {
    "ok": "OK",
    "dunno": "DUNNO",
    "reject": "REJECT {0} says no",
    "550": "550 {0} says 550",
    "450": "450 {0} says 450",
    "discard": "DISCARD {0}",
    "hold": "HOLD {0}",
    "redirect": "REDIRECT {0}@redirect.example",
    "bcc": "BCC {0}@bcc.example",
    "prepend": "PREPEND X-{0}: yes",
    "warn": "WARN {0}",
    "info": "info {0}",
}
PAIRS = [f"{first}-then-{second}" for first, second in product(ACTIONS, ACTIONS)]


@pytest.fixture(scope="module")
def judged(postfix: Server, sink: Sink) -> dict[str, Fate]:
    """What Postfix does to one message for each pair, by the pair's name."""
    for table, place in (("first", 0), ("second", 1)):
        rules = {f"{pair}.example": ACTIONS[pair.split("-then-")[place]].format(table) for pair in PAIRS}
        postfix.write(table, rules)
    start = postfix.log.stat().st_size
    named = [*PAIRS, "the-last-one"]
    replies = send(postfix, "two-lines", [(f"s@{pair}.example", [DESTINATION]) for pair in named])
    log = wait_until_idle(postfix, start, replies[-1].queue_id)
    return {pair: _fate(postfix, sink, pair, reply, log) for pair, reply in zip(named, replies, strict=True)}


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_of_actions_does_the_same(judged: dict[str, Fate], pair: str) -> None:
    first, second = pair.split("-then-")
    assert ours.fate(ACTIONS[first].format("first"), ACTIONS[second].format("second")) == judged[pair]


@pytest.mark.parametrize(("action", "code", "said"), OUTSIDE_OUR_TABLE)
def test_an_action_that_is_refused_does_in_postfix_what_the_error_says(
    postfix: Server, action: str, code: int, said: str
) -> None:
    postfix.write("first", {"sender.example": action})
    start = postfix.log.stat().st_size
    (reply,) = send(postfix, "two-lines", [("s@sender.example", [DESTINATION])])
    if reply.queue_id:
        wait_until_idle(postfix, start, reply.queue_id)
    assert reply.code == code, reply
    assert said in ours.action_fault(action)


def _fate(postfix: Server, sink: Sink, pair: str, reply: Reply, log: str) -> Fate:
    sender = f"s@{pair}.example"
    if reply.code >= 400:
        text = " ".join(reply.text.partition("rejected: ")[2].split())
        return Fate("rejected" if reply.code >= 500 else "later", text)
    found = [one for one in sink.arrived if one.sender == sender]
    if found:
        recipients = frozenset(recipient for one in found for recipient in one.recipients)
        lines = found[0].message.decode("ascii").split("\r\n")
        return Fate("forwarded", "", recipients, tuple(line for line in lines if line.startswith("X-")))
    if (postfix.root / "queue" / "hold" / reply.queue_id).exists():
        held(postfix, [reply.queue_id])
        return Fate("held")
    assert f"discard: RCPT from localhost[127.0.0.1]: <{sender}>" in log
    return Fate("discarded")
