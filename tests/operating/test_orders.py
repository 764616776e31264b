"""`postern replay`, `postern quarantine` and `postern redrive`: what they read, open, and put on the queue."""

import json
import uuid
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.reopening import Reopening
from postern_mail.aws.watch.backlog import Backlog
from postern_mail.errors import Unavailable
from postern_mail.mail.address import Address
from postern_mail.mail.dsn import Answer
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.outcomes import State
from postern_mail.mail.reply import POLICY
from postern_mail.mail.verdicts import Verdicts
from postern_mail.ports.forward import Outcome

from tests.builders import event, verdict
from tests.operating.conftest import Office
from tests.unit.test_receipt import BLOCK, ID

INFO = ("info@example.com", "forwarded", "alias info@example.com")
SPAM = ("team@example.com", "quarantined", "spam FAIL")
WAITS = ("late@example.com", "deferred", "SES is busy")


def run_again(office: Office) -> list[Envelope]:
    """The envelopes on the retry queue, as the function will read them."""
    return [Envelope.from_event(record["requestPayload"]) for record in office.queued()]


def addresses(made: Envelope) -> list[str]:
    return list(map(str, made.recipients))


def test_a_replay_runs_what_is_not_settled(office: Office) -> None:
    message_id = office.happened(INFO, WAITS, spamVerdict=verdict("PASS"))
    office.store(message_id)
    done = office.run("replay", message_id)
    assert (done.status, done.out) == (0, f"{message_id}  runs again for late@example.com\n")
    (made,) = run_again(office)
    assert (made.message_id, made.source, addresses(made)) == (message_id, "betsy@sender.example", ["late@example.com"])
    assert made.verdicts.spam == "PASS"
    assert "reopened" not in office.entries(message_id)["to:info@example.com"]


def test_a_replay_again_opens_what_is_settled_and_says_who_did(office: Office) -> None:
    message_id = office.happened(INFO)
    office.sent(message_id, "jane@dest.example", "info@example.com")
    office.store(message_id)
    assert office.run("replay", message_id).status == 1
    assert office.run("replay", message_id, "--again").status == 0
    assert [addresses(made) for made in run_again(office)] == [["info@example.com"]]
    entries = office.entries(message_id)
    assert (entries["message"]["open"], entries["message"]["pending"]) == ("open", {"info@example.com"})
    outcome, claim = entries["to:info@example.com"], entries["via:jane@dest.example"]
    assert (outcome["state"], claim["state"]) == ("deferred", "released")
    assert (outcome["reopened"][0]["state"], claim["reopened"][0]["detail"]) == ("forwarded", "ses-1")
    assert outcome["reopened"][0]["by"] == entries["message"]["reopened_by"] == claim["reopened"][0]["by"]
    assert "first_at" not in claim
    assert office.ledger.open(made_again(message_id)).settled == frozenset()


def test_what_is_opened_again_owes_the_sender_nothing_yet(office: Office) -> None:
    """An answer that is due would say of a recipient what may not be so after the next run."""
    made = made_again("due-0001")
    (who,) = made.recipients
    office.ledger.open(made)
    office.ledger.close(made, [Outcome(who, State.FAILED, "SES refused it", answer=Answer(who, POLICY))], 1234)
    assert office.ledger.open(made).due
    office.store(made.message_id)
    assert office.run("replay", made.message_id, "--failed").status == 0
    assert not office.ledger.open(made).due
    assert office.entries(made.message_id)["to:info@example.com"]["reopened"][0]["answer"] == "due"


def made_again(message_id: str) -> Envelope:
    return Envelope.from_event(event("info@example.com", message_id=message_id))


def test_a_dry_run_writes_nothing(office: Office) -> None:
    message_id = office.happened(INFO, SPAM, WAITS)
    office.store(message_id)
    before = office.entries(message_id)
    for command in (("replay", "--again"), ("quarantine", "release")):
        done = office.run(*command, message_id, "--dry-run", "--json")
        assert (done.status, done.objects[0]["message_id"]) == (0, message_id)
    assert (office.entries(message_id), office.queued()) == (before, [])


def test_one_that_cannot_be_run_does_not_stop_the_others(office: Office) -> None:
    gone, good = office.happened(WAITS), office.happened(WAITS)
    office.store(good)
    done = office.run("replay", gone, good)
    assert (done.status, [made.message_id for made in run_again(office)]) == (1, [good])
    assert f"message {gone}: no object inbound/{gone}" in done.err


