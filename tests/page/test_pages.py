"""What the pages say and do, as a person reads and presses; each action is that of a command, which is shown."""

import time
from pathlib import Path
from urllib.parse import quote

import pytest
from postern_command.pages.app import ACTIONS, PAGES
from postern_command.pages.desk import Desk
from postern_command.stack import Stack
from postern_mail.aws import clients
from postern_mail.aws.watch.summaries import DynamoSummaries
from postern_mail.daily_summaries import DailySummaries
from postern_mail.mail.days import A_DAY

from tests.fakes import FakeClock
from tests.operating.conftest import Office
from tests.page.browsing import Browser, browser

INFO, JANE = "info@example.com", "jane@dest.example"
MAIL = b"From: Bo <bo@x.example>\r\nTo: info@example.com\r\nSubject: hello\r\n\r\nHello, Jane.\r\n"


def aliases(office: Office) -> dict[str, dict[str, object]]:
    return {row["address"]: row for row in office.cloud.rows("AliasTable")}


def rules(office: Office) -> dict[tuple[str, str], str]:
    return {(row["sender"], row["scope"]): row["action"] for row in office.cloud.rows("SenderTable")}


def kept(office: Office, source: str = "bo@x.example") -> str:
    message_id = office.happened((INFO, "quarantined", "spam"), source=source)
    office.store(message_id, MAIL)
    return message_id


def test_a_quarantined_message_is_looked_at_and_released(ann: Browser) -> None:
    message_id = kept(ann.office)
    (row,) = ann.json("/quarantine.json")["rows"]
    assert (row["message_id"], row["recipient"], row["reason"]) == (message_id, INFO, "spam")
    page = ann.page(f"/message?id={message_id[:8]}")
    for part in ("bo@x.example", "hello", "Hello, Jane.", "quarantined", f"postern quarantine release {message_id}"):
        assert part in page.text
    done = page.send("/message/release")
    assert (done.status_code, done.headers["location"]) == (303, f"/message?id={message_id}")
    said = ann.page(done.headers["location"]).text
    assert f"Done: message {message_id[:8]} runs again for {INFO} postern quarantine release {message_id}" in said
    (event,) = ann.office.queued()
    assert event["requestPayload"]["Records"][0]["ses"]["receipt"]["recipients"] == [INFO]
    entry = ann.office.entries(message_id)[f"to:{INFO}"]
    assert (entry["state"], "released_by" in entry) == ("deferred", True)
    assert "Done" not in ann.page(f"/message?id={message_id}").text, "said once"
    again = page.send("/message/delete")
    assert (again.status_code, "may still get it" in again.text) == (409, True)


def test_it_is_thrown_away(ann: Browser) -> None:
    message_id = kept(ann.office)
    assert ann.page(f"/message?id={message_id}").send("/message/delete").status_code == 303
    assert "the bucket no longer has it" in ann.page(f"/message?id={message_id}").text
    assert ann.json("/quarantine.json")["rows"] == []


def test_the_rule_against_its_sender_is_shown_before_it_is_made(ann: Browser) -> None:
    page = ann.page(f"/message?id={kept(ann.office)}")
    (link,) = [one.get("href") for one in page.tree.iter("a") if one.text == "Block this sender"]
    shown = ann.page(link)
    assert "Nothing is written yet" in shown.text
    assert "postern sender add bo@x.example REJECT" in shown.text
    assert rules(ann.office) == {}
    assert shown.send("/rule/add", do="write").status_code == 303
    assert rules(ann.office) == {("bo@x.example", "*"): "REJECT"}
    assert ann.page("/rules").send("/rule/remove").status_code == 200, "shown first, too"
    assert rules(ann.office) != {}
    assert ann.page("/rules").send("/rule/remove", do="write").status_code == 303
    assert rules(ann.office) == {}


