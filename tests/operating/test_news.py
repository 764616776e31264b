"""What the digest reads, from a ledger that was written as the function writes it."""

import time

from postern_mail.aws import clients
from postern_mail.aws.destinations import DynamoDestinations
from postern_mail.aws.feedback.ledger import DynamoFeedbackLedger
from postern_mail.aws.forward.ledger import DynamoLedger
from postern_mail.aws.watch.backlog import Backlog
from postern_mail.aws.watch.facts import StackFacts
from postern_mail.aws.watch.state import DynamoWatchState
from postern_mail.aws.watch.summaries import DynamoSummaries
from postern_mail.mail.address import Address
from postern_mail.mail.digest import DEAD, STUCK, SUSPENDED, UNSEEN, Noted
from postern_mail.mail.feedback import Feedback
from postern_mail.mail.summaries import NO_ALIAS, Summary, Use
from postern_mail.mail.tags import destination_tag
from postern_mail.mail.week import section

from tests.builders import TAG_KEY
from tests.fakes import RETRY_HOURS, FakeClock
from tests.operating.conftest import Office
from tests.rights import acting

INFO, TEAM = "info@example.com", "team@example.com"


def news(office: Office, destination_table: str = "") -> StackFacts:
    with acting("DigestFunction", office.template.stack):
        dynamodb, sqs = clients.dynamodb(), clients.sqs()
    return StackFacts(
        DynamoWatchState(dynamodb, office.template.name("LedgerTable"), keep_days=37),
        Backlog(sqs, office.url("DeadLetterQueue")),
        clock=FakeClock(time.time()),
        retry_hours=RETRY_HOURS,
        keep_days=37,
        destinations=DynamoDestinations(dynamodb, destination_table, FakeClock()) if destination_table else None,
        summaries=DynamoSummaries(dynamodb, office.template.name("LedgerTable")),
        stack="postern",
    )


def noted(word: str, message_id: str, who: str = TEAM) -> Noted:
    return Noted(word, message_id, "betsy@sender.example", who, 0)


def test_what_an_owner_must_know_is_noted_with_its_time_and_reason(office: Office) -> None:
    office.clock.time -= 10 * 86_400
    message_id = office.happened((INFO, "forwarded", ""), (TEAM, "deferred", "busy"))
    office.clock.time += 10 * 86_400
    before = int(office.clock.time)
    office.happened((INFO, "forwarded", ""), (TEAM, "failed", "SES: no"), message_id=message_id)
    assert list(news(office).noted(before, time.time())) == [
        Noted("failed", message_id, "betsy@sender.example", TEAM, before)
    ]
    assert list(news(office).noted(before + 1, time.time())) == []
    assert news(office).reason(noted("failed", message_id)) == "SES: no"
    assert news(office).reason(noted("failed", message_id, "x")) == ""


def test_what_becomes_of_a_message_that_is_run_again_late_is_told(office: Office) -> None:
    """Its object may be as old as the bucket keeps one, and a dead letter that was put back as old again."""
    office.clock.time -= 29 * 86_400
    message_id = office.happened((TEAM, "quarantined", "spam"))
    office.store(message_id)
    assert office.run("quarantine", "release", message_id).status == 0
    office.clock.time += 29 * 86_400
    office.happened((TEAM, "failed", "SES: no"), message_id=message_id)
    assert [(one.word, one.message_id) for one in news(office).noted(time.time() - 3600, time.time())] == [
        ("failed", message_id)
    ]


def test_a_sender_who_was_not_told_is_named_with_why(office: Office) -> None:
    message_id = office.happened((TEAM, "rejected", "unknown"))
    office.ledger.answered(
        message_id, [Address("team", "example.com")], "failed: received more than 23 hours ago", missed=True
    )
    (found,) = [one for one in news(office).noted(time.time() - 3600, time.time()) if one.message_id == message_id]
    assert (found.word, found.source) == ("unanswered", "betsy@sender.example")
    assert news(office).reason(found) == "failed: received more than 23 hours ago"


