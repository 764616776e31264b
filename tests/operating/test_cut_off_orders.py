"""A person's order, cut off at any call to AWS, and given again: everything it was for runs, and nothing is left behind."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.outcomes import State

from tests.operating.conftest import Office

BOTH = (("a@example.com", "quarantined", "spam FAIL"), ("b@example.com", "quarantined", "spam FAIL"))
LOST = (("a@example.com", "failed", "jane@dest.example: SES refused it"), ("b@example.com", "forwarded", "alias b@"))
# (what happened, the order, whom it runs for)
ORDERS = {
    "release": (BOTH, ("quarantine", "release"), {"a@example.com", "b@example.com"}),
    "release one": (BOTH, ("quarantine", "release", "--recipient", "b@example.com"), {"b@example.com"}),
    "replay what failed": (LOST, ("replay", "--failed"), {"a@example.com"}),
    "replay one that failed": (LOST, ("replay", "--failed", "--recipient", "a@example.com"), {"a@example.com"}),
    "replay again": (LOST, ("replay", "--again"), {"a@example.com", "b@example.com"}),
}
MOST_CALLS = 20


class Network:
    """Is gone from one call of the command on: before AWS hears it, or after AWS has done what it asks."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.calls = at, after, 0

    def before(self, request: Any, **_: Any) -> None:
        """botocore's before-send: of the hooks the first."""
        if self.calls >= self.at + self.after:
            raise EndpointConnectionError(endpoint_url=request.url)
        self.calls += 1

    def done(self, **_: Any) -> None:
        """botocore's response-received."""
        if self.after and self.calls == self.at + 1:
            raise ConnectionClosedError(endpoint_url="")


@pytest.fixture
def cutting(monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    """The last network in the list is under every client that is made."""
    networks: list[Network] = []
    make = boto3.session.Session.client

    def client(self: Any, *names: Any, **options: Any) -> Any:
        made = make(self, *names, **options)
        if networks:
            made.meta.events.register_first("before-send", networks[-1].before)
            made.meta.events.register("response-received", networks[-1].done)
        return made

    monkeypatch.setattr(boto3.session.Session, "client", client)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    return networks


@pytest.mark.slow
@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.long), True], ids=["before", "after"])
@pytest.mark.parametrize("name", ORDERS)
def test_an_order_that_was_cut_off_goes_on_when_it_is_given_again(
    name: str, after: bool, office: Office, cutting: list[Network]
) -> None:
    happened, order, runs_for = ORDERS[name]
    cut = 0
    for at in range(MOST_CALLS):
        message_id = office.happened(*happened)
        if any(state == "failed" for _, state, _ in happened):
            office.sent(message_id, "jane@dest.example", "a@example.com", State.FAILED, "SES refused it")
        office.store(message_id)
        cutting.append(Network(at, after=after))
        first = office.run(*order, message_id)
        cutting.clear()
        cut += first.status == 3
        if first.status == 3:
            again = office.run(*order, message_id)
            assert again.status == 0 or "nothing to run" in again.err, (at, again.err)
        made = [Envelope.from_event(record["requestPayload"]) for record in office.queued()]
        assert {str(one) for event in made for one in event.recipients} >= runs_for, at
        entries = office.entries(message_id)
        for who in runs_for:
            assert entries[f"to:{who}"]["state"] == State.DEFERRED, (at, who)
            assert who in entries["message"]["pending"], (at, who)
        assert entries["message"]["open"] == "open"
        if "via:jane@dest.example" in entries:
            assert entries["via:jane@dest.example"]["state"] == "released", at
        if first.status == 0:
            break
    assert cut >= 3
    assert first.status == 0