def test_a_message_no_one_saw_runs_for_the_recipients_a_person_names(office: Office) -> None:
    office.store(ID, BLOCK.replace(b"%b", b"fail") + b"Subject: s\r\n\r\nbody")
    done = office.run("replay", ID)
    assert done.status == 1
    assert f"postern replay {ID} --recipient info@example.com" in done.err
    assert office.queued() == []
    assert office.run("replay", ID, "--recipient", "team@example.com").status == 0
    (made,) = run_again(office)
    assert (made.source, addresses(made), made.verdicts.virus) == ("b@sender.example", ["team@example.com"], "FAIL")


@pytest.mark.parametrize("ends", [b"X-SES-RECEIPT: forged\r\n", b"X-Mailer: x\r\nX-SES-RECEIPT: forged\r\n"])
def test_verdicts_that_the_sender_forged_are_not_run(office: Office, ends: bytes) -> None:
    """SES left out its own; what follows a field that is not SES's is the sender's."""
    trace = BLOCK.partition(b"X-SES-Spam")[0]
    forged = b"Authentication-Results: amazonses.com; spf=pass; dkim=pass; dmarc=pass\r\n"
    office.store(ID, trace + b"X-Mailer: x\r\n" + forged + ends + b"Subject: s\r\n\r\nbody")
    assert office.run("replay", ID, "--recipient", "info@example.com").status == 1
    office.store(ID, trace + b"X-SES-RECEIPT: x\r\n" + forged + ends + b"Subject: s\r\n\r\nbody")
    assert office.run("replay", ID, "--recipient", "info@example.com").status == 0
    (made,) = run_again(office)
    assert made.verdicts == Verdicts()


def test_what_ses_did_not_write_is_not_run(office: Office) -> None:
    office.store("stray")
    done = office.run("replay", "stray", "--recipient", "info@example.com")
    assert (done.status, office.queued()) == (1, [])
    assert "SES did not store this message" in done.err


def test_the_quarantine_is_listed_and_shown(office: Office) -> None:
    message_id = office.happened(INFO, SPAM)
    office.happened(INFO)
    (row,) = office.run("quarantine", "list", "--json").objects
    assert (row["message_id"], row["recipient"], row["reason"]) == (message_id, "team@example.com", "spam FAIL")
    assert f"{message_id}  team@example.com  betsy@sender.example  spam FAIL" in office.run("quarantine", "list").out
    assert "team@example.com  quarantined  spam FAIL" in office.run("quarantine", "show", message_id).out


def test_a_release_is_written_down_and_the_function_is_told(office: Office) -> None:
    message_id = office.happened(INFO, SPAM)
    office.store(message_id)
    assert office.run("quarantine", "release", message_id).status == 0
    assert [addresses(made) for made in run_again(office)] == [["team@example.com"]]
    entry = office.entries(message_id)["to:team@example.com"]
    assert entry["released_by"]
    assert entry["reason"].startswith("released by ")
    assert office.ledger.open(made_again(message_id)).released == {"team@example.com"}
    assert office.run("quarantine", "list", "--json").objects == []
    again = office.run("quarantine", "release", message_id)
    assert (again.status, len(run_again(office))) == (0, 1), "the event may never have been sent"
    assert office.run("quarantine", "release", message_id, "--recipient", "info@example.com").status == 1


def test_a_virus_is_not_released(office: Office) -> None:
    message_id = office.happened(SPAM, virusVerdict=verdict("FAIL"))
    office.store(message_id)
    done = office.run("quarantine", "release", message_id)
    assert (done.status, "virus" in done.err, office.queued()) == (1, True, [])


def dead(office: Office, body: Any) -> None:
    office.cloud.sqs.send_message(QueueUrl=office.url("DeadLetterQueue"), MessageBody=json.dumps(body))


def test_dead_letters_go_back_but_for_those_whose_message_expired(office: Office) -> None:
    alive, expired = uuid.uuid4().hex, uuid.uuid4().hex
    office.store(alive)
    for message_id in (alive, expired):
        dead(office, {"requestPayload": event("info@example.com", message_id=message_id), "n": message_id})
    dead(office, {"Records": []})
    dry = office.run("redrive", "--dry-run")
    assert (dry.status, dry.out) == (1, f"{alive}  would go back, for info@example.com\n")
    done = office.run("redrive")
    assert (done.status, done.out) == (1, f"{alive}  goes back, for info@example.com\n")
    assert f"stays: {expired}, first failed 20" in done.err
    assert "it has expired" in done.err
    assert "not an SES receipt event" in done.err
    assert [record["n"] for record in office.queued()] == [alive]
    assert Backlog(clients.sqs(), office.url("DeadLetterQueue")).count() == 2, "also none that is hidden"
    assert len(office.queued("DeadLetterQueue")) == 2


