"""A catch-all that learns names: which, when, and what a learned row means; the mail never waits for it."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from postern_mail.errors import Throttled, Unsettled
from postern_mail.mail.address import Address
from postern_mail.mail.aliases import Alias, resolve
from postern_mail.mail.learning import MOST_A_DAY, Learn
from postern_mail.mail.rows import BadRow, Rows

from tests.builders import event
from tests.forwarding_world import JANE, World

DOMAIN = {"address": "@example.com", "destinations": [JANE], "learn": True}
LEARNED = {"address": "shop@example.com", "learned_at": 5, "learned_from": "b@x.example", "made_by": "learn"}


@dataclass
class FakeLearner:
    names: list[tuple[Learn, str]] = field(default_factory=list)
    failure: Exception | None = None

    def learn(self, name: Learn, source: str) -> bool:
        self.names.append((name, source))
        if self.failure:
            raise self.failure
        return True


@pytest.fixture
def learner() -> FakeLearner:
    return FakeLearner()


@pytest.fixture
def world(learner: FakeLearner) -> World:
    made = World(learner=lambda: learner)
    made.tables.aliases["@example.com"] = DOMAIN
    return made


def found(recipient: str, *rows: dict[str, Any], now: float = 10) -> Any:
    """What a recipient stands for, by these rows."""
    address = Address.parse(recipient)
    table: dict[str, Any] = dict.fromkeys((address.key, address.untagged.key, "@example.com", "info@example.com"))
    return resolve(address, Rows(table | {str(row["address"]): row for row in rows}), {"example.com"}, now)


@pytest.mark.parametrize(
    ("recipient", "more", "learned"),
    [
        ("shop@example.com", {}, "shop@example.com"),
        ("Shop+tag@example.com", {}, "shop@example.com"),
        ("shop@example.com", {"learn": False}, None),
        ("shop@example.com", {"learn": None, "learn_limit": 3}, None),
        ("a.b-c_d9@example.com", {}, "a.b-c_d9@example.com"),
        ("-shop@example.com", {}, None),
        ('"a b"@example.com', {}, None),
        (f"{'x' * 33}@example.com", {}, None),
        ("#x@example.com", {}, None),
        ("shop@example.com", {"learn_names": "sho."}, "shop@example.com"),
        ("shops@example.com", {"learn_names": "sho."}, None),
        ("SHOP@example.com", {"learn_names": "sho."}, "shop@example.com"),
        ("shop@example.com", {"patterns": [{"pattern": "sh.*", "destinations": [JANE]}]}, None),
        ("shop@example.com", {"enabled": False}, None),
        ("shop@example.com", {"expires_at": 9}, None),
        ("shop@example.com", {"destinations": ["discard:"]}, None),
    ],
)
def test_which_names_a_domain_learns(recipient: str, more: dict[str, Any], learned: str | None) -> None:
    name = found(recipient, {**DOMAIN, **more}).learn
    assert (name and name.key) == learned


@pytest.mark.parametrize("row", [{**LEARNED, "made_by": "x", "destinations": [JANE]}, LEARNED])
def test_a_name_with_a_row_is_not_learned(row: dict[str, Any]) -> None:
    assert found("shop@example.com", DOMAIN, row).learn is None
    assert found("shop+tag@example.com", DOMAIN, row).learn is None


def test_a_learned_row_goes_where_the_domain_goes_now() -> None:
    for recipient in ("shop@example.com", "shop+tag@example.com"):
        one = found(recipient, {**DOMAIN, "destinations": ["new@dest.example"]}, LEARNED)
        assert [str(to) for to in one.destinations] == ["new@dest.example"]
        assert (one.matched, one.learned, str(one.alias)) == (("@example.com",), "shop@example.com", recipient)
    assert found("shop@example.com", LEARNED).outcome == "unknown", "the catch-all is gone"


@pytest.mark.parametrize(
    ("more", "outcome"),
    [({"enabled": False}, "disabled"), ({"expires_at": 9}, "expired"), ({"expires_at": 11}, "forward")],
)
def test_a_learned_row_that_is_off_ends_the_search(more: dict[str, Any], outcome: str) -> None:
    for recipient in ("shop@example.com", "shop+tag@example.com"):
        assert found(recipient, DOMAIN, {**LEARNED, **more}).outcome == outcome
    assert found("other@example.com", DOMAIN, {**LEARNED, **more}).outcome == "forward"


def test_a_learned_row_with_destinations_is_like_any_other() -> None:
    one = found("shop@example.com", DOMAIN, {**LEARNED, "destinations": ["own@dest.example"]})
    assert ([str(to) for to in one.destinations], one.matched, one.learned) == (
        ["own@dest.example"], ("shop@example.com",), "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("info@example.com", {"learn": True}),
        ("@example.com", {"learn": "perhaps"}),
        ("@example.com", {"learn": True, "learn_names": "("}),
        ("@example.com", {"learn": True, "learn_names": ["x"]}),
        ("@example.com", {"learn": True, "learn_limit": 0}),
        ("@example.com", {"learn": True, "learn_limit": MOST_A_DAY + 1}),
        ("@example.com", {"learn": True, "learn_limit": "many"}),
        ("@example.com", {"learn": True, "learn_limit": True}),
    ],
)
def test_what_cannot_be_meant_is_a_fault_of_the_row(key: str, row: dict[str, Any]) -> None:
    with pytest.raises(BadRow):
        Alias.from_row(key, {"destinations": [JANE], **row})


def test_the_first_mail_that_goes_out_is_learned_after_everything_else(world: World, learner: FakeLearner) -> None:
    world.handle(event("shop@example.com", "news+x@example.com"))
    assert [(one.key, source) for one, source in learner.names] == [
        ("shop@example.com", "betsy@sender.example"), ("news@example.com", "betsy@sender.example"),
    ]  # fmt: skip
    assert world.log.lines[-2:] == ["learned shop@example.com", "learned news@example.com"]
    assert len(world.mailer.sent) == 1, "one copy for each destination"


@pytest.mark.parametrize("failure", [Throttled("slow"), KeyError("x"), MemoryError()])
def test_what_fails_neither_fails_nor_delays_the_mail(world: World, learner: FakeLearner, failure: Exception) -> None:
    learner.failure = failure
    world.handle(event("shop@example.com", "news@example.com"))
    assert set(world.states.values()) == {"forwarded", "merged"}
    assert len(learner.names) == 1, "and is not asked again in this message"
    assert world.log.lines[-1] == f"not learned shop@example.com {type(failure).__name__}"


def test_what_does_not_go_out_is_not_learned(world: World, learner: FakeLearner) -> None:
    world.mailer.script[JANE] = [Throttled("slow")]
    with pytest.raises(Unsettled):
        world.handle(event("shop@example.com"))
    world.tables.senders["betsy@sender.example", "*"] = {"action": "HOLD"}
    world.handle(event("shop@example.com"))
    assert learner.names == []


def test_without_time_the_next_mail_is_learned_from(world: World, learner: FakeLearner) -> None:
    """The message was sent at the last moment."""
    world.remaining = 0
    sent = world.mailer.send

    def slowly(*given: Any) -> str:
        world.clock.time += 5
        return sent(*given)

    world.mailer.send = slowly  # type: ignore[assignment,method-assign]
    world.handle(event("shop@example.com"))
    assert (world.states, learner.names) == ({"shop@example.com": "forwarded"}, [])


def test_a_stack_that_learns_nothing_asks_no_one(learner: FakeLearner) -> None:
    world = World(learner=lambda: pytest.fail("asked"))
    world.tables.aliases["@example.com"] = {**DOMAIN, "learn": False}
    world.handle(event("shop@example.com", "info@example.com"))
    assert (len(world.mailer.sent), learner.names) == (1, [])
