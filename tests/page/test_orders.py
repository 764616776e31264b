"""Orders for a message: for the recipients that were shown and left ticked, and for no other."""

from typing import Any

import pytest

from tests.builders import stored, verdict
from tests.page.browsing import Browser

INFO, TEAM, ANN, SALES = (f"{name}@example.com" for name in ("info", "team", "ann", "sales"))
RECIPIENT = "recipient.q"


def quarantined(ann: Browser, *recipients: str, **options: Any) -> str:
    message_id = ann.office.happened(*((who, "quarantined", "spam") for who in recipients), **options)
    ann.office.store(message_id)
    return message_id


def states(ann: Browser, message_id: str) -> dict[str, str]:
    found = ann.office.entries(message_id)
    return {name.removeprefix("to:"): row["state"] for name, row in found.items() if name.startswith("to:")}


def queued(ann: Browser) -> list[list[str]]:
    """The recipients of each run that was ordered."""
    return [sorted(one["requestPayload"]["Records"][0]["ses"]["receipt"]["recipients"]) for one in ann.office.queued()]


def command(ann: Browser, message_id: str) -> str:
    """The command shown with what was done."""
    found = ann.page(f"/message?id={message_id}")
    (notice,) = (one for one in found.tree.iter("div") if one.get("class") == "notice")
    return "".join(next(notice.iter("code")).itertext())


def quoted(*recipients: str) -> list[str]:
    return [who.replace("@", "%40") for who in recipients]


def test_all_are_ticked(ann: Browser) -> None:
    message_id = quarantined(ann, INFO, TEAM)
    page = ann.page(f"/message?id={message_id}")
    assert page.form("/message/release")[RECIPIENT] == quoted(INFO, TEAM)
    assert page.send("/message/release").status_code == 303
    assert command(ann, message_id) == f"postern quarantine release {message_id} --recipient {INFO} --recipient {TEAM}"
    assert states(ann, message_id) == {INFO: "deferred", TEAM: "deferred"}
    assert queued(ann) == [[INFO, TEAM]]


def test_a_release_is_for_those_ticked(ann: Browser) -> None:
    message_id = quarantined(ann, INFO, TEAM, ANN)
    page = ann.page(f"/message?id={message_id}")
    assert page.send("/message/release", **{RECIPIENT: quoted(ANN, INFO)}).status_code == 303
    assert command(ann, message_id) == f"postern quarantine release {message_id} --recipient {ANN} --recipient {INFO}"
    assert states(ann, message_id) == {INFO: "deferred", TEAM: "quarantined", ANN: "deferred"}
    assert queued(ann) == [[ANN, INFO]]


def test_the_command_shown_does_the_same(ann: Browser) -> None:
    message_id = quarantined(ann, INFO, TEAM)
    ann.office.run("quarantine", "release", message_id, "--recipient", TEAM)
    by_command, queue = states(ann, message_id), queued(ann)
    other = quarantined(ann, INFO, TEAM)
    page = ann.page(f"/message?id={other}")
    assert page.send("/message/release", **{RECIPIENT: quoted(TEAM)}).status_code == 303
    assert (states(ann, other), queued(ann)) == (by_command, queue)


@pytest.mark.parametrize("action", ["release", "replay", "delete"])
def test_none_ticked_is_for_none_and_not_for_all(ann: Browser, action: str) -> None:
    message_id = quarantined(ann, INFO, TEAM)
    form = {"id": message_id, "form_token": ann.gate.form_token(f"/message/{action}"), "which": "again"}
    for typed in ({}, {"recipient": ""}, {"recipient": " "}, {"named": " , "}):
        found = ann.post(f"/message/{action}", {**form, **typed})
        assert found.status_code == 400, (typed, found.text)
    assert (set(states(ann, message_id).values()), queued(ann)) == ({"quarantined"}, [])


