"""How many messages an alias has taken that ends after so many: where one is shown, and in a list, by one call."""

from typing import Any

import pytest
from postern_command.aws import reach
from postern_mail.aws import clients
from postern_mail.aws.forward.uses import DynamoUses
from postern_mail.mail.endings import Counted

from tests.operating.conftest import Office

NEWS, SHOP, INFO = (f"{name}@example.com" for name in ("news", "shop", "info"))


@pytest.fixture
def shop(office: Office) -> Office:
    row = {"destinations": ["jane@dest.example"]}
    office.cloud.put("AliasTable", [
        {**row, "address": NEWS, "expires_after": "20 messages, 90 days"}, {**row, "address": INFO},
        {**row, "address": SHOP, "expires_after": "2 messages"},
        {**row, "address": "days@example.com", "expires_after": "90 days"},
    ])  # fmt: skip
    return office


def take(office: Office, alias: str, most: int, times: int) -> None:
    uses = DynamoUses(clients.dynamodb(), office.template.name("LedgerTable"), office.clock)
    for number in range(times):
        uses.count(Counted(alias, most), f"message {number}")


def test_one_says_how_many(shop: Office) -> None:
    take(shop, NEWS, 20, 7)
    assert "ends after 20 messages, 90 days without use, 7 of 20 taken\n" in shop.run("alias", "show", NEWS).out
    (row,) = shop.run("alias", "show", NEWS, "--json").objects
    assert row["taken"] == 7
    assert "0 of 2 taken" in shop.run("alias", "show", SHOP).out
    take(shop, SHOP, 2, 5)
    assert "2 of 2 taken" in shop.run("alias", "show", SHOP).out
    for other in (INFO, "days@example.com"):
        assert "taken" not in shop.run("alias", "show", other).out


def test_a_list_says_it_of_each_by_one_call(shop: Office) -> None:
    take(shop, NEWS, 20, 7)
    made: list[str] = []

    def noted(model: Any, **_: object) -> None:
        made.append(model.name)

    reach.tell_each_call(noted)
    listed = {row["address"]: row.get("taken") for row in shop.run("alias", "list", "--json").objects}
    assert listed == {NEWS: 7, SHOP: 0, INFO: None, "days@example.com": None}
    assert made == ["Scan", "BatchGetItem"]
    out = shop.run("alias", "list").out
    assert "ends after 20 messages, 90 days without use, 7 of 20 taken" in out
    assert "ends after 2 messages, 0 of 2 taken" in out
    made.clear()
    assert shop.run("alias", "list", "info").out
    assert made == ["Scan"], "no alias of the list ends after messages"
