"""A password manager's new alias, whatever call the function is killed at, or the network fails at.

What stands in the table is whole and leads where the token says. A request that is answered made one alias; one that
was cut off made one at most, and the next is answered.
"""

import secrets
from collections.abc import Iterator
from typing import Any, cast

import pytest
from postern_mail.alias_api import AliasApi
from postern_mail.aws.api import assembly
from postern_mail.aws.api.book import DAYS
from postern_mail.aws.mail_log import CloudWatchMailLog
from postern_mail.environment import ApiEnvironment
from postern_mail.mail.aliases import Alias
from postern_mail.mail.token import ROWS, Token, key_of, new_token

from tests.faults.world import LIFE, Fault, Killed, Life, World
from tests.rights import acting

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow]

BY, DESTINATION = "token phone", "d1@dest.example"
READ, COUNT, MAKE = "dynamodb.BatchGetItem", "dynamodb.UpdateItem", "dynamodb.ExecuteStatement"
CALLS = [READ, COUNT, READ, MAKE]  # the token, the day, whether the name is free, the alias
WAYS = [(after, kills) for after in (False, True) for kills in (False, True)]
RANDOM = '{"domain": "example.com", "format": "random_characters"}'
CUSTOM = '{"domain": "example.com", "format": "custom", "local_part": "shop"}'


class Log:
    def alias_made(self, address: str, made_by: str) -> None:
        """Of no interest."""


class Door:
    """The production parts behind the API, and a token."""

    def __init__(self, world: World, api: AliasApi) -> None:
        self.world, self.api, self.token = world, api, new_token(secrets.choice)
        self.row = Token(str(key_of(self.token)), "phone", "example.com", (DESTINATION,), 50, 1_800_000_000).row()
        world.cloud.put("AliasTable", [self.row])

    def ask(self, body: str) -> int:
        """The status of the answer, 0 if the function was killed."""
        mine = LIFE.set(Life())
        try:
            return self.api.answer("POST", "/api/v1/aliases", f"Bearer {self.token}", body).status
        except Killed:
            return 0
        finally:
            LIFE.reset(mine)

    def made(self) -> list[dict[str, Any]]:
        return [row for row in self.world.cloud.rows("AliasTable") if row.get("made_by") == BY]

    def counted(self) -> int:
        name = f"{DAYS}{self.row['address'].removeprefix(ROWS)}"
        return sum(int(row["made"]) for row in self.world.cloud.partition("LedgerTable", message_id=name))

    def forget(self) -> None:
        self.world.cloud.delete("AliasTable", [{"address": row["address"]} for row in self.made()])
        counts = [row for row in self.world.cloud.rows("LedgerTable") if row["message_id"].startswith(DAYS)]
        self.world.cloud.delete(
            "LedgerTable", ({name: row[name] for name in ("message_id", "entry")} for row in counts)
        )


@pytest.fixture
def door(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(assembly, "SystemClock", lambda: world.clock)
    variables = world.template.resource("ApiFunction")["Environment"]["Variables"]
    with acting("ApiFunction"):
        api = assembly.alias_api(ApiEnvironment.from_environment(variables), cast("CloudWatchMailLog", Log()))
    made = Door(world, api)
    yield made
    made.forget()
    world.cloud.delete("AliasTable", [{"address": made.row["address"]}])


@pytest.mark.parametrize(("after", "kills"), WAYS)
@pytest.mark.parametrize("body", [RANDOM, CUSTOM], ids=["random", "custom"])
def test_no_position_leaves_half_an_alias(door: Door, body: str, after: bool, kills: bool) -> None:
    interference = door.world.interference
    interference.calls.clear()
    assert (door.ask(body), interference.calls) == (201, CALLS)
    for position, call in enumerate(CALLS):
        door.forget()
        interference.calls.clear()
        fault = Fault(position, after, kills)
        interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
        status = door.ask(body)
        interference.choose = lambda number, call: None
        what = f"{fault} at {call}"
        assert status == (0 if kills else 201), what
        rows, is_there = door.made(), call == MAKE and after
        assert len(rows) == (is_there or not kills), f"{what}: boto3 asks again, and that makes no second one"
        for row in rows:
            assert list(map(str, Alias.from_row(row["address"], row).destinations)) == [DESTINATION], what
            assert {"made_by", "updated_at", "updated_by"} <= row.keys(), what
        assert len(rows) <= door.counted() <= len(rows) + 1, f"{what}: never too few are counted"
        if kills:
            again = door.ask(body)
            assert again == (422 if is_there and body == CUSTOM else 201), f"{what}: it exists, and is said to"
            assert len(door.made()) == 1 + (is_there and body == RANDOM), what


def test_an_alias_that_is_there_is_no_answer_that_was_lost(door: Door) -> None:
    """The first attempt never came, another made the name meanwhile, and no one asked twice."""
    book = door.api.book
    row = {"address": "shop@example.com", "destinations": [DESTINATION], "made_by": BY}
    assert (book.make(row), book.make({**row, "made_by": "token other"})) == (True, False)
    (found,) = door.made()
    assert found["made_by"] == BY