def test_a_bad_rule_is_not_made(ann: Browser) -> None:
    shown = ann.page("/rule/new").send("/rule/add", sender="x.example", action="EXPLODE", do="write")
    assert (shown.status_code, "EXPLODE" in shown.text, rules(ann.office)) == (422, True, {})
    assert ann.page("/rule/new").send("/rule/add", sender=" ", action="OK").status_code == 400


def test_an_alias_is_added_edited_switched_and_removed(ann: Browser) -> None:
    new = ann.page("/alias/new")
    typed = {"address": "Sales", "destinations": f"{JANE}\njoe@dest.example", "expires": "2099-01-31", "note": "it's"}
    shown = new.send("/alias/add", **typed)
    assert (shown.status_code, aliases(ann.office)) == (200, {})
    command = f"""postern alias add sales@example.com {JANE} joe@dest.example --expires 2099-01-31 --note 'it'"'"'s'"""
    assert command in shown.text.replace("&#39;", "'").replace("&#34;", '"')
    assert new.send("/alias/add", **typed, do="write").status_code == 303
    row = aliases(ann.office)["sales@example.com"]
    assert (row["destinations"], row["note"], row["expires_at"]) == ([JANE, "joe@dest.example"], "it's", 4073500800)
    assert "arn:aws" in str(row["updated_by"])
    assert new.send("/alias/add", **typed).status_code == 409, "it already exists"

    at = "/alias?address=sales%40example.com"
    page = ann.page(at)
    shown = page.send("/alias/save", destinations=JANE, note="")
    assert f"postern alias set sales@example.com {JANE} --note" in shown.text
    assert page.send("/alias/save", destinations=JANE, note="", do="write").status_code == 303
    row = aliases(ann.office)["sales@example.com"]
    assert (row["destinations"], "note" in row, row["expires_at"]) == ([JANE], False, 4073500800)

    assert ann.page("/aliases").send("/alias/switch").headers["location"] == "/aliases"
    assert aliases(ann.office)["sales@example.com"]["enabled"] is False
    assert ann.page(at).send("/alias/switch").status_code == 303
    assert "enabled" not in aliases(ann.office)["sales@example.com"]
    assert ann.page(at).send("/alias/remove", do="write").status_code == 303
    assert aliases(ann.office) == {}


def test_a_domains_patterns_are_edited(ann: Browser) -> None:
    row = {"address": "@example.com", "patterns": [{"pattern": "a-(.+)", "destinations": [r"\1@dest.example"]}]}
    ann.office.cloud.put("AliasTable", [row])
    page = ann.page("/alias?address=%40example.com")
    assert page.form("/alias/save")["patterns"] == r"a-(.+) -> \1@dest.example"
    assert page.send("/alias/save", note="n", do="write").status_code == 303
    assert aliases(ann.office)["@example.com"]["patterns"] == row["patterns"], "as they were"
    page = ann.page("/alias?address=%40example.com")
    assert page.send("/alias/save", patterns="no arrow").status_code == 400
    assert page.send("/alias/save", patterns="(( -> jane@dest.example", do="write").status_code == 422
    assert page.send("/alias/save", patterns=f"b-> -> {JANE}, joe@dest.example", do="write").status_code == 303
    wanted = [{"pattern": "b->", "destinations": [JANE, "joe@dest.example"]}]
    assert aliases(ann.office)["@example.com"]["patterns"] == wanted


def test_an_alias_that_leads_nowhere_is_not_written(ann: Browser) -> None:
    new = ann.page("/alias/new")
    loop = new.send("/alias/add", address="loop@example.com", destinations="not an address", do="write")
    foreign = new.send("/alias/add", address="a@elsewhere.example", destinations=JANE, do="write")
    assert (loop.status_code, foreign.status_code, aliases(ann.office)) == (422, 422, {})
    assert new.send("/alias/add", address="no address", destinations=JANE).status_code == 400
    assert new.send("/alias/add", address=INFO, destinations=" ").status_code == 400


