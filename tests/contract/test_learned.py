"""Learned names on DynamoDB: one row each, within a day's limit, and never in the place of another."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from postern_mail.aws import clients
from postern_mail.aws.forward.learned import PARTITION, DynamoLearner
from postern_mail.mail.days import A_DAY
from postern_mail.mail.learning import Learn
from postern_mail.mail.summaries import day_of

from emulator.template import Template
from tests.cloud_here import CloudHere
from tests.fakes import FakeClock

pytestmark = pytest.mark.function("InboundFunction")


class Cloud:
    def __init__(self, cloud: CloudHere, template: Template) -> None:
        self.cloud, self.clock, self.template = cloud, FakeClock(), template

    def learner(self) -> DynamoLearner:
        names = (self.template.name("LedgerTable"), self.template.name("AliasTable"))
        return DynamoLearner(clients.dynamodb(), *names, self.clock)

    @property
    def rows(self) -> dict[str, dict[str, object]]:
        return {
            row["address"]: row for row in self.cloud.rows("AliasTable") if row["address"].endswith("@learns.example")
        }

    @property
    def names(self) -> dict[str, set[str]]:
        return {row["entry"]: row["names"] for row in self.cloud.partition("LedgerTable", message_id=PARTITION)}


def name(local: str, limit: int = 50) -> Learn:
    return Learn(f"{local}@learns.example", limit)


@pytest.fixture
def here(aws: CloudHere, template: Template) -> Iterator[Cloud]:
    made = Cloud(aws, template)
    yield made
    aws.delete("AliasTable", ({"address": key} for key in made.rows))
    aws.delete("LedgerTable", ({"message_id": PARTITION, "entry": entry} for entry in made.names))


def test_a_row_says_who_made_it_and_leads_nowhere_of_its_own(here: Cloud) -> None:
    learner, now = here.learner(), int(here.clock.time)
    assert learner.learn(name("shop"), "\x1bbetsy@x.example")
    assert not learner.learn(name("shop"), "joe@y.example")
    assert here.rows == {
        "shop@learns.example": {
            "address": "shop@learns.example", "learned_at": now, "learned_from": "\\x1bbetsy@x.example",
            "made_by": "learn", "updated_at": now, "updated_by": "learn",
        }
    }  # fmt: skip
    assert here.names == {f"{day_of(now)} learns.example": {"shop@learns.example"}}


def test_a_row_that_is_there_stays_as_it_is(here: Cloud) -> None:
    row = {"address": "shop@learns.example", "enabled": False}
    here.cloud.put("AliasTable", [row])
    assert not here.learner().learn(name("shop"), "b@x.example")
    assert here.rows == {"shop@learns.example": row}


def test_a_day_has_its_limit_for_each_domain_and_the_next_begins_again(here: Cloud) -> None:
    learner = here.learner()
    assert [learner.learn(name(local, 2), "") for local in ("a", "b", "a", "c")] == [True, True, False, False]
    assert [here.learner().learn(name(local, 2), "") for local in ("c", "a")] == [False, False], "another container"
    assert set(here.rows) == {"a@learns.example", "b@learns.example"}
    here.clock.time += A_DAY
    assert learner.learn(name("c", 2), "")


def test_a_name_that_was_counted_and_not_written_is_written_later(here: Cloud) -> None:
    here.learner().learn(name("a", 1), "")
    here.cloud.delete("AliasTable", [{"address": "a@learns.example"}])
    assert here.learner().learn(name("a", 1), "")


def test_many_at_once_are_one_row_each(here: Cloud) -> None:
    learner = here.learner()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: learner.learn(name(f"n{number % 12}", 10), ""), range(36)))
    assert (made.count(True), len(here.rows)) == (10, 10)
    assert {len(found) for found in here.names.values()} == {10}