def test_what_was_lost_on_the_way_is_told_with_who_refused_it(office: Office) -> None:
    message_id = office.happened((TEAM, "forwarded", ""))
    ledger = DynamoLedger(
        clients.dynamodb(), office.template.name("LedgerTable"), clock=FakeClock(), lease_seconds=1, keep_days=37,
        retry_hours=RETRY_HOURS,
    )  # fmt: skip
    jane = Address("jane", "dest.example")
    for destination in (jane, Address("joe", "dest.example")):
        ledger.claim(message_id, destination, Address("team", "example.com"))
    feedback = DynamoFeedbackLedger(
        clients.dynamodb(), office.template.name("LedgerTable"), FakeClock(time.time()), TAG_KEY
    )
    feedback.note(
        Feedback("bounced", message_id, destination_tag(TAG_KEY, message_id, jane), 100, why="554 no", type="Permanent")
    )
    feedback.lost(message_id, TEAM, jane.key)
    (found,) = [one for one in news(office).noted(time.time() - 60, time.time()) if one.message_id == message_id]
    assert (found.word, found.source, found.who) == ("lost", "betsy@sender.example", TEAM)
    assert news(office).reason(found) == "jane@dest.example: 554 no"
    office.store(message_id)
    office.run("replay", message_id, "--failed")
    assert not [one for one in news(office).noted(time.time() - 60, time.time()) if one.message_id == message_id]


def test_what_is_ordered_to_run_again_is_no_news(office: Office) -> None:
    message_id = office.happened((INFO, "quarantined", "spam"), (TEAM, "quarantined", "spam"))
    office.store(message_id)
    office.run("quarantine", "release", message_id, "--recipient", INFO)
    assert [one.who for one in news(office).noted(time.time() - 3600, time.time())] == [TEAM]


def test_nothing_stands(office: Office) -> None:
    assert news(office).standing() == ()


def test_what_stands(office: Office) -> None:
    office.clock.time -= 3 * 86_400
    stuck = office.happened((INFO, "deferred", "busy"))
    book = DynamoWatchState(clients.dynamodb(), office.template.name("LedgerTable"), keep_days=37)
    book.remember("lost", 1.0)
    book.remember(stuck, 1.0)
    office.cloud.sqs.send_message(QueueUrl=office.url("DeadLetterQueue"), MessageBody="{}")
    row = {"address": "jane@dest.example", "suspended_at": 1, "reason": "NoEmail"}
    office.cloud.put("DestinationTable", [row])
    found = news(office, office.template.name("DestinationTable")).standing()
    office.cloud.delete("DestinationTable", [{"address": "jane@dest.example"}])
    assert {one.word: (one.total, [(line.text, line.todo) for line in one.lines]) for one in found} == {
        DEAD: (1, [("All of them", "postern redrive --dry-run --stack postern")]),
        STUCK: (1, [(stuck, f"postern replay {stuck} --stack postern")]),
        UNSEEN: (1, [("lost", "postern replay lost --stack postern")]),
        SUSPENDED: (
            1, [("jane@dest.example: NoEmail", "postern destination resume jane@dest.example --stack postern")]
        ),
    }  # fmt: skip


def test_the_figures_of_a_week(office: Office) -> None:
    book = DynamoSummaries(clients.dynamodb(), office.template.name("LedgerTable"))
    for day, number in (("2026-11-08", 9), ("2026-11-09", 8), ("2026-11-16", 5), ("2026-11-22", 7), ("2026-11-23", 9)):
        uses = {INFO: Use({"forwarded": number - 1}, 1), NO_ALIAS: Use({"rejected": 1})}
        book.keep(day, Summary({"forwarded": number - 1, "rejected": 1}, uses), 1)
    found = section("2026-11-22", news(office).week("2026-11-22"))
    assert found is not None
    assert [line.text for line in found.lines] == [
        "12 came; 8 in the week before.",
        "10 sent on, 2 rejected.",
        "Most used: info@example.com 10.",
        "Not counted yet: 2026-11-17, 2026-11-18, 2026-11-19, 2026-11-20, 2026-11-21.",
    ]
    assert section("2026-08-02", news(office).week("2026-08-02")) is None