def test_a_lost_race_shows_the_difference_and_writes_nothing(ann: Browser) -> None:
    ann.office.cloud.put("AliasTable", [{"address": INFO, "destinations": [JANE], "note": "old"}])
    page = ann.page(f"/alias?address={quote(INFO)}")
    ann.office.cloud.put("AliasTable", [{"address": INFO, "destinations": [JANE], "note": "theirs"}])
    lost = page.send("/alias/save", destinations="joe@dest.example", do="write")
    assert lost.status_code == 409
    for line in (
        "- note = &#34;old&#34;",
        "+ note = &#34;theirs&#34;",
        "+ destinations = [&#34;joe@dest.example&#34;]",
    ):
        assert " ".join(line.split()) in " ".join(lost.text.split())
    assert aliases(ann.office)[INFO]["destinations"] == [JANE]
    switched = page.send("/alias/switch")
    assert (switched.status_code, "theirs" in switched.text) == (409, True)
    mine = type(page)(ann, lost.text).send("/alias/save", do="write")
    assert (mine.status_code, aliases(ann.office)[INFO]["destinations"]) == (303, ["joe@dest.example"])


def test_search_and_where_mail_would_go(ann: Browser) -> None:
    rows = [
        {"address": f"a{n}@example.com", "destinations": [JANE], **({"enabled": False} if n == 3 else {})}
        for n in range(120)
    ]
    ann.office.cloud.put("AliasTable", [*rows, {"address": "joe@example.com", "destinations": ["joe@dest.example"]}])
    first = ann.json("/aliases.json")
    second = ann.json(f"/aliases.json?after={quote(first['after'])}")
    assert (len(first["rows"]), len(second["rows"]), second["after"], first["looked"]) == (100, 21, "", 121)
    assert [row["address"] for row in ann.json("/aliases.json?q=joe@dest")["rows"]] == ["joe@example.com"]
    assert [row["address"] for row in ann.json("/aliases.json?state=disabled")["rows"]] == ["a3@example.com"]
    assert ann.json("/aliases.json?where=joe%2Bx")["resolved"]["destinations"] == ["joe@dest.example"]
    assert ann.json("/aliases.json?where=nobody@example.com")["resolved"]["outcome"] == "unknown"


@pytest.mark.slow
def test_how_often_an_alias_was_used(ann: Browser) -> None:
    ann.office.cloud.put("AliasTable", [{"address": INFO, "destinations": [JANE]}])
    yesterday(ann.office)
    assert ann.json(f"/alias.json?address={quote(INFO)}")["uses"] is None
    assert ann.json(f"/alias.json?address={quote(INFO)}&used=1")["uses"][INFO]["count"] == 2
    assert ann.json("/aliases.json?used=1")["uses"][INFO]["count"] == 2
    assert "2 times in 30 days" in ann.page(f"/alias?address={quote(INFO)}&used=1").text


def yesterday(office: Office) -> None:
    """Three recipients, added up."""
    now = office.clock.time
    noon = time.time() // A_DAY * A_DAY + A_DAY / 2  # at any time of this day: a day is added up an hour after its end
    office.clock.time = noon - A_DAY
    for who, state in ((INFO, "forwarded"), (INFO, "rejected"), ("team@example.com", "forwarded")):
        office.happened((who, state, who))
    office.clock.time = noon
    book = DynamoSummaries(clients.dynamodb(), office.template.name("LedgerTable"))
    later = FakeClock(now + 1800)  # a day is added up 15 minutes after its end, and it may be midnight
    while DailySummaries(book=book, clock=later).run():
        pass
    office.clock.time = now


@pytest.mark.slow
def test_the_chart_of_the_days_that_are_added_up(ann: Browser) -> None:
    yesterday(ann.office)
    ann.office.happened((INFO, "forwarded", INFO))
    totals = [day["total"] for day in ann.json("/today.json")["days"]]
    assert (len(totals), totals[-2:]) == (30, [3, 0]), "today are not supported, message by message"
    html = ann.page("/")
    assert "<title>Mail from " in html.html
    assert "2 forwarded" in html.text