@pytest.mark.parametrize("action", ["release", "replay"])
def test_what_is_quarantined_since_it_was_shown_stays(ann: Browser, action: str) -> None:
    message_id = ann.office.happened((INFO, "quarantined", "spam"), (TEAM, "quarantined", "spam"), (ANN, "pending", ""))
    ann.office.store(message_id)
    page = ann.page(f"/message?id={message_id}")
    assert page.form("/message/release")[RECIPIENT] == quoted(INFO, TEAM)
    ann.office.happened((ANN, "quarantined", "spam"), message_id=message_id)
    ticked = {RECIPIENT: quoted(INFO, TEAM)}
    number = {"release": 0, "replay": 1}[action]
    assert page.send(f"/message/{action}", number, **ticked).status_code == 303
    assert states(ann, message_id) == {INFO: "deferred", TEAM: "deferred", ANN: "quarantined"}
    assert queued(ann) == [[INFO, TEAM]]


def test_nor_is_another_copy_deleted(ann: Browser) -> None:
    message_id = quarantined(ann, INFO, TEAM)
    form = {**ann.page(f"/message?id={message_id}").form("/message/delete"), RECIPIENT: quoted(INFO)}
    refused = ann.post("/message/delete", form)
    assert (refused.status_code, f"it is quarantined for {TEAM} too" in refused.text) == (409, True)
    assert set(states(ann, message_id).values()) == {"quarantined"}
    assert ann.page(f"/message?id={message_id}").send("/message/delete").status_code == 303
    assert "the bucket no longer has it" in ann.page(f"/message?id={message_id}").text


def test_a_stranger_to_the_message_gets_nothing(ann: Browser) -> None:
    message_id = quarantined(ann, INFO, TEAM)
    page = ann.page(f"/message?id={message_id}")
    for wrong in (SALES, "not an address", "*", "@example.com"):
        found = page.send("/message/release", **{RECIPIENT: quoted(INFO, wrong)})
        assert found.status_code in (400, 409), wrong
    assert (set(states(ann, message_id).values()), queued(ann)) == ({"quarantined"}, [])


def test_an_order_is_offered_for_whom_it_makes_sense(ann: Browser) -> None:
    message_id = ann.office.happened(
        (INFO, "forwarded", ""), (TEAM, "failed", "550"), (ANN, "quarantined", "spam"), (SALES, "pending", "")
    )
    ann.office.store(message_id)
    page = ann.page(f"/message?id={message_id}")
    assert page.form("/message/release")[RECIPIENT] == quoted(ANN)[0]
    assert [page.form("/message/replay", number)[RECIPIENT] for number in range(3)] == [
        quoted(SALES)[0], quoted(SALES, TEAM), quoted(ANN, INFO, SALES, TEAM)
    ]  # fmt: skip
    assert "/message/delete" not in page.html, "somebody may still get it"
    assert page.send("/message/replay", 1, **{RECIPIENT: quoted(TEAM)}).status_code == 303
    assert command(ann, message_id) == f"postern replay {message_id} --failed --recipient {TEAM}"
    assert queued(ann) == [[TEAM]]


def test_a_virus_is_not_offered(ann: Browser) -> None:
    page = ann.page(f"/message?id={quarantined(ann, INFO, virusVerdict=verdict('FAIL'))}")
    assert "/message/release" not in page.html
    assert "SES found a virus" in page.text


def test_what_the_ledger_does_not_know_runs_for_those_typed(ann: Browser) -> None:
    message_id = "n" * 40
    ann.office.store(message_id, stored(b"Subject: s\r\n\r\nbody\r\n", message_id=message_id))
    page = ann.page(f"/message?id={message_id}")
    assert page.form("/message/replay")["named"] == INFO
    assert page.send("/message/replay", named=f"{INFO}\n{TEAM}").status_code == 303
    assert command(ann, message_id) == f"postern replay {message_id} --recipient {INFO} --recipient {TEAM}"
    assert queued(ann) == [[INFO, TEAM]]
