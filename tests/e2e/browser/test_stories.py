"""What people do on the page, in a real browser, on the whole system; the first with a keyboard alone."""

import smtplib
import time

import pytest

from emulator.cloud import HOST
from emulator.receiving.authentication import GTUBE
from tests.e2e.browser.conftest import Served
from tests.e2e.browser.person import Person
from tests.e2e.test_system import JANE, Post, message

INFO = "info@example.com"


@pytest.fixture
def post(emulator: object) -> Post:
    return Post(emulator)  # type: ignore[arg-type]


def kept(post: Post, sender: str = "bo@sender.example") -> str:
    message_id = post.send(INFO, raw=message(body=GTUBE), sender=sender)
    assert post.ledger(message_id)[f"to:{INFO}"]["state"] == "quarantined"
    return message_id


def retried(post: Post) -> None:
    """What the page put on the retry queue has run."""
    deadline = time.monotonic() + 20  # seconds; a guard
    while not post.emulator.retries.consume():
        assert time.monotonic() < deadline, "nothing was on the queue"
        time.sleep(0.1)
    post.emulator.settle()


def test_a_quarantined_message_is_released_by_keyboard_alone(person: Person, post: Post, served: Served) -> None:
    message_id = kept(post)
    address, pages = person.do("address")
    assert (address, pages) == (f"{served.here}/", 2), "the token is in no address, and not in the history"
    person.enter("Quarantine")
    person.enter(f"Look at {message_id[:8]}")
    assert "quarantined" in person.text
    person.enter("Release")
    assert f"Done: message {message_id[:8]} runs again for {INFO}" in person.text
    assert f"postern quarantine release {message_id}" in person.text
    retried(post)
    assert post.arrived() == {JANE: 1}, "it is in the Maildir"
    assert person.do("said") == [], "neither an error nor a style or script that the policy refused"


@pytest.mark.long
def test_a_message_is_released_for_one_of_two(person: Person, post: Post) -> None:
    message_id = post.send(INFO, "team@example.com", raw=message(body=GTUBE))
    person.click("link", "Quarantine")
    person.click("link", f"Look at {message_id[:8]}")
    person.do("click", role="checkbox", name="team@example.com")
    person.click("button", "Release")
    assert f"runs again for {INFO} postern quarantine release {message_id} --recipient {INFO}" in person.text
    retried(post)
    assert post.arrived() == {JANE: 1}
    assert post.ledger(message_id)["to:team@example.com"]["state"] == "quarantined"


@pytest.mark.long
def test_an_alias_is_added_and_gets_mail(person: Person, post: Post) -> None:
    person.enter("Aliases")
    person.enter("New alias")
    person.write("address", "letters@example.com")
    person.write("destinations", "jane@dest.example")
    person.write("note", "made with a keyboard")
    person.enter("Show what is added")
    assert "Nothing is written yet" in person.text
    person.enter("Write it")
    assert "alias letters@example.com is added" in person.text
    post.send("letters@example.com")
    assert post.arrived() == {JANE: 1}
    person.click("link", "Aliases")
    person.fill("Where would mail go for", "letters")
    person.click("button", "Ask")
    assert "letters: forward to jane@dest.example" in person.text


@pytest.mark.long
def test_a_sender_is_blocked_and_hears_it(person: Person, post: Post) -> None:
    message_id = kept(post, "pest@sender.example")
    person.click("link", "Quarantine")
    person.click("link", f"Look at {message_id[:8]}")
    person.click("link", "Block this sender")
    assert "postern sender add pest@sender.example REJECT" in person.text
    person.click("button", "Write it")
    assert "sender rule pest@sender.example is added" in person.text
    with smtplib.SMTP(HOST, post.emulator.receiving.port) as client:
        client.sendmail("pest@sender.example", [INFO], message())
    post.emulator.settle()
    assert post.arrived() == {"pest@sender.example": 1}, "what his server was told, and nothing for Jane"


@pytest.mark.long
def test_a_header_rule_is_made_and_quarantines(person: Person, post: Post) -> None:
    person.enter("Header rules")
    person.enter("New header rule")
    person.write("action", "HOLD")
    person.write("subject", "contains casino")
    person.enter("Show the rule")
    assert "postern rule add 10 HOLD --subject 'contains casino'" in person.text
    person.enter("Write it")
    assert "header rule 010 is added" in person.text
    message_id = post.send(INFO, raw=message().replace(b"Subject: hi", b"Subject: The CASINO of your dreams"))
    assert post.ledger(message_id)[f"to:{INFO}"]["state"] == "quarantined"
    post.send(INFO)
    assert post.arrived() == {JANE: 1}
    person.enter("Rule 10")
    person.enter("Remove")
    person.enter("Write it")
    assert "header rule 010 is removed" in person.text


@pytest.mark.long
def test_a_destination_is_resumed_and_gets_what_it_missed(person: Person, post: Post) -> None:
    post.emulator.cloud.put("DestinationTable", [{"address": JANE, "suspended_at": 1, "reason": "it bounced"}])
    post.send(INFO)
    assert post.arrived() == {}
    person.click("link", "Destinations")
    assert "it bounced" in person.text
    person.click("button", f"Resume {JANE}")
    assert f"{JANE} is resumed" in person.text
    person.click("button", f"Redeliver to {JANE}")
    assert "run again for" in person.text
    retried(post)
    assert post.arrived()[JANE] >= 1