@pytest.mark.slow
def test_the_log_in_pages_with_its_filters(ann: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postern_command.pages.mail.SHOWN", 4)
    for number in range(6):
        ann.office.clock.time += number % 2  # two messages of one second
        ann.office.happened(
            (INFO, "forwarded", ""), ("team@example.com", "rejected", "why"), source=f"s{number}@x.example"
        )
    first = ann.json("/mail.json?state=rejected")
    second = ann.json(f"{first['more'].replace('/mail?', '/mail.json?')}")
    listed = [row["source"] for row in (*first["rows"], *second["rows"])]
    assert sorted(listed) == [f"s{number}@x.example" for number in range(6)]
    assert second["more"] == ""
    assert [row["source"] for row in ann.json("/mail.json?sender=S5@")["rows"]] == ["s5@x.example"] * 2
    assert len(ann.json("/mail.json?recipient=team&sender=s5@")["rows"]) == 1
    assert "postern log --since 1d --state rejected" in ann.page("/mail?state=rejected").text


def test_the_log_reads_what_it_lists_and_says_so(ann: Browser) -> None:
    for who in (INFO, "team@example.com", INFO):
        ann.office.happened((who, "forwarded", ""))
    assert "AWS calls for this page: 5 \u00d7 DynamoDB Query." in ann.page("/mail").text, "two days, and three messages"
    assert "AWS calls for this page: 3 \u00d7 DynamoDB Query." in ann.page("/mail?recipient=team@example.com").text


def test_the_header_before_and_after(ann: Browser) -> None:
    ann.office.cloud.put("AliasTable", [{"address": INFO, "destinations": [JANE]}])
    message_id = ann.office.happened((INFO, "forwarded", ""), source="bo@x.example")
    ann.office.store(message_id, MAIL)
    text = ann.page(f"/message?id={message_id}&header=1").text
    assert f"To {JANE} in the name of {INFO}" in text
    assert "- From: Bo <bo@x.example>" in text
    assert '+ Reply-To: "Bo" <bo@x.example>' in text
    assert ann.page(f"/message?id={message_id}").send("/message/replay").status_code == 303
    assert len(ann.office.queued()) == 1


def test_a_destination_is_resumed_and_gets_what_it_missed(ann: Browser) -> None:
    row = {"address": JANE, "suspended_at": 1, "reason": "bounced", "failures": {"1 gone m 550"}}
    ann.office.cloud.put("DestinationTable", [row])
    message_id = ann.office.happened((INFO, "quarantined", "suspended"))
    ann.office.sent(message_id, JANE, INFO, "suspended", "")
    ann.office.store(message_id, MAIL)
    page = ann.page("/destinations")
    assert f"postern destination resume {JANE}" in page.text
    assert page.send("/destination/resume").status_code == 303
    assert page.send("/destination/resume").status_code == 409, "it is not suspended any more"
    page = ann.page("/destinations")
    assert page.send("/destination/redeliver").status_code == 303
    assert "1 messages run again" in ann.page("/destinations").text
    assert len(ann.office.queued()) == 1


def test_domains_and_settings_are_read(ann: Browser) -> None:
    states = {row["part"]: row["state"] for row in ann.json("/domains.json")}
    assert set(states.values()) == {"right"}
    ann.office.cloud.put("AliasTable", [{"address": "#settings", "subject_tag": "[x]"}])
    (tag,) = (row for row in ann.json("/settings.json")["rows"] if row["name"] == "subject_tag")
    assert (tag["value"], tag["set"]) == ("[x]", True)


def test_today_says_what_waits_and_how_little_it_asked(ann: Browser) -> None:
    ann.office.happened((INFO, "pending", ""))
    page = ann.page("/")
    assert "1 messages that are being handled" in page.text
    assert "Doctor has not run yet" in page.text
    assert "AWS calls for this page:" in page.text
    assert "DynamoDB Scan" in page.text
    assert {one["what"]: one["any"] for one in ann.json("/today.json")["waiting"]}["on the retry queue"] is False


@pytest.mark.slow
def test_doctor_is_remembered(ann: Browser) -> None:
    found = ann.json("/doctor.json")
    assert {one["state"] for one in found["doctor"]} >= {"ok"}
    assert "Doctor ran at" in ann.page("/").text


TABLES = """\
# ours
domains = ["example.com"]

[aliases."info@example.com"]  # the front door
destinations = ["jane@dest.example"]  # Jane

[aliases."Team@Example.com"]
destinations = ["jane@dest.example"]
note = "two"

[[senders]]  # spam
sender = "spam.example"
action = "REJECT"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "tables.toml"
    made.write_text(TABLES)
    return made


def test_a_file_is_edited_and_nothing_else_of_it(office: Office, file: Path) -> None:
    ann = browser(office, Desk(Stack.find(None), file=file))
    page = ann.page("/alias?address=info%40example.com")
    assert str(file) in page.text
    assert page.send("/alias/save", note="new", do="write").status_code == 303
    edited = TABLES.replace("# Jane\n", '# Jane\nnote = "new"\n')
    assert file.read_text() == edited
    said = ann.page("/aliases").text
    assert f"is changed in {file}; it is not live yet" in said
    plan = ann.json("/plan.json")
    assert (plan["count"], plan["apply_command"]) == (3, f"postern apply {file}")
    assert aliases(office) == {}, "nothing is live"

    assert ann.page("/alias/new").send("/alias/add", address="new", destinations=JANE, do="write").status_code == 303
    new = '[aliases."new@example.com"]\ndestinations = ["jane@dest.example"]\n'
    assert new in file.read_text()
    at = "/alias?address=team%40example.com"
    assert ann.page(at).send("/alias/remove", do="write").status_code == 303
    assert "Team" not in file.read_text()
    assert ann.page("/rules").send("/rule/remove", do="write").status_code == 303
    assert ann.page("/rule/new").send("/rule/add", sender="b.example", action="OK", do="write").status_code == 303
    assert "# the front door" in file.read_text()
    assert [row["sender"] for row in ann.json("/rules.json")["rows"]] == ["b.example"]


def test_a_file_that_an_editor_saved_meanwhile_is_not_written_over(office: Office, file: Path) -> None:
    ann = browser(office, Desk(Stack.find(None), file=file))
    page = ann.page("/alias?address=info%40example.com")
    theirs = TABLES.replace("jane@dest.example", "joe@dest.example")
    file.write_text(theirs)
    lost = page.send("/alias/save", note="x", do="write")
    assert (lost.status_code, "Someone else changed it first" in lost.text) == (409, True)
    file.write_text("= broken")
    assert page.send("/alias/save", note="x", do="write").status_code == 409
    assert file.read_text() == "= broken"


@pytest.mark.slow
def test_every_page_is_json_too_and_names_it(ann: Browser) -> None:
    ann.office.cloud.put("AliasTable", [{"address": INFO, "destinations": [JANE]}])
    ann.office.cloud.put("SenderTable", [{"sender": "rule:010", "scope": "*", "action": "HOLD", "listed": True}])
    told = {"/header-rule": "?sender=rule:010&scope=*"}
    told |= {"/alias": f"?address={quote(INFO)}", "/message": f"?id={kept(ann.office)}"}
    for path in set(PAGES) - {"/doctor", "/plan"}:
        (link,) = [
            one.get("href") for one in ann.page(path + told.get(path, "")).tree.iter("a") if one.text == "As JSON"
        ]
        assert ann.get(link).headers["content-type"] == "application/json"
        assert ann.json(link)


def test_each_action_is_on_a_page(ann: Browser) -> None:
    """What no page leads to would be tried by no test of a browser."""
    templates = Path(__file__).parents[2] / "command" / "postern_command" / "pages" / "templates"
    html = "".join(one.read_text() for one in templates.iterdir())
    assert not [action for action in ACTIONS if f'"{action}"' not in html]
