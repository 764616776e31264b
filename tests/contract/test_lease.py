"""One contract for the fake and for the lease in DynamoDB; then what only DynamoDB does."""

from collections.abc import Iterator
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.recipients import lease
from postern_mail.aws.recipients.lease import DynamoLease
from postern_mail.errors import ClaimLost
from postern_mail.recipients.ports import Lease, Turn

from emulator.cloud import Cloud
from emulator.template import Template
from tests.fakes import FakeClock
from tests.rule_fakes import TURN_SECONDS, FakeLease

pytestmark = pytest.mark.function("RecipientsFunction")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["fake", "dynamodb"])
def shared(request: pytest.FixtureRequest, clock: FakeClock, template: Template) -> Iterator[Lease]:
    if request.param == "fake":
        yield FakeLease(clock)
        return
    cloud: Cloud = request.getfixturevalue("aws")
    yield DynamoLease(clients.dynamodb(), template.name("LedgerTable"), clock=clock)
    cloud.delete("LedgerTable", [lease.KEY])


def taken(shared: Lease) -> Turn:
    turn = shared.take()
    assert turn is not None
    return turn


def test_one_at_a_time(shared: Lease) -> None:
    turn = taken(shared)
    assert shared.take() is None
    assert shared.give_back(turn, 5.0) is None
    assert taken(shared).owner != turn.owner


def test_who_comes_in_vain_is_not_forgotten(shared: Lease) -> None:
    turn = taken(shared)
    shared.take()
    again = shared.give_back(turn, None)
    assert again is not None
    assert shared.take() is None, "it is still held"
    again = shared.give_back(again, None)
    assert again is not None
    assert shared.give_back(again, None) is None
    assert taken(shared).behind_since is None


def test_since_when_the_rules_lag_is_kept_until_they_are_level(shared: Lease) -> None:
    turn = taken(shared)
    assert turn.behind_since is None
    shared.take()
    assert shared.give_back(turn, 1_795_000_007.0) is None, "who leaves work over goes, also where others asked"
    turn = taken(shared)
    assert turn.behind_since == 1_795_000_007.0
    assert shared.give_back(turn, None) is None
    assert taken(shared).behind_since is None


def test_it_runs_out_and_its_holder_is_shut_out(shared: Lease, clock: FakeClock) -> None:
    turn = taken(shared)
    clock.time += TURN_SECONDS
    assert shared.take() is None
    clock.time += 2
    other = taken(shared)
    with pytest.raises(ClaimLost):
        shared.renew(turn)
    for behind_since in (None, 1.0):
        with pytest.raises(ClaimLost):
            shared.give_back(turn, behind_since)
    shared.renew(other)


def test_the_sets_that_are_to_have_no_rules_are_remembered(shared: Lease) -> None:
    turn = taken(shared)
    for name in ("one", "other"):
        shared.retire(turn, name, for_good=True)
    shared.retire(turn, "one", for_good=False)
    shared.take()
    again = shared.give_back(turn, None)
    assert again is not None
    assert again.retired == {"other"}
    assert shared.give_back(again, None) is None
    last = taken(shared)
    assert last.retired == {"other"}
    shared.retire(last, "other", for_good=False)
    shared.give_back(last, None)
    assert taken(shared).retired == frozenset()


def test_who_lost_the_turn_retires_nothing(shared: Lease, clock: FakeClock) -> None:
    turn = taken(shared)
    clock.time += TURN_SECONDS + 1
    taken(shared)
    with pytest.raises(ClaimLost):
        shared.retire(turn, "one", for_good=True)


def test_renewing_holds_it_for_longer(shared: Lease, clock: FakeClock) -> None:
    turn = taken(shared)
    for _ in range(3):
        clock.time += TURN_SECONDS - 1
        shared.renew(turn)
    assert shared.take() is None


def test_the_lease_outlasts_a_call_with_its_retries(aws: Cloud) -> None:
    assert lease.SECONDS == TURN_SECONDS
    config: Any = clients.receipt_rules().meta.config
    attempts = config.retries["total_max_attempts"]
    backoff = 2 ** (attempts - 1)
    assert attempts * (config.connect_timeout + config.read_timeout) + backoff < lease.SECONDS / 2


@pytest.fixture
def repeating(aws: Cloud, template: Template, clock: FakeClock) -> Iterator[DynamoLease]:
    """One owner for all calls, as where botocore repeats one whose answer was lost."""
    yield DynamoLease(clients.dynamodb(), template.name("LedgerTable"), clock=clock, owner=lambda: "me")
    aws.delete("LedgerTable", [lease.KEY])


def test_a_call_that_botocore_repeats_is_ours(repeating: DynamoLease) -> None:
    assert taken(repeating) == taken(repeating)


def test_whoever_leaves_word_as_the_holder_goes_gets_the_turn(aws: Cloud, template: Template, clock: FakeClock) -> None:
    """Between being turned away and leaving word, the holder gives back: no one would look any more."""
    client = clients.dynamodb()
    holder = DynamoLease(clients.dynamodb(), template.name("LedgerTable"), clock=clock)
    late = DynamoLease(client, template.name("LedgerTable"), clock=clock)
    held = taken(holder)

    def meanwhile(params: dict[str, Any], **_: object) -> None:
        if params["UpdateExpression"] == "ADD asked :one":
            assert holder.give_back(held, None) is None

    client.meta.events.register("provide-client-params.dynamodb.UpdateItem", meanwhile)
    assert taken(late).owner
    aws.delete("LedgerTable", [lease.KEY])
