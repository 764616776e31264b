"""One contract for the fake and for the ledger in DynamoDB."""

import uuid
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from postern_mail.aws import clients
from postern_mail.aws.forward.ledger import DynamoLedger
from postern_mail.aws.http import clients as own
from postern_mail.errors import ClaimHeld, ClaimLost
from postern_mail.mail.address import Address
from postern_mail.mail.claims import Claim, Settled
from postern_mail.mail.dsn import Answer, Silence
from postern_mail.mail.outcomes import ClaimState, State
from postern_mail.mail.reply import FAILED, UNKNOWN
from postern_mail.ports.answers import AnswerLedger
from postern_mail.ports.forward import Attempts, Ledger, Outcome

from emulator.cloud import Cloud
from emulator.template import Template
from tests.builders import envelope
from tests.cloud_here import CloudHere
from tests.fakes import LEASE_SECONDS, RETRY_HOURS, FakeClock, FakeLedger

pytestmark = pytest.mark.function("InboundFunction")

INFO, TEAM = Address("info", "example.com"), Address("team", "example.com")
JANE = Address("Jane", "dest.example")


def in_dynamodb(client: Any, template: Template, clock: FakeClock) -> DynamoLedger:
    return DynamoLedger(
        client,
        template.name("LedgerTable"),
        clock=clock,
        lease_seconds=LEASE_SECONDS,
        keep_days=37,
        retry_hours=RETRY_HOURS,
    )


