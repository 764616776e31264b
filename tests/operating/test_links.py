"""The door behind signed links, on a stack's tables and bucket, with what its role may do enforced at each call."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from runpy import run_path
from threading import Barrier, Thread
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from postern_mail.aws import clients
from postern_mail.aws.links.book import LEASE, DynamoLinkBook
from postern_mail.aws.stack_keys import LINKS, make_keys, stack_keys
from postern_mail.errors import Unavailable
from postern_mail.mail import link as links
from postern_mail.mail.link import Deed, Door, Link
from postern_mail.mail.senders import SenderRule

from docs.costs import LINK
from emulator.calls import recorded
from tests.builders import ROOT, verdict
from tests.fakes import FakeClock
from tests.iam import may_call
from tests.operating.conftest import Office
from tests.operating.test_what_is_billed import Meter
from tests.rights import Named

CONTEXT = SimpleNamespace(
    function_name="links", memory_limit_in_mb=256, invoked_function_arn="arn", aws_request_id="id"
)
ROLE, WHO, SENDER = "LinksFunctionRole", "info@example.com", "betsy@sender.example"
Answer = dict[str, Any]


def button_of(answer: Answer) -> str:
    """What the button of a page sends along."""
    return str(answer["body"]).partition('value="')[2].partition('"')[0]


@dataclass
class House:
    """The door, the stack behind it, and the time that links are made at."""

    office: Office
    handler: Any
    door: Door
    calls: list[str]
    dynamodb: Any  # a client by the function's role
    meter: Meter  # of all that the function asks for

    def url(self, deed: Deed, message_id: str = "", who: str = WHO, until: float = 0) -> str:
        return self.door.to(deed, message_id, who, until or time.time() + 600)

    def ask(self, url: str, method: str = "GET", body: str = "", *, plain: bool = False) -> Answer:
        encoded = body if plain else base64.b64encode(body.encode()).decode()
        event = {
            "version": "2.0",
            "rawPath": url.removeprefix(self.door.url.rstrip("/")),
            "rawQueryString": "",
            "headers": {"host": "abc.lambda-url.eu-west-1.on.aws", "content-type": "application/x-www-form-urlencoded"},
            "requestContext": {"http": {"method": method, "path": "/", "sourceIp": "192.0.2.1"}},
            **({"body": encoded, "isBase64Encoded": not plain} if body else {}),
        }
        answer: Answer = self.handler(event, CONTEXT)
        json.dumps(answer)  # Lambda does
        return answer

    def press(self, url: str) -> Answer:
        """As a person does: read the page, press its button."""
        asked = self.ask(url)
        assert asked["statusCode"] == 200, asked
        return self.ask(url, "POST", f"press={button_of(asked)}")

    def kept(self, state: str = "quarantined", who: str = WHO, **options: Any) -> str:
        """A message that is kept, in bucket and ledger."""
        message_id = self.office.happened((who, state, "SES calls it spam"), source=SENDER, **options)
        self.office.store(message_id)
        return message_id

    def row(self, table: str, **key: str) -> dict[str, Any]:
        rows = [row for row in self.office.cloud.rows(table) if key.items() <= row.items()]
        return rows[0] if rows else {}


@pytest.fixture(scope="module")
def started() -> dict[str, Any]:
    """The function, which starts once: it reads its key and makes its clients then."""
    return {}


@pytest.fixture
def house(office: Office, started: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    if not started:
        started |= start(office, monkeypatch)
    started["calls"].clear()
    yield House(office, **started)
    for table, names in (
        ("AliasTable", ("address",)),
        ("SenderTable", ("sender", "scope")),
        ("DestinationTable", ("address",)),
    ):
        office.cloud.delete(table, [{name: row[name] for name in names} for row in office.cloud.rows(table)])


def start(office: Office, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    template, calls = office.template, list[str]()
    wide = Named(template.document, template.folder, template.stack, {**template.parameters, "Links": "true"})

    def enforce(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        calls.append(model.name)
        if not may_call(wide, ROLE, model.service_model.signing_name, model.name, params):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": str(params)}}, model.name)

    meter = Meter()
    session: Any = recorded("LinksFunction", template.stack)
    session.register("before-parameter-build", meter)
    thief: Any = botocore.session.get_session()  # whose calls are no function's
    for one in (session, thief):
        one.register("before-parameter-build", enforce)
    ledger = template.name("LedgerTable")
    make_keys(office.cloud.dynamodb, ledger, [LINKS], time.time())
    (key,) = stack_keys(office.cloud.dynamodb, ledger, LINKS)
    with monkeypatch.context() as patch:
        for name, value in {
            "POSTERN_DESTINATION_TABLE": template.name("DestinationTable"),
            "POSTERN_LEASE_SECONDS": "150",
            "POSTERN_LEDGER_DAYS": "37",
            "POSTERN_LOG_ADDRESSES": "false",
        }.items():
            patch.setenv(name, value)
        patch.setattr(clients, "boto3", boto3.Session(botocore_session=session))
        handler = run_path(str(ROOT / "functions/links/handler.py"))["handler"]
        patch.setattr(clients, "boto3", boto3.Session(botocore_session=thief))
        door = Door("https://abc.lambda-url.eu-west-1.on.aws/", key)
        return {"handler": handler, "door": door, "calls": calls, "dynamodb": clients.dynamodb(), "meter": meter}


def put(house: House, table: str, **row: Any) -> None:
    house.office.cloud.put(table, [row])


# --- what the buttons do ----------------------------------------------------------------------------------------


def test_a_message_is_released_once_and_the_ledger_says_by_link(house: House) -> None:
    message_id = house.kept()
    done = house.press(house.url(Deed.RELEASE, message_id))
    assert done["statusCode"] == 200
    assert "is released for info@example.com" in done["body"]
    (event,) = house.office.queued()
    assert event["requestContext"]["by"] == "link"
    assert event["requestPayload"]["Records"][0]["ses"]["receipt"]["recipients"] == [WHO]
    entries = house.office.entries(message_id)
    assert (entries[f"to:{WHO}"]["released_by"], entries[f"to:{WHO}"]["state"]) == ("link", "deferred")
    (used,) = [entry for name, entry in entries.items() if name.startswith("link:")]
    assert used["detail"].startswith("by link: The message is released")
    assert used["expires_at"] > time.time() + links.DAYS * 86_400, "it outlives the link"


def test_what_a_link_costs_is_what_the_documents_reckon_with(house: House) -> None:
    """A scanner reads the page, then a person, who presses the button; the function starts for each."""
    house.meter.usage = {"dynamodb-reads": 3}  # its key, at three starts
    url = house.url(Deed.RELEASE, house.kept())
    house.ask(url)
    house.press(url)
    house.office.queued()
    assert house.meter.usage == {name: LINK[name] for name in house.meter.usage}
    assert {name for name in LINK if not name.startswith(("lambda-", "log-"))} == set(house.meter.usage)


def test_of_two_recipients_one_gets_it(house: House) -> None:
    message_id = house.office.happened((WHO, "quarantined", "spam"), ("sales@example.com", "quarantined", "spam"))
    house.office.store(message_id)
    house.press(house.url(Deed.RELEASE, message_id))
    (event,) = house.office.queued()
    assert event["requestPayload"]["Records"][0]["ses"]["receipt"]["recipients"] == [WHO]
    assert house.office.entries(message_id)["to:sales@example.com"]["state"] == "quarantined"


def test_what_has_a_virus_or_is_forwarded_is_not_released(house: House) -> None:
    for message_id in (house.kept(virusVerdict=verdict("FAIL")), house.kept("forwarded")):
        done = house.press(house.url(Deed.RELEASE, message_id))
        assert "Nothing was done" in done["body"]
    assert house.office.queued() == []


def test_a_sender_is_blocked_by_a_rule_that_can_only_reject(house: House) -> None:
    url = house.url(Deed.BLOCK, house.kept(), SENDER)
    assert f"{SENDER} REJECT" in house.ask(url)["body"]
    done = house.press(url)
    assert f"postern sender remove {SENDER}" in done["body"]
    row = house.row("SenderTable", sender=SENDER)
    assert (row["scope"], row["updated_by"], row["made_by"], "action" in row) == ("*", "link", "link", False)
    assert str(SenderRule.from_row((SENDER, "*"), row).action) == "REJECT"


def test_a_rule_that_is_there_stays(house: House) -> None:
    put(house, "SenderTable", sender=SENDER, scope="*", action="OK")
    assert "already" in house.press(house.url(Deed.BLOCK, house.kept(), SENDER))["body"]
    assert house.row("SenderTable", sender=SENDER)["action"] == "OK"


def test_an_alias_is_switched_off_and_leads_where_it_led(house: House) -> None:
    put(house, "AliasTable", address=WHO, destinations=["jane@dest.example"])
    done = house.press(house.url(Deed.OFF, house.kept()))
    assert f"postern alias enable {WHO}" in done["body"]
    row = house.row("AliasTable", address=WHO)
    assert (row["enabled"], row["destinations"], row["updated_by"]) == (False, ["jane@dest.example"], "link")
    assert "made_by" not in row


def test_an_address_of_a_catch_all_is_switched_off_alone(house: House) -> None:
    put(house, "AliasTable", address="@example.com", destinations=["jane@dest.example"])
    done = house.press(house.url(Deed.OFF, house.kept()))
    assert f"postern alias remove {WHO}" in done["body"]
    row = house.row("AliasTable", address=WHO)
    assert (row["enabled"], row["made_by"]) == (False, "link")
    assert house.row("AliasTable", address="@example.com").get("enabled", True) is True


def test_a_destination_is_resumed(house: House) -> None:
    who = "jane@dest.example"
    put(house, "DestinationTable", address=who, suspended_at=1, reason="bounces", failures={"1 bounce a@b.example"})
    done = house.press(house.url(Deed.RESUME, who=who))
    assert f"postern destination redeliver {who}" in done["body"]
    row = house.row("DestinationTable", address=who)
    assert (row["resumed_by"], "suspended_at" in row) == ("link", False)


def test_a_message_is_fetched_by_an_address_of_five_minutes_and_again(house: House) -> None:
    message_id = house.kept("failed")
    url = house.url(Deed.FETCH, message_id)
    for _ in range(2):
        done = house.press(url)
        address = done["body"].partition('href="https://')[2].partition('"')[0]
        assert address.startswith(f"{house.office.template.name('MailBucket')}.s3.")
        assert f"/inbound/{message_id}?" in address
        assert {"X-Amz-Expires=300", "response-content-type=application%2Foctet-stream"} <= set(
            address.partition("?")[2].replace("&amp;", "&").split("&")
        )
        entries = house.office.entries(message_id).items()
        (used,) = [entry["detail"] for name, entry in entries if name.startswith("link:")]
        assert used.startswith("by link: The message can be saved")
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in address, "what KMS encrypts takes no older signature"


def test_a_message_that_has_expired_is_fetched_no_more(house: House) -> None:
    message_id = house.office.happened((WHO, "failed", "too large"))
    done = house.press(house.url(Deed.FETCH, message_id))
    assert "not kept any more" in done["body"]
    assert "href=" not in done["body"].partition("</head>")[2]


# --- who gets in ----------------------------------------------------------------------------------------------


def everything(house: House) -> dict[str, Any]:
    tables = ("AliasTable", "SenderTable", "DestinationTable", "LedgerTable")
    return {name: sorted(map(str, house.office.cloud.rows(name))) for name in tables}


def test_what_reads_links_changes_nothing(house: House) -> None:
    """Scanners: GET, HEAD, a POST without the button or with a wrong one, several times, other methods."""
    message_id = house.kept()
    urls = [house.url(deed, message_id, SENDER if deed is Deed.BLOCK else WHO) for deed in Deed]
    before = everything(house)
    for url in urls:
        for method in ("GET", "HEAD", "GET"):
            assert house.ask(url, method)["statusCode"] == 200
        for body in ("", "press=", "press=x", "press=1&press=2", "%", "a" * 100_000, "\x00", "press=é"):
            assert house.ask(url, "POST", body, plain=True)["statusCode"] == 200
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", ""):
            assert house.ask(url, method)["statusCode"] == 404
    assert everything(house) == before
    assert house.office.queued() == []


def test_wrong_old_altered_and_used_links_have_one_answer(house: House) -> None:
    """No oracle: status, header and body are the same, whether there is such a message or not."""
    message_id = house.kept()
    used = house.url(Deed.RELEASE, message_id)
    pressed = button_of(house.ask(used))
    house.press(used)
    other = Door(house.door.url, b"o" * 32)
    bad = [
        "/", "/x", "/favicon.ico", "/robots.txt",
        house.url(Deed.RELEASE, message_id, until=time.time() - 1),
        other.to(Deed.RELEASE, message_id, WHO, time.time() + 60),
        house.url(Deed.RELEASE, "no-such-message"),
        used[:-1] + ("0" if used[-1] != "0" else "1"),
        used,
    ]  # fmt: skip
    answers = {json.dumps(house.ask(url, method, body)) for url in bad for method, body in _ways(pressed)}
    assert len(answers) == 1
    assert "404" in answers.pop()
    house.office.queued()


def _ways(pressed: str) -> list[tuple[str, str]]:
    return [("GET", ""), ("HEAD", ""), ("POST", ""), ("POST", f"press={pressed}")]


def test_a_wrong_link_costs_no_call(house: House) -> None:
    """A million of them cost us no DynamoDB."""
    house.calls.clear()
    for url in ("/", "/x.y", "/style.css", house.url(Deed.OFF, until=1)):
        house.ask(url)
        house.ask(url, "POST", "press=x")
    assert house.calls == []


def test_a_link_that_is_pressed_ten_times_at_once_is_used_once(house: House) -> None:
    message_id = house.kept()
    url = house.url(Deed.RELEASE, message_id)
    pressed = button_of(house.ask(url))
    together, answers = Barrier(10), []

    def press() -> None:
        together.wait(20)
        answers.append(house.ask(url, "POST", f"press={pressed}")["statusCode"])

    threads = [Thread(target=press) for _ in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(answers) == [200, *[404] * 9]
    assert len(house.office.queued()) == 1


def test_a_link_whose_deed_failed_holds_still(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    message_id = house.kept()
    url = house.url(Deed.RELEASE, message_id)
    book = "postern_mail.aws.watch.backlog.Backlog.put_event"
    with monkeypatch.context() as patch:
        patch.setattr(book, _unavailable)
        assert house.press(url)["statusCode"] == 503
    assert "is released" in house.press(url)["body"], "an order that was cut off before its event runs again"
    assert len(house.office.queued()) == 1


def test_a_link_whose_function_was_killed_holds_again_after_a_minute(house: House) -> None:
    """No one knows how far it came; each deed can be done twice without harm."""
    clock, ledger = FakeClock(time.time()), house.office.template.name("LedgerTable")
    book = DynamoLinkBook(house.dynamodb, ledger, clock=clock, keep_days=37)
    link, name = Link(Deed.OFF, "", WHO, int(clock.time) + 600), links.name("text")
    assert [book.take(link, name), book.take(link, name)] == [True, False]
    clock.time += LEASE + 1
    assert book.take(link, name)
    book.keep(link, name, "done")
    clock.time += LEASE + 1
    assert not book.take(link, name)


def _unavailable(*_: Any) -> None:
    raise Unavailable("SQS SendMessage")


def test_every_answer_forbids_all_but_the_page(house: House) -> None:
    message_id = house.kept()
    for url in ("/", "/style.css", house.url(Deed.OFF, message_id)):
        headers = house.ask(url)["headers"]
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert headers["cache-control"] == "no-store"
        assert "set-cookie" not in headers


# --- what the role may do ---------------------------------------------------------------------------------------


def test_the_role_cannot_change_where_an_alias_leads(house: House) -> None:
    """An attacker who gets hold of the function and its credentials."""
    put(house, "AliasTable", address=WHO, destinations=["jane@dest.example"])
    dynamodb, template = house.dynamodb, house.office.template
    key, stolen = {"address": {"S": WHO}}, {"S": "thief@evil.example"}
    update = {
        "TableName": template.name("AliasTable"), "Key": key, "UpdateExpression": "SET destinations = :to",
        "ExpressionAttributeValues": {":to": stolen},
    }  # fmt: skip
    named = {**update, "UpdateExpression": "SET #a = :to", "ExpressionAttributeNames": {"#a": "destinations"}}
    item = {**key, "destinations": stolen}
    rule = {"sender": {"S": "*"}, "scope": {"S": "*"}, "action": {"S": "REDIRECT thief@evil.example"}}
    calls: tuple[Callable[[], object], ...] = (
        lambda: dynamodb.update_item(**update),
        lambda: dynamodb.update_item(**named),
        lambda: dynamodb.transact_write_items(TransactItems=[{"Update": update}]),
        lambda: dynamodb.put_item(TableName=template.name("AliasTable"), Item=item),
        lambda: dynamodb.delete_item(TableName=template.name("AliasTable"), Key=key),
        lambda: dynamodb.put_item(TableName=template.name("SenderTable"), Item=rule),
    )
    for call in calls:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
    assert house.row("AliasTable", address=WHO)["destinations"] == ["jane@dest.example"]
