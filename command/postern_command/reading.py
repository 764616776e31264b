"""Read the ledger in parallel: each message takes one Query, and none has to wait for the others."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import chain, islice
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from postern_mail.mail.outcomes import State

if TYPE_CHECKING:
    from postern_mail.aws.watch.history import Entries

AT_ONCE = 10  # calls in parallel, boto3's default number of connections ("max_pool_connections")

_T = TypeVar("_T")
_R = TypeVar("_R")
Message = dict[str, Any]


class Ledger(Protocol):
    """The part of the ledger that is read here."""

    def by_day(self, since: float, now: float, *, noted: bool = False) -> Iterator[Iterator[Message]]:
        """The `message` entries since then, an iterator for each day, newest first."""
        ...

    def entries(self, message_id: str) -> "Entries":
        """All entries of a message, by name."""
        ...


def ahead(
    read: Callable[[_T], _R],
    things: Iterable[_T],
    *,
    at_once: int = AT_ONCE,
    begin: int = AT_ONCE,
    enough: float = inf,
    weigh: Callable[[_T], float] = lambda _: 1,
) -> Iterator[tuple[_T, _R]]:
    """Each thing with the result of `read` for it, in order.

    At most `at_once` reads run in parallel, ahead of the consumer: `begin` at first, and one more with each result that
    is taken. Once `enough` (by weight) are read, no more are started until the results before them are taken. Raises
    what `read` raises.
    """
    left, under_way = iter(things), deque[tuple[_T, Future[_R]]]()
    most, asked, ended = begin, 0.0, False
    with ThreadPoolExecutor(at_once) as pool:
        try:
            while not ended or under_way:
                if not under_way and asked >= enough:
                    enough = asked + at_once
                while not ended and len(under_way) < most and asked < enough:
                    for thing in islice(left, 1):
                        under_way.append((thing, pool.submit(copy_context().run, read, thing)))
                        asked += weigh(thing)
                        break
                    else:
                        ended = True
                if under_way:
                    thing, future = under_way.popleft()
                    yield thing, future.result()
                    most = min(most + 1, at_once)
        finally:
            for _, future in under_way:
                future.cancel()


def messages(ledger: Ledger, since: float, now: float, *, noted: bool = False) -> Iterator[Message]:
    """The `message` entries since then, newest first; with `noted` only those with news for the owner. The further back
    the consumer goes, the more days are read in parallel. Raises Temporary."""
    for _, found in ahead(_begun, ledger.by_day(since, now, noted=noted), begin=1):
        yield from found


def whole(
    ledger: Ledger, since: float, wanted: Callable[[Message], int], *, noted: bool = False, enough: float = inf
) -> Iterator[tuple[Message, "Entries"]]:
    """Messages since then with all their entries, newest first. `wanted` tells how many recipients of a message may be
    listed (0 skips it); reading pauses after about `enough` of them. Raises Temporary."""
    some = filter(wanted, messages(ledger, since, time.time(), noted=noted))
    return ahead(lambda message: ledger.entries(message["message_id"]), some, enough=enough, weigh=wanted)


def quarantines(message: Mapping[str, Any]) -> int:
    """The most recipients of a message that may be quarantined: the note is written before the entry."""
    return sum(str(note).startswith(f"{State.QUARANTINED} ") for note in message.get("noted", ()))


def _begun(found: Iterator[Message]) -> Iterator[Message]:
    """The same iterator, with its first page read."""
    first = next(found, None)
    return iter(()) if first is None else chain([first], found)