class Book(Ledger, AnswerLedger, Protocol):
    """The whole ledger."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["fake", "dynamodb", "own client"])
def ledger(
    request: pytest.FixtureRequest, clock: FakeClock, template: Template, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ledger]:
    if request.param == "fake":
        yield FakeLedger(clock)
        return
    cloud: CloudHere = request.getfixturevalue("aws")
    if request.param == "own client":
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", cloud.listening())
        monkeypatch.setattr(clients, "dynamodb", own.dynamodb)
    yield in_dynamodb(clients.dynamodb(), template, clock)


@pytest.fixture
def message_id() -> str:
    return uuid.uuid4().hex


def claimed(claim: Claim | Settled) -> Claim:
    assert isinstance(claim, Claim)
    return claim


def test_a_message_is_opened_once(ledger: Book, message_id: str) -> None:
    made = envelope("info@example.com", message_id=message_id)
    assert ledger.open(made).first
    again = ledger.open(made)
    assert (again.first, again.settled) == (False, frozenset())


def test_settled_recipients_are_told_and_deferred_ones_are_not(ledger: Book, message_id: str) -> None:
    made = envelope("Info@example.com", "team@example.com", message_id=message_id)
    ledger.open(made)
    ledger.close(made, [Outcome(INFO, State.FORWARDED, ""), Outcome(TEAM, State.DEFERRED, "why")], 10)
    assert ledger.open(made).settled == {"info@example.com"}
    ledger.close(made, [Outcome(TEAM, State.FAILED, "no")], 10)
    assert ledger.open(made).settled == {"info@example.com", "team@example.com"}


@pytest.mark.parametrize("text", ["no address", "a b@example.com", "\x00", "x" * 2_000])
def test_what_is_no_address_is_settled_like_any_other(ledger: Book, message_id: str, text: str) -> None:
    made = envelope("info@example.com", text, message_id=message_id)
    (nobody,) = made.unknown
    ledger.open(made)
    ledger.close(made, [Outcome(INFO, State.FORWARDED, ""), Outcome(nobody, State.REJECTED, "unknown")], 10)
    again = ledger.open(made)
    left = made.without(again.settled)
    assert again.settled == {"info@example.com", nobody.key}
    assert (left.recipients, left.unreadable) == ((), ())


def test_another_rules_recipients_are_added(ledger: Book, message_id: str) -> None:
    first, second = (envelope(who, message_id=message_id) for who in ("info@example.com", "team@example.com"))
    ledger.open(first)
    assert not ledger.open(second).first
    ledger.close(first, [Outcome(INFO, State.FORWARDED, "")], 10)
    assert ledger.open(second).settled == {"info@example.com"}


def test_a_settled_outcome_is_not_overwritten(ledger: Book, message_id: str) -> None:
    made = envelope("info@example.com", message_id=message_id)
    ledger.open(made)
    ledger.close(made, [Outcome(INFO, State.FORWARDED, "")], 10)
    ledger.close(made, [Outcome(INFO, State.DEFERRED, "a slower invocation")], 10)
    assert ledger.open(made).settled == {"info@example.com"}


def test_a_live_claim_keeps_others_away(ledger: Book, message_id: str, clock: FakeClock) -> None:
    claim = claimed(ledger.claim(message_id, JANE, INFO))
    assert not claim.uncertain
    clock.time += LEASE_SECONDS
    with pytest.raises(ClaimHeld, match="via:jane@dest.example"):
        ledger.claim(message_id, JANE, TEAM)


def test_a_claim_that_ran_out_is_taken_over_and_its_owner_shut_out(
    ledger: Book, message_id: str, clock: FakeClock
) -> None:
    first = claimed(ledger.claim(message_id, JANE, INFO))
    clock.time += LEASE_SECONDS + 2
    second = claimed(ledger.claim(message_id, JANE, INFO))
    assert second.uncertain
    with pytest.raises(ClaimLost):
        ledger.settle(first, ClaimState.SENT, "ses-1")
    ledger.settle(second, ClaimState.SENT, "ses-2")


@pytest.mark.parametrize(("state", "uncertain"), [(ClaimState.RELEASED, False), (ClaimState.UNANSWERED, True)])
def test_a_claim_given_back_is_free(ledger: Book, message_id: str, state: ClaimState, uncertain: bool) -> None:
    ledger.settle(claimed(ledger.claim(message_id, JANE, INFO)), state, "why")
    assert claimed(ledger.claim(message_id, JANE, TEAM)).uncertain is uncertain


@pytest.mark.parametrize(
    ("state", "detail", "why"),
    [
        (ClaimState.SENT, "ses-1", "refused once"),
        (ClaimState.NOTICED, "ses-1", "refused once"),
        (ClaimState.FAILED, "Duplicate header", "Duplicate header"),
    ],
)
def test_what_is_settled_is_told_and_not_claimed_again(
    ledger: Book, message_id: str, state: ClaimState, detail: str, why: str, clock: FakeClock
) -> None:
    ledger.settle(claimed(ledger.claim(message_id, JANE, INFO)), state, detail, ["refused once"])
    clock.time += 10 * LEASE_SECONDS
    assert ledger.claim(message_id, Address("jane", "DEST.example".lower()), TEAM) == Settled(state, INFO.key, why)


@pytest.fixture
def dynamo(aws: Cloud, template: Template, clock: FakeClock) -> DynamoLedger:
    """The ledger in DynamoDB with one owner for all claims: a call that botocore repeats has it too."""
    client = clients.dynamodb()
    return DynamoLedger(
        client,
        template.name("LedgerTable"),
        clock=clock,
        lease_seconds=LEASE_SECONDS,
        keep_days=37,
        retry_hours=RETRY_HOURS,
        owner=lambda: "me",
    )


@pytest.mark.parametrize(
    ("before", "uncertain"), [(None, False), (ClaimState.RELEASED, False), (ClaimState.UNANSWERED, True)]
)
def test_a_claim_that_botocore_repeats_is_ours_and_as_uncertain_as_before(
    dynamo: DynamoLedger, message_id: str, before: ClaimState | None, uncertain: bool
) -> None:
    if before:
        dynamo.settle(claimed(dynamo.claim(message_id, JANE, INFO)), before, "why")
    assert claimed(dynamo.claim(message_id, JANE, INFO)).uncertain is uncertain
    assert claimed(dynamo.claim(message_id, JANE, INFO)).uncertain is uncertain


TEAM = Address.parse("team@example.com")


@pytest.mark.parametrize("step_by_step", [False, True], ids=["at once", "step by step"])
def test_a_message_that_another_rule_adds_to_while_it_is_closed_stays_open(
    aws: Cloud, template: Template, message_id: str, clock: FakeClock, step_by_step: bool
) -> None:
    """Before the one write that closes it, or between the last recipient settled and the mark taken off, another event
    opens it again. Step by step it is closed where someone else had settled a recipient of it."""
    client = clients.dynamodb()
    racing = in_dynamodb(client, template, clock)
    other = in_dynamodb(clients.dynamodb(), template, clock)
    done = [Outcome(INFO, State.FORWARDED, ""), Outcome(TEAM, State.FORWARDED, "")]
    late = envelope("late@example.com", message_id=message_id)

    def at_once(params: Any, **_: object) -> None:
        if step_by_step:
            other.close(envelope("team@example.com", message_id=message_id), done[1:], 10)
        else:
            other.open(late)

    def shutting(params: dict[str, Any], **_: object) -> None:
        if params["UpdateExpression"].startswith("REMOVE"):
            other.open(late)

    made = envelope("info@example.com", "team@example.com", message_id=message_id)
    racing.open(made)
    client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", at_once)
    client.meta.events.register("provide-client-params.dynamodb.UpdateItem", shutting)
    assert racing.close(made, done, 10) == {INFO, TEAM}
    assert message_id in _open_messages(aws, template)
    other.close(late, [Outcome(late.recipients[0], State.FORWARDED, "")], 10)
    assert message_id not in _open_messages(aws, template)


@pytest.mark.parametrize("reason", ["TransactionConflict", "ConditionalCheckFailed"])
def test_where_a_transaction_is_refused_each_outcome_is_written(
    aws: Cloud, template: Template, message_id: str, clock: FakeClock, reason: str
) -> None:
    client = clients.dynamodb()
    refusing = in_dynamodb(client, template, clock)
    made = envelope("info@example.com", message_id=message_id)
    refusing.open(made)
    said: Any = {
        "Error": {"Code": "TransactionCanceledException"},
        "CancellationReasons": [{"Code": "None"}, {"Code": reason}],
    }

    def refuse(**_: object) -> None:
        raise client.exceptions.TransactionCanceledException(said, "TransactWriteItems")

    client.meta.events.register("before-send.dynamodb.TransactWriteItems", refuse)
    assert refusing.close(made, [Outcome(INFO, State.FORWARDED, "")], 10) == {INFO}
    assert message_id not in _open_messages(aws, template)


def test_a_message_to_a_hundred_is_closed_in_two_writes(
    aws: Cloud, template: Template, message_id: str, clock: FakeClock
) -> None:
    client, asked = clients.dynamodb(), list[int]()
    ledger = in_dynamodb(client, template, clock)
    many = envelope(*(f"r{number}@example.com" for number in range(100)), message_id=message_id)
    ledger.open(many)
    client.meta.events.register(
        "provide-client-params.dynamodb.*", lambda params, **_: asked.append(len(params.get("TransactItems", ())))
    )
    assert ledger.close(many, [Outcome(one, State.FORWARDED, "") for one in many.recipients], 10) == {*many.recipients}
    assert asked == [100, 1]
    assert message_id not in _open_messages(aws, template)


def test_what_is_settled_is_read_consistently(
    aws: Cloud, template: Template, message_id: str, clock: FakeClock
) -> None:
    client, asked = clients.dynamodb(), []
    client.meta.events.register(
        "provide-client-params.dynamodb.Query", lambda params, **_: asked.append(params["ConsistentRead"])
    )
    reading = in_dynamodb(client, template, clock)
    for _ in range(2):
        reading.open(envelope("info@example.com", message_id=message_id))
    assert asked == [True]


def test_the_entries_are_those_of_the_design(aws: Cloud, template: Template, message_id: str, clock: FakeClock) -> None:
    """What people and later functions read: names, the sparse index, the expiry."""
    dynamo = in_dynamodb(clients.dynamodb(), template, clock)
    made = envelope("info@example.com", message_id=message_id, spamVerdict={"status": "PASS"})
    dynamo.open(made)
    assert message_id in _open_messages(aws, template)
    dynamo.settle(claimed(dynamo.claim(message_id, JANE, INFO)), ClaimState.SENT, "ses-1")
    dynamo.close(made, [Outcome(INFO, State.FORWARDED, "alias info@example.com")], 995)
    assert message_id not in _open_messages(aws, template)
    rows = {row["entry"]: row for row in aws.rows("LedgerTable") if row["message_id"] == message_id}
    assert set(rows) == {"message", "to:info@example.com", "via:jane@dest.example"}
    message = rows["message"]
    assert (message["source"], message["recipients"], message["size"]) == (
        "betsy@sender.example",
        {"info@example.com"},
        995,
    )
    assert message["verdicts"]["spam"] == "PASS"
    assert {int(row["expires_at"]) for row in rows.values()} == {int(clock.time) + 37 * 86_400}
    assert rows["via:jane@dest.example"]["state"] == "sent"
    assert rows["to:info@example.com"]["reason"] == "alias info@example.com"


def test_an_event_delivered_again_does_not_open_the_message_again(
    aws: Cloud, template: Template, message_id: str, clock: FakeClock
) -> None:
    dynamo = in_dynamodb(clients.dynamodb(), template, clock)
    made = envelope("info@example.com", message_id=message_id)
    dynamo.open(made)
    dynamo.close(made, [Outcome(INFO, State.FORWARDED, "")], 10)
    dynamo.open(made)
    assert message_id not in _open_messages(aws, template)


def _open_messages(aws: Cloud, template: Template) -> set[str]:
    found = aws.dynamodb.query(
        TableName=template.name("LedgerTable"),
        IndexName="open",
        KeyConditionExpression="#open = :open",
        ExpressionAttributeNames={"#open": "open"},
        ExpressionAttributeValues={":open": {"S": "open"}},
    )
    return {item["message_id"]["S"] for item in found["Items"]}


def test_a_destination_that_ses_never_answers_for_is_given_up(ledger: Book, clock: FakeClock, message_id: str) -> None:
    for _ in range(2):
        ledger.settle(claimed(ledger.claim(message_id, JANE, INFO)), ClaimState.UNANSWERED, "timed out")
        clock.time += RETRY_HOURS * 1800
    given_up = ledger.claim(message_id, JANE, INFO)
    assert isinstance(given_up, Settled)
    assert (given_up.state, given_up.recipient) == ("ambiguous", INFO.key)
    assert "may have been sent" in given_up.reason
    assert ledger.claim(message_id, JANE, TEAM) == given_up


def test_a_destination_that_ses_refused_for_now_is_never_given_up(
    ledger: Book, clock: FakeClock, message_id: str
) -> None:
    ledger.settle(claimed(ledger.claim(message_id, JANE, INFO)), ClaimState.RELEASED, "throttled")
    clock.time += 2 * RETRY_HOURS * 3600
    assert not claimed(ledger.claim(message_id, JANE, INFO)).uncertain


def test_the_hours_until_ambiguous_begin_again_once_ses_has_said_no(
    ledger: Book, clock: FakeClock, message_id: str
) -> None:
    """What was throttled for days, and then had one answer lost, is sent again."""
    ledger.settle(claimed(ledger.claim(message_id, JANE, INFO)), ClaimState.RELEASED, "throttled")
    clock.time += 2 * RETRY_HOURS * 3600
    ledger.settle(claimed(ledger.claim(message_id, JANE, INFO)), ClaimState.UNANSWERED, "timed out")
    clock.time += 60
    assert claimed(ledger.claim(message_id, JANE, INFO)).uncertain


def test_only_an_outcome_that_stands_is_carried_on_with(ledger: Book, message_id: str) -> None:
    """Two invocations side by side may decide differently, if a row changes between them: the first one counts."""
    made = envelope("info@example.com", "team@example.com", message_id=message_id)
    ledger.open(made)
    rejected = Outcome(INFO, State.REJECTED, "why", UNKNOWN, Answer(INFO, UNKNOWN))
    assert ledger.close(made, [Outcome(INFO, State.FORWARDED, ""), Outcome(TEAM, State.DEFERRED, "why")], 10) == {
        INFO,
        TEAM,
    }
    assert ledger.close(made, [rejected, Outcome(TEAM, State.FAILED, "no")], 10) == {TEAM}
    assert not ledger.open(made).due
    assert ledger.close(made, [Outcome(INFO, State.FORWARDED, "")], 10) == {INFO}, "as when botocore repeats the call"


def test_an_answer_that_is_due_is_told_until_it_is_given(ledger: Book, message_id: str) -> None:
    made = envelope("info@example.com", "team@example.com", message_id=message_id)
    ledger.open(made)
    due = Outcome(INFO, State.REJECTED, "why", UNKNOWN, Answer(INFO, UNKNOWN))
    ledger.close(made, [due, Outcome(TEAM, State.REJECTED, "why", UNKNOWN, Silence("a robot"))], 10)
    assert ledger.open(made).due
    for _ in range(2):
        ledger.answered(message_id, [INFO], "sent: ses-1", missed=False)
    assert not ledger.open(made).due
    ledger.close(made, [due], 10)
    assert not ledger.open(made).due, "an outcome that is settled stays"


def test_an_answer_may_be_written_before_the_outcome_is(ledger: Book, message_id: str) -> None:
    """The bounce of one destination is faster than the sending to the next."""
    made = envelope("info@example.com", message_id=message_id)
    ledger.open(made)
    ledger.answered(message_id, [INFO], "sent: ses-1", missed=False)
    found = ledger.open(made)
    assert (found.settled, found.due) == (frozenset(), False)
    ledger.close(made, [Outcome(INFO, State.FORWARDED, "why")], 10)
    assert ledger.open(made).settled == {INFO.key}


def test_why_no_one_is_told_is_said_where_nothing_is(aws: Cloud, dynamo: DynamoLedger, message_id: str) -> None:
    for why in ("a robot", "too late"):
        dynamo.unanswered(message_id, INFO, why)
        dynamo.answered(message_id, [TEAM], "sent: ses-1", missed=False)
        dynamo.unanswered(message_id, TEAM, why)
    rows = {row["entry"]: row for row in aws.partition("LedgerTable", message_id=message_id)}
    assert rows["to:info@example.com"]["answer"] == "none: a robot"
    assert rows["to:team@example.com"]["answer"] == "sent: ses-1"
    assert all("expires_at" in row for row in rows.values())


@pytest.mark.parametrize("state", [ClaimState.FAILED, ClaimState.AMBIGUOUS])
def test_the_owner_hears_of_senders_who_could_not_be_told(
    aws: Cloud, dynamo: DynamoLedger, message_id: str, state: ClaimState
) -> None:
    made = envelope("info@example.com", "team@example.com", "x@example.com", message_id=message_id)
    dynamo.open(made)
    silences = (Silence("received more than 23 hours ago", late=True), Silence("a robot"))
    silent = [
        Outcome(who, State.REJECTED, "why", UNKNOWN, silence)
        for who, silence in zip((INFO, TEAM), silences, strict=True)
    ]
    dynamo.close(made, silent, 10)
    assert noted(aws, message_id) == {"unanswered info@example.com"}
    stranger = Address("x", "example.com")
    dynamo.answered(message_id, [stranger], "sent: ses-1", missed=False)
    assert noted(aws, message_id) == {"unanswered info@example.com"}
    dynamo.answered(message_id, [stranger], f"{state}: why", missed=True)
    assert noted(aws, message_id) == {"unanswered info@example.com", "unanswered x@example.com"}


def noted(aws: Cloud, message_id: str) -> set[str]:
    rows = aws.partition("LedgerTable", message_id=message_id)
    (found,) = [row["noted"] for row in rows if row["entry"] == "message"]
    return set(found)


def test_an_answer_is_claimed_apart_from_destinations(ledger: Book, message_id: str, clock: FakeClock) -> None:
    via = claimed(ledger.claim(message_id, INFO, INFO))
    dsn = claimed(ledger.claim_answer(message_id, 1, [INFO, TEAM]))
    with pytest.raises(ClaimHeld, match="dsn:1"):
        ledger.claim_answer(message_id, 1, [TEAM])
    ledger.settle(dsn, ClaimState.SENT, "ses-1")
    group = (INFO.key, TEAM.key)
    assert ledger.claim_answer(message_id, 1, [INFO]) == Settled(ClaimState.SENT, INFO.key, "ses-1", group)
    assert claimed(ledger.claim_answer(message_id, 2, [JANE])).group == (JANE.key,)
    clock.time += LEASE_SECONDS + 2
    taken_over = claimed(ledger.claim(message_id, INFO, INFO))
    assert taken_over.uncertain
    with pytest.raises(ClaimLost, match="via:info@example.com"):
        ledger.settle(via, ClaimState.FAILED, "why")


def test_an_answer_that_may_be_sent_stays_that_of_its_recipients(
    ledger: Book, message_id: str, clock: FakeClock
) -> None:
    claimed(ledger.claim_answer(message_id, 1, [INFO]))
    clock.time += LEASE_SECONDS + 2
    again = claimed(ledger.claim_answer(message_id, 1, [INFO, TEAM]))
    assert (again.uncertain, again.group) == (True, (INFO.key,))
    ledger.settle(again, ClaimState.RELEASED, "it was not sent after all")
    assert claimed(ledger.claim_answer(message_id, 1, [INFO, TEAM])).group == (INFO.key, TEAM.key)


@pytest.mark.function("WatchFunction")
def test_what_is_due_is_found_and_waits_until_nothing_is(ledger: Book, message_id: str, clock: FakeClock) -> None:
    assert ledger.due(message_id) is None
    made = envelope("info@example.com", message_id=message_id)
    ledger.open(made)
    ledger.answer_due(message_id, Answer(INFO, UNKNOWN))
    ledger.answer_due(message_id, Answer(INFO, FAILED))
    found = ledger.due(message_id)
    assert found is not None
    assert (found.source, found.received_at) == (made.source, made.received_at)
    assert found.replies == {INFO: UNKNOWN}
    ledger.answer_later(message_id)
    (old,) = [one for one in ledger.waiting_answers() if one.message_id == message_id]
    ledger.answer_later(message_id)
    ledger.no_longer_waiting(old)
    (new,) = [one for one in ledger.waiting_answers() if one.message_id == message_id]
    ledger.no_longer_waiting(new)
    assert message_id not in [one.message_id for one in ledger.waiting_answers()]
    ledger.answered(message_id, [INFO], "sent: ses-1", missed=False)
    left = ledger.due(message_id)
    assert left is not None
    assert left.replies == {}


def test_the_entries_of_answers(aws: Cloud, dynamo: DynamoLedger, message_id: str) -> None:
    """What people read, and the digest."""
    made = envelope("info@example.com", "team@example.com", message_id=message_id)
    dynamo.open(made)
    due = Outcome(INFO, State.REJECTED, "why", UNKNOWN, Answer(INFO, UNKNOWN))
    dynamo.close(made, [due, Outcome(TEAM, State.REJECTED, "why", UNKNOWN, Silence("a robot"))], 10)
    rows = {row["entry"]: row for row in aws.rows("LedgerTable") if row["message_id"] == message_id}
    assert rows["to:info@example.com"]["answer"] == "due"
    assert rows["to:info@example.com"]["reply"] == "550 5.1.1 There is no such address here"
    assert rows["to:team@example.com"]["answer"] == "none: a robot"
    dynamo.answered(message_id, [INFO], "sent: ses-1", missed=False)
    rows = {row["entry"]: row for row in aws.rows("LedgerTable") if row["message_id"] == message_id}
    assert (rows["to:info@example.com"]["answer"], rows["to:info@example.com"]["state"]) == ("sent: ses-1", "rejected")


def written(ledger: Book, message_id: str, aws: Cloud) -> tuple[str, str] | None:
    """The state and the detail of the claim on JANE, None if there is none."""
    if isinstance(ledger, FakeLedger):
        found = ledger.claims.get((message_id, f"via:{JANE.key}"))
        return (str(found.state), found.detail) if found else None
    rows = aws.partition("LedgerTable", message_id=message_id)
    return next(((row["state"], row["detail"]) for row in rows if row["entry"] == f"via:{JANE.key}"), None)


def test_a_suspended_destination_can_be_claimed_later(ledger: Book, message_id: str, aws: Cloud) -> None:
    assert written(ledger, message_id, aws) is None
    ledger.suspend(message_id, JANE, INFO, "no such mailbox")
    ledger.suspend(message_id, JANE, INFO, "no such mailbox")
    assert written(ledger, message_id, aws) == ("suspended", "no such mailbox")
    claim = claimed(ledger.claim(message_id, JANE, INFO))
    assert not claim.uncertain
    ledger.settle(claim, ClaimState.SENT, "ses-1")
    assert isinstance(ledger.claim(message_id, JANE, INFO), Settled)


@pytest.mark.parametrize("state", [ClaimState.SENT, ClaimState.UNANSWERED, ClaimState.FAILED])
def test_what_was_or_may_have_been_sent_is_never_called_suspended(
    ledger: Book, message_id: str, state: ClaimState
) -> None:
    claim = claimed(ledger.claim(message_id, JANE, INFO))
    ledger.suspend(message_id, JANE, INFO, "no such mailbox")
    ledger.settle(claim, state, "why")
    ledger.suspend(message_id, JANE, INFO, "no such mailbox")
    again = ledger.claim(message_id, JANE, INFO)
    assert again.uncertain if isinstance(again, Claim) else again.state == state


def test_a_claim_is_one_call_for_most_mail_and_two_when_it_is_taken_over(aws: Cloud, dynamo: DynamoLedger) -> None:
    calls: list[str] = []
    dynamo._client.meta.events.register(
        "before-call.dynamodb.*", lambda model, **_: calls.append(model.name), unique_id="count"
    )
    message_id = uuid.uuid4().hex
    claim = claimed(dynamo.claim(message_id, JANE, INFO))
    assert calls == ["UpdateItem"]
    dynamo.settle(claim, ClaimState.RELEASED, "throttled")
    calls.clear()
    claim = claimed(dynamo.claim(message_id, JANE, INFO))
    assert calls == ["UpdateItem", "UpdateItem"]
    dynamo.settle(claim, ClaimState.SENT, "ses-1")
    calls.clear()
    assert isinstance(dynamo.claim(message_id, JANE, INFO), Settled)
    assert calls == ["UpdateItem"]


@pytest.mark.parametrize("state", ClaimState)
def test_the_ledger_says_in_whose_name_a_destination_got_something(
    ledger: Book, message_id: str, state: ClaimState
) -> None:
    to = envelope("info@example.com", message_id=message_id)
    ledger.open(to)
    assert ledger.open(to).reached == frozenset()
    claim = claimed(ledger.claim(message_id, JANE, INFO))
    if state is not ClaimState.CLAIMED:
        ledger.settle(claim, state, "")
    answer = claimed(ledger.claim_answer(message_id, 1, [TEAM]))
    ledger.settle(answer, ClaimState.SENT, "")
    none = state in (ClaimState.FAILED, ClaimState.RELEASED, ClaimState.SUSPENDED)
    assert ledger.open(to).reached == (frozenset() if none else {"info@example.com"})


def test_an_answer_that_is_due_is_overtaken_by_a_copy(ledger: Book, message_id: str) -> None:
    """Two invocations side by side: one read the alias before it was removed, the other after."""
    made = envelope("info@example.com", "team@example.com", message_id=message_id)
    ledger.open(made)
    claim = claimed(ledger.claim(message_id, JANE, INFO))
    outcomes = [Outcome(one, State.REJECTED, "unknown", UNKNOWN, Answer(one, UNKNOWN)) for one in (INFO, TEAM)]
    ledger.close(made, outcomes, 10)
    ledger.settle(claim, ClaimState.SENT, "ses-1")
    found = ledger.due(message_id)
    assert found is not None
    assert (found.replies, tuple(found.served)) == ({TEAM: UNKNOWN}, (INFO,))


def test_a_forward_that_came_back_is_told_of_though_it_was_sent(ledger: Book, message_id: str) -> None:
    made = envelope("info@example.com", message_id=message_id)
    ledger.open(made)
    ledger.settle(claimed(ledger.claim(message_id, JANE, INFO)), ClaimState.SENT, "ses-1")
    ledger.close(made, [Outcome(INFO, State.FORWARDED, "alias")], 10)
    ledger.answer_due(message_id, Answer(INFO, FAILED))
    found = ledger.due(message_id)
    assert found is not None
    assert (found.replies, tuple(found.served)) == ({INFO: FAILED}, ())


def test_attempts_of_the_queue_are_told_apart(ledger: Book, message_id: str) -> None:
    ledger.open(envelope(message_id=message_id))
    assert ledger.begin(message_id, "q1 1") == Attempts()
    assert ledger.begin(message_id, "q1 1") == Attempts(), "a call that botocore repeats"
    ledger.end(message_id, "q1 1")
    assert ledger.begin(message_id, "q1 2") == Attempts(1, 0)
    assert ledger.begin(message_id, "q1 11") == Attempts(2, 1)
    assert ledger.begin(message_id, "q11 1") == Attempts()
    ledger.end(uuid.uuid4().hex, "q1 1")  # nothing is made of a message that has no entry