def test_one_dead_letter_alone(office: Office) -> None:
    ids = [uuid.uuid4().hex for _ in range(12)]
    for message_id in ids:
        office.store(message_id)
        dead(office, {"requestPayload": event("info@example.com", message_id=message_id), "n": message_id})
    assert office.run("redrive", ids[3], "--json").objects == [
        {"message_id": ids[3], "recipients": ["info@example.com"]}
    ]
    assert [record["n"] for record in office.queued()] == [ids[3]]
    assert len(office.queued("DeadLetterQueue")) == 11


def test_no_dead_letters_is_well(office: Office) -> None:
    assert office.run("redrive").status == 0


def test_what_is_settled_but_open_is_closed_by_a_replay(office: Office) -> None:
    """As `postern doctor` advises, and with nothing sent: what an owner is to hear of it stays noted."""
    message_id = office.happened(SPAM)
    office.store(message_id)
    office.cloud.dynamodb.update_item(
        TableName=office.template.name("LedgerTable"),
        Key={"message_id": {"S": message_id}, "entry": {"S": "message"}},
        UpdateExpression="SET #open = :open ADD pending :who",
        ExpressionAttributeNames={"#open": "open"},
        ExpressionAttributeValues={":open": {"S": "open"}, ":who": {"SS": ["team@example.com"]}},
    )
    assert office.run("replay", message_id).status == 0
    (made,) = run_again(office)
    assert office.ledger.open(made).settled == {"team@example.com"}
    office.ledger.close(made, [], 0)
    message = office.entries(message_id)["message"]
    assert ("open" in message, message["noted"]) == (False, {"quarantined team@example.com"})


def test_an_order_that_is_cut_off_leaves_the_owners_news(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a message that was not released after all would be in no list and no digest any more."""
    message_id = office.happened(SPAM)
    office.store(message_id)

    def cut_off(*_: object, **__: object) -> None:
        raise Unavailable("the network is gone")

    with monkeypatch.context() as patched:
        patched.setattr(Reopening, "recipients", cut_off)
        assert office.run("quarantine", "release", message_id).status == 3
    assert message_id in office.run("quarantine", "list").out
    assert office.run("quarantine", "release", message_id).status == 0
    assert message_id not in office.run("quarantine", "list").out
    assert "noted" not in office.entries(message_id)["message"]


def test_a_domain_that_was_held_gets_what_it_missed(office: Office) -> None:
    """All its destinations but those suspended by themselves; no one elsewhere."""
    held = ("info@example.com", "quarantined", "jane@dest.example is suspended")
    message_id = office.happened(
        held,
        ("team@example.com", "quarantined", "joe@dest.example is suspended"),
        ("other@example.com", "quarantined", "x@other.example is suspended"),
    )
    office.store(message_id)
    for destination, recipient in (
        ("jane@dest.example", "info@example.com"), ("joe@dest.example", "team@example.com"),
        ("x@other.example", "other@example.com"),
    ):  # fmt: skip
        office.ledger.suspend(message_id, Address.parse(destination), Address.parse(recipient), "held")
    where = {"POSTERN_DESTINATION_TABLE": office.template.name("DestinationTable")}
    office.cloud.put("DestinationTable", [{"address": "@dest.example", "suspended_at": 1}])
    assert office.run("destination", "redeliver", "@dest.example", **where).status == 1
    office.cloud.put(
        "DestinationTable", [{"address": "@dest.example"}, {"address": "joe@dest.example", "suspended_at": 1}]
    )
    done = office.run("destination", "redeliver", "@dest.example", **where)
    assert (done.status, done.out) == (0, f"{message_id}  runs again for info@example.com\n")
    assert [addresses(made) for made in run_again(office)] == [["info@example.com"]]
    office.cloud.put("DestinationTable", [{"address": "joe@dest.example"}])
    assert "it missed nothing" in office.run("destination", "redeliver", "@none.example", **where).err
