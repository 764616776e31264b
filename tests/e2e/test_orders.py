"""The command orders, the function carries it out: release, replay and redrive through the whole system."""

import pytest

from emulator.receiving.authentication import EICAR, GTUBE
from emulator.sending.refusals import Refusal
from emulator.system import Emulator
from tests.command import run as postern
from tests.e2e.test_system import JANE, JOE, NOT_NOW, Post, message


@pytest.fixture
def post(emulator: Emulator) -> Post:
    emulator.cloud.messages("DeadLetterQueue")
    return Post(emulator)


def command(post: Post, *arguments: str) -> tuple[int, str]:
    done = postern(*arguments, **post.emulator.environment)
    return done.status, done.out + done.err


def state(post: Post, message_id: str, recipient: str) -> str:
    return str(post.ledger(message_id)[f"to:{recipient}"]["state"])


def test_what_is_released_is_forwarded_once(post: Post) -> None:
    message_id = post.send("info@example.com", "team@example.com", raw=message(GTUBE + b"\r\n"))
    assert post.arrived() == {}
    assert command(post, "quarantine", "release", message_id, "--recipient", "team@example.com")[0] == 0
    assert post.emulator.retries.consume() == [None]
    assert post.arrived() == {JANE: 1, JOE: 1}
    assert state(post, message_id, "team@example.com") == "forwarded"
    assert state(post, message_id, "info@example.com") == "quarantined"
    assert "open" not in post.ledger(message_id)["message"]
    assert command(post, "quarantine", "release", message_id, "--recipient", "team@example.com")[0] == 1


def test_a_release_outlives_a_retry(post: Post) -> None:
    message_id = post.send("info@example.com", raw=message(GTUBE + b"\r\n"))
    post.emulator.sending.script[JANE] = [NOT_NOW]
    assert command(post, "quarantine", "release", message_id)[0] == 0
    (error,) = post.emulator.retries.consume()
    assert error is not None
    post.emulator.retries.wake()
    assert post.emulator.retries.consume() == [None]
    assert post.arrived() == {JANE: 1}


def test_a_virus_stays(post: Post) -> None:
    message_id = post.send("info@example.com", raw=message(EICAR + b"\r\n"))
    assert command(post, "quarantine", "release", message_id)[0] == 1
    assert post.emulator.retries.consume() == []


def test_a_replay_again_sends_a_second_copy_and_one_without_none(post: Post) -> None:
    message_id = post.send("info@example.com")
    assert command(post, "replay", message_id)[0] == 1
    assert post.emulator.retries.consume() == []
    assert command(post, "replay", message_id, "--again")[0] == 0
    assert post.emulator.retries.consume() == [None]
    assert post.arrived() == {JANE: 2}
    assert "open" not in post.ledger(message_id)["message"]


def test_a_replay_of_what_failed_leaves_what_was_sent(post: Post) -> None:
    refused = Refusal("MessageRejected", 400, "Refused for good")
    post.emulator.sending.script[JOE] = [refused] * 5
    message_id = post.send("team@example.com")
    assert state(post, message_id, "team@example.com") == "failed"
    assert command(post, "replay", message_id, "--failed")[0] == 0
    assert post.emulator.retries.consume() == [None]
    assert post.arrived() == {JANE: 1, JOE: 1, "betsy@sender.example": 1}, "betsy was told of the failure"
    assert state(post, message_id, "team@example.com") == "forwarded"
    assert "answer" not in post.ledger(message_id)["to:team@example.com"]


def test_a_message_no_function_saw_is_run_for_the_recipients_a_person_names(post: Post) -> None:
    seen = post.send("info@example.com")
    bucket = post.emulator.template.name("MailBucket")
    raw = post.emulator.cloud.s3.get_object(Bucket=bucket, Key=f"inbound/{seen}")["Body"].read()
    message_id = "unseen" + seen[6:]
    post.emulator.cloud.s3.put_object(
        Bucket=bucket, Key=f"inbound/{message_id}", Body=raw.replace(seen.encode(), message_id.encode())
    )
    status, said = command(post, "replay", message_id)
    assert (status, f"postern replay {message_id} --recipient info@example.com" in said) == (1, True)
    assert command(post, "replay", message_id, "--recipient", "info@example.com")[0] == 0
    assert post.emulator.retries.consume() == [None]
    assert post.arrived() == {JANE: 2}
    assert post.ledger(message_id)["message"]["source"] == "betsy@sender.example"


def test_a_dead_letter_is_redriven_and_delivered(post: Post) -> None:
    post.emulator.sending.script[JANE] = [Refusal("SendingPausedException", 400, "Sending is paused.")] * 44
    message_id = post.send("info@example.com")
    for _ in range(41):
        post.emulator.retries.wake()
        post.emulator.retries.consume()
    post.emulator.retries.wake()
    assert post.emulator.retries.consume() == []
    assert command(post, "redrive")[0] == 0
    assert post.emulator.retries.consume() == [None]
    assert post.arrived() == {JANE: 1}
    assert state(post, message_id, "info@example.com") == "forwarded"
    assert post.emulator.cloud.messages("DeadLetterQueue") == []
