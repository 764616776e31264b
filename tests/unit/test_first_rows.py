"""The first rows and the message are under way while the entry is written; what is not wanted is dropped."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from postern_mail.aws.batch import MAX_KEYS
from postern_mail.aws.forward.tables import DynamoTables
from postern_mail.aws.http.errors import NoAnswer
from postern_mail.errors import Temporary, Unavailable
from postern_mail.mail.outcomes import State

from tests.builders import MESSAGE_ID, event, stored
from tests.fakes import INFO
from tests.forwarding_world import JANE, World


class Pending:
    """A call under way."""

    def __init__(self, client: "Client", number: int, request: Mapping[str, Any]) -> None:
        self._client, self._number, self._request = client, number, request

    def result(self) -> Mapping[str, Any]:
        self._client.noted("result", self._number)
        if self._number == self._client.fails:
            raise NoAnswer("no answer")
        keys = self._request["RequestItems"]["aliases"]["Keys"]
        return {"Responses": {"aliases": keys}}

    def drop(self) -> None:
        self._client.noted("drop", self._number)


class Client:
    """Notes what is begun, read and dropped, in order."""

    def __init__(self, fails: int = -1) -> None:
        self.fails = fails
        self.done: list[tuple[str, int]] = []

    def noted(self, what: str, number: int) -> None:
        self.done.append((what, number))

    def begin(self, operation: str, request: Mapping[str, Any]) -> Pending:
        assert operation == "BatchGetItem"
        number = sum(what == "begin" for what, _ in self.done)
        self.noted("begin", number)
        return Pending(self, number, request)

    def numbers(self, what: str) -> list[int]:
        return [number for one, number in self.done if one == what]


def keys(chunks: int) -> Sequence[str]:
    return [f"a{number}@example.com" for number in range(MAX_KEYS * chunks)]


def tables(client: Any) -> DynamoTables:
    return DynamoTables(client, "aliases", "senders")


def test_eight_calls_are_under_way_and_the_next_begins_when_one_was_read() -> None:
    client = Client()
    rows = tables(client).begin(keys(10), ())
    assert client.done == [("begin", number) for number in range(8)]
    assert len([one for one in rows.result().aliases.values() if one]) == MAX_KEYS * 10
    assert client.done[8:12] == [("result", 0), ("begin", 8), ("result", 1), ("begin", 9)]
    assert client.numbers("drop") == []


def test_what_is_under_way_when_one_fails_is_dropped() -> None:
    client = Client(fails=2)
    with pytest.raises(Unavailable):
        tables(client).read(keys(10), ())
    assert sorted(client.numbers("drop")) == sorted(set(client.numbers("begin")) - {0, 1, 2})


def test_what_is_not_wanted_is_dropped_and_never_read() -> None:
    client = Client()
    tables(client).begin(keys(2), ()).drop()
    assert (client.numbers("drop"), client.numbers("result")) == ([0, 1], [])


class Watched:
    """Tables or a store whose calls under way are counted."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.done: list[str] = []

    def begin(self, *wanted: Any) -> Any:
        pending, done = self._real.begin(*wanted), self.done

        class Noted:
            def result(self) -> Any:
                done.append("result")
                return pending.result()

            def drop(self) -> None:
                done.append("drop")
                pending.drop()

        done.append("begin")
        return Noted()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.fixture
def world() -> World:
    made = World()
    made.store.messages[MESSAGE_ID] = stored(b"From: betsy@sender.example\r\n\r\nhi\r\n")
    made.tables.aliases[INFO] = {"destinations": [JANE]}
    made.store, made.tables = Watched(made.store), Watched(made.tables)  # type: ignore[assignment]
    return made


def done(world: World) -> tuple[list[str], list[str]]:
    return world.store.done, world.tables.done  # type: ignore[attr-defined]


def test_a_message_is_read_once(world: World) -> None:
    world.handle(event(INFO))
    assert done(world) == (["begin", "result", "drop"], ["begin", "result", "drop"])


def test_a_second_event_for_a_settled_message_drops_what_it_had_begun(world: World) -> None:
    world.handle(event(INFO))
    for one in done(world):
        one.clear()
    world.handle(event(INFO))
    assert done(world) == (["begin", "drop"], ["begin", "drop"])
    assert world.states == {INFO: State.FORWARDED}


def test_where_the_ledger_cannot_be_reached_what_was_begun_is_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(_: object) -> None:
        raise Unavailable("no ledger")

    monkeypatch.setattr(world.ledger, "open", unreachable)
    with pytest.raises(Temporary):
        world.handle(event(INFO))
    assert done(world) == (["begin", "drop"], ["begin", "drop"])
