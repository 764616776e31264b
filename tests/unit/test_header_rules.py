"""Header rules: what holds of a message, which of several decides, and what a stranger can make of them."""

from collections.abc import Mapping
from typing import Any

import pytest
from postern_command.tables.file import TablesFile
from postern_mail.lookup import look_up
from postern_mail.mail import row_faults, settings
from postern_mail.mail.header import Header
from postern_mail.mail.header_rules import MAX_READ, HeaderRule
from postern_mail.mail.keys import no_sender
from postern_mail.mail.plan import (
    BadTable,
    Decision,
    Defer,
    Discard,
    Forward,
    LookedUp,
    Policy,
    Quarantine,
    Reject,
    deliveries,
    plan,
)
from postern_mail.mail.rewrite import Style, rewrite
from postern_mail.mail.rows import BadRow, Row, SenderKey
from postern_mail.mail.score import Finding, Score
from postern_mail.mail.senders import envelope_keys
from postern_mail.mail.settings import BadSettings, Settings

from tests.builders import envelope, verdict
from tests.fakes import FakeTables

INFO, TEAM = "info@example.com", "team@example.com"
POLICY = Policy(frozenset({"example.com"}))
ALIASES = {key: {"destinations": ["jane@dest.example"]} for key in (INFO, TEAM)}
MAIL = (
    "From: =?utf-8?q?Betsy_Sm=C3=AFth?= <Betsy@Sender.example>\r\nTo: Info <info@example.com>, b@x.example\r\n"
    "Cc: Joe <JOE@third.example>\r\n"
    "Subject: =?utf-8?b?Q0FTSU5PIG5pZ2h0?= for\r\n you\r\nList-Id: The list <news.list.example>\r\n\r\nbody"
)
HELD = {"action": "HOLD"}


def tables(*rules: tuple[int, Mapping[str, Any]], scope: str = "*", **more: Any) -> FakeTables:
    rows: dict[SenderKey, Row] = {(f"rule:{number:03}", rule.get("scope", scope)): dict(rule) for number, rule in rules}
    numbers = ", ".join(str(number) for number, _ in rules)
    return FakeTables({**ALIASES, settings.KEY: {"header_rules": numbers, **more}}, rows)


def decide(rows: FakeTables, mail: str = MAIL, to: str = INFO, score: Score | None = None, **options: Any) -> Decision:
    made, header = envelope(to, **options), Header.of(mail.encode("utf-8", "surrogateescape"))
    found = look_up(rows, made, header, POLICY, 0)
    (decision,) = plan(made, header, found, POLICY, 0, score=score)
    return decision


def holds(mail: str = MAIL, **conditions: Any) -> bool:
    return isinstance(decide(tables((10, {**HELD, **conditions})), mail), Quarantine)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"subject": {"contains": "casino"}}, True),  # decoded, in any case
        ({"subject": {"contains": ["lottery", "Casino"]}}, True),
        ({"subject": {"contains": "lottery"}}, False),
        ({"subject": {"contains": "=?UTF-8?B?q0fTSU5p"}}, True),  # as it came, too
        ({"subject": {"equals": "casino night for you"}}, True),
        ({"subject": {"equals": "casino night"}}, False),
        ({"subject": {"matches": "^casino.*you$"}}, True),
        ({"subject": {"matches": "night$"}}, False),
        ({"from": {"equals": "betsy@sender.example"}}, True),
        ({"from": {"equals": "Betsy Smïth <Betsy@Sender.example>"}}, True),
        ({"from": {"matches": r"@sender\.example>$"}}, True),
        ({"from": {"matches": r"^betsy@sender\.example$"}}, False),  # a pattern is for all that the field says
        ({"from": {"contains": "@other.example"}}, False),
        ({"to": {"equals": "b@x.example"}}, True),
        ({"to": {"equals": "x.example"}}, False),
        ({"cc": {"contains": "joe@"}}, True),
        ({"cc": {"equals": "joe@third.example"}}, True),
        ({"cc": {"equals": "info@example.com"}}, False),
        ({"list_id": {"equals": "news.list.example"}}, True),
        ({"list_id": {"equals": "list.example"}}, False),
        ({"larger_than": 100, "smaller_than": 1000}, True),
        ({"larger_than": 1000}, False),
        ({"subject": {"contains": "casino", "matches": "lottery"}}, False),  # all of a rule must hold
        ({"subject": {"contains": "casino"}, "from": {"contains": "nobody"}}, False),
    ],
)
def test_what_holds(conditions: dict[str, Any], expected: bool) -> None:
    assert holds(**conditions) is expected


@pytest.mark.parametrize(
    "condition",
    [
        ("subject", "contains", "casino"), ("subject", "contains", "lottery"), ("subject", "contains", ["a", "lottery"]),
        ("subject", "contains", ["lottery", "jackpot"]), ("subject", "equals", "casino night for you"),
        ("subject", "equals", "casino"), ("subject", "matches", "^casino"), ("subject", "matches", "night$"),
        ("from", "equals", "betsy@sender.example"), ("from", "equals", "joe@x.example"), ("cc", "contains", "joe@"),
        ("to", "equals", "B@x.example"), ("list_id", "equals", "news.list.example"), ("list_id", "equals", "x.example"),
    ],
)  # fmt: skip
def test_not_holds_where_the_other_does_not(condition: tuple[str, str, Any]) -> None:
    """Of each field, of all that it says in each way that it is read, of every one of its name, of all texts."""
    about, how, text = condition
    plain, negated = ({about: {word: text}} for word in (how, f"not_{how}"))
    assert holds(MAIL, **plain) is not holds(MAIL, **negated)


def test_a_field_that_is_not_there_says_nothing_and_so_not_that() -> None:
    """Mail that names no one in To and Cc, for one: `to = { not_contains = "@" }`."""
    bare = "From: a@b.example\r\n\r\n"
    assert holds(bare, to={"not_contains": "@"}, cc={"not_matches": "."})
    assert not holds(to={"not_contains": "@"})
    assert not holds(bare.replace("From", "Cc: x@y.example\r\nFrom"), cc={"not_matches": "."})


def test_not_is_of_all_fields_of_a_name() -> None:
    twice = "From: a@b.example\r\nSubject: hi\r\nSubject: casino\r\n\r\n"
    assert not holds(twice, subject={"not_equals": "casino"})
    assert holds(twice, subject={"not_equals": "lottery", "contains": "casino"})


def test_a_cc_with_more_than_is_read_is_kept_back_where_a_rule_asks_about_it() -> None:
    long = f"From: a@b.example\r\nCc: {'x@y.example, ' * 6000}z@y.example\r\n\r\n"
    assert isinstance(decide(tables((10, {"action": "OK", "cc": {"not_contains": "q"}})), long), Quarantine)


def test_size_is_all_of_the_message() -> None:
    size = len(MAIL.encode())
    assert [holds(larger_than=size - 1), holds(larger_than=size), holds(smaller_than=size)] == [True, False, False]
    assert holds(smaller_than=size + 1)


@pytest.mark.parametrize("said", ["x@b\u00fccher.example", "X <x@xn--bcher-kva.example>", "x@xn--bcher-kva.example"])
@pytest.mark.parametrize("typed", ["x@b\u00fccher.example", "X@xn--bcher-kva.example"])
def test_a_domain_of_another_script_in_either_spelling(said: str, typed: str) -> None:
    assert holds(f"From: {said}\r\n\r\n", **{"from": {"equals": typed}})


def test_a_name_that_looks_like_a_domain_is_no_address() -> None:
    assert not holds('From: "b.example" <x@c.example>\r\n\r\n', **{"from": {"equals": "b.example"}})


def test_a_field_that_is_not_there_is_like_no_text() -> None:
    assert not holds("From: a@b.example\r\n\r\n", subject={"matches": ".*"})


def test_each_of_several_fields_of_a_name_is_asked() -> None:
    """A stranger writes two Subjects, and mail programs show either."""
    twice = "From: a@b.example\r\nSubject: hi\r\nSubject: casino\r\n\r\n"
    assert holds(twice, subject={"equals": "casino"})


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        ({"spamVerdict": verdict("GRAY")}, {"spam": "gray"}, True),
        ({"spamVerdict": verdict("GRAY"), "spfVerdict": verdict("PASS")}, {"spam": "GRAY", "spf": "FAIL"}, False),
        ({"spamVerdict": verdict("PROCESSING_FAILED")}, {"spam": ["GRAY", "PROCESSING_FAILED"]}, True),
        ({}, {"dkim": "ABSENT"}, True),
    ],
)
def test_verdicts(given: dict[str, Any], wanted: dict[str, Any], expected: bool) -> None:
    assert isinstance(decide(tables((1, {**HELD, "verdicts": wanted})), **given), Quarantine) is expected


@pytest.mark.parametrize(
    ("score", "listed", "not_listed"),
    [
        (None, False, False),  # nothing was asked yet: it is neither
        (Score((Finding("reject_non_fqdn_sender"),)), False, False),  # restrictions are no lists
        (Score(asked=True), False, True),
        (Score((Finding("reject_non_fqdn_sender"),), asked=True), False, True),
        (Score((Finding("bl.example", is_listing=True),), asked=True), True, False),
    ],
)
def test_listed_or_not_is_known_once_a_list_was_asked(score: Score | None, listed: bool, not_listed: bool) -> None:
    for wanted, expected in ((True, listed), (False, not_listed)):
        assert isinstance(decide(tables((1, {**HELD, "listed": wanted})), score=score), Quarantine) is expected


CASINO = {"subject": {"contains": "casino"}}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("REJECT no games", Reject), ("550 no games", Reject), ("450 not now", Defer), ("DISCARD", Discard),
        ("HOLD", Quarantine), ("DUNNO", Forward), ("WARN look", Forward), ("INFO look", Forward),
    ],
)  # fmt: skip
def test_the_actions_are_those_of_sender_rules(action: str, kind: type[Decision]) -> None:
    decision = decide(tables((10, {**CASINO, "action": action})))
    assert type(decision) is kind
    assert f"header rule 010: {action}" in decision.reason


def test_redirect_bcc_and_prepend() -> None:
    found = decide(
        tables(
            (1, {**CASINO, "action": "BCC copy@else.example"}),
            (2, {**CASINO, "action": "PREPEND X-Game: yes"}),
        )
    )
    assert isinstance(found, Forward)
    assert [str(one) for one in found.destinations] == ["jane@dest.example", "copy@else.example"]
    assert found.prepended == ("X-Game: yes",)
    moved = decide(tables((1, {**CASINO, "action": "REDIRECT joe@else.example"})))
    assert isinstance(moved, Forward)
    assert [str(one) for one in moved.destinations] == ["joe@else.example"]


def test_a_rule_does_not_lead_to_our_own_domains() -> None:
    decision = decide(tables((1, {**CASINO, "action": "REDIRECT team@example.com"})))
    assert isinstance(decision, BadTable)
    assert "rule:001 in scope *" in decision.reason


def test_the_health_of_where_a_rule_leads_is_asked() -> None:
    rows = tables((1, {**CASINO, "action": "REDIRECT joe@else.example"}))
    rows.destinations["joe@else.example"] = {"suspended_at": 1, "reason": "gone"}
    assert isinstance(decide(rows), Quarantine)


def test_tag_goes_before_the_subject_with_the_setting_behind() -> None:
    found = decide(tables((1, {**CASINO, "action": "TAG [game]"}), subject_tag="[example]"))
    (delivery,) = deliveries([found])
    assert delivery.tags == ("[game]",)
    style = Style(subject_tag="[example]", tags=delivery.tags)
    out = rewrite(b"From: a@b.example\r\nSubject: hi\r\n\r\n", delivery.alias, envelope(), style)
    assert b"\r\nSubject: [game] [example]\r\n hi\r\n" in out
    again = rewrite(b"From: a@b.example\r\nSubject: Re: [game] [example] hi\r\n\r\n", delivery.alias, envelope(), style)
    assert b"\r\nSubject: Re: [game] [example] hi\r\n" in again
    one = rewrite(b"From: a@b.example\r\nSubject: Re: [example] hi\r\n\r\n", delivery.alias, envelope(), style)
    assert b"\r\nSubject: [game]\r\n Re: [example] hi\r\n" in one


@pytest.mark.parametrize("text", ["", " ", "x" * 41, "a\x1bb"])
def test_what_no_subject_can_have_before_it_is_no_tag(text: str) -> None:
    with pytest.raises(BadRow, match="TAG"):
        HeaderRule.from_row(("rule:001", "*"), {**CASINO, "action": f"TAG {text}"})


def test_rules_are_asked_by_number_and_the_first_that_ends_the_search_decides() -> None:
    later = (20, {**CASINO, "action": "REJECT later"})
    assert "REJECT first" in decide(tables(later, (3, {**CASINO, "action": "REJECT first"}))).reason
    both = decide(tables((100, {**CASINO, "action": "REJECT last"}), later, (3, {**CASINO, "action": "WARN first"})))
    assert both.reason == "header rule 003: WARN first; header rule 020: REJECT later"


def test_dunno_ends_the_search_in_its_scope() -> None:
    mine = {**CASINO, "scope": INFO, "action": "DUNNO"}
    rules = tables(
        (1, mine), (2, {**CASINO, "scope": INFO, "action": "REJECT mine"}), (3, {**CASINO, "action": "HOLD"})
    )
    assert decide(rules).reason == f"header rule 001 for {INFO}: DUNNO; header rule 003: HOLD"
    assert decide(rules, to=TEAM).reason == "header rule 003: HOLD"


def test_the_aliass_own_rules_come_first_whatever_their_numbers() -> None:
    rules = tables((9, {**CASINO, "scope": INFO, "action": "DISCARD"}), (1, {**CASINO, "action": "REJECT"}))
    assert type(decide(rules)) is Discard
    assert type(decide(rules, to=TEAM)) is Reject


def test_a_sender_rule_that_refuses_decides_and_ok_does_not_excuse() -> None:
    rules = tables((1, {**CASINO, "action": "REJECT games"}))
    rules.senders["sender.example", "*"] = {"action": "DISCARD"}
    assert type(decide(rules)) is Discard
    rules.senders["sender.example", "*"] = {"action": "OK"}
    assert "REJECT games" in decide(rules).reason
    assert type(decide(rules)) is Reject
    rules.senders["sender.example", "*"] = {"action": "WARN look"}
    assert decide(rules).reason == "sender rule sender.example: WARN look; header rule 001: REJECT games"


def test_ok_excuses_from_spam_and_ends_the_search_only_with_dmarc_pass() -> None:
    rules = tables((1, {**CASINO, "action": "OK"}), (2, {**CASINO, "action": "REJECT"}))
    assert type(decide(rules)) is Reject
    proven: dict[str, Any] = {"dmarcVerdict": verdict("PASS"), "spamVerdict": verdict("FAIL")}
    found = decide(rules, **proven)
    assert isinstance(found, Forward)
    assert found.excused
    assert type(decide(rules, **proven | {"virusVerdict": verdict("FAIL")})) is Quarantine


def test_a_rule_that_the_settings_do_not_name_is_not_asked_nor_read() -> None:
    rules = tables((1, {**CASINO, "action": "REJECT"}))
    rules.aliases[settings.KEY] = {"header_rules": "2"}
    assert type(decide(rules)) is Forward
    assert row_faults.unasked_rule(("rule:001", "*"), (2,)) == (
        "header rule 001: it is not used, because the setting header_rules does not list it"
    )
    assert row_faults.unasked_rule(("rule:002", "*"), (2,)) is None
    assert row_faults.unasked_rule(("spam.example", "*"), ()) is None


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"action": "HOLD"}, "it has no condition; there are subject, from, to, cc, list_id, larger_than"),
        ({"action": "HOLD", "subjct": {"contains": "x"}}, "unknown attribute 'subjct' (subject?)"),
        (
            {"action": "HOLD", "subject": "casino"},
            "subject: expected one of contains, equals, matches, not_contains, not_equals, not_matches with a text",
        ),
        ({"action": "HOLD", "subject": {}}, "subject: expected one of contains"),
        ({"action": "HOLD", "subject": {"has": "x"}}, "subject: 'has' is not one of contains, equals, matches"),
        ({"action": "HOLD", "subject": {"contains": ""}}, "subject: expected texts that are not empty"),
        ({"action": "HOLD", "subject": {"contains": []}}, "subject: expected a text, or a list"),
        ({"action": "HOLD", "subject": {"contains": ["x"] * 51}}, "subject: expected a text, or a list of up to 50"),
        ({"action": "HOLD", "subject": {"contains": 7}}, "subject: expected a text"),
        ({"action": "HOLD", "subject": {"contains": "x" * 1001}}, "more than 1000 characters"),
        ({"action": "HOLD", "subject": {"matches": "("}}, "pattern '(' is not an RE2 regular expression"),
        ({"action": "HOLD", "subject": {"matches": r"(a)\1"}}, "is not an RE2 regular expression"),
        ({"action": "HOLD", "larger_than": "5M"}, "larger_than: expected octets, found '5M'"),
        ({"action": "HOLD", "larger_than": True}, "larger_than: expected octets"),
        ({"action": "HOLD", "smaller_than": -1}, "smaller_than: expected octets"),
        ({"action": "HOLD", "verdicts": {"spam": "BAD"}}, "verdicts: spam is never 'BAD', but one of PASS, FAIL"),
        ({"action": "HOLD", "verdicts": {"spm": "FAIL"}}, "verdicts: 'spm' is not one of virus, dmarc, spam"),
        ({"action": "HOLD", "listed": "perhaps"}, "expected true or false, found 'perhaps'"),
        ({"action": "FILTER x", "subject": {"contains": "x"}}, "action 'FILTER x'"),
        ({"subject": {"contains": "x"}}, "action None"),
    ],
)
def test_a_row_that_cannot_be_understood_defers_and_is_named(row: dict[str, Any], fault: str) -> None:
    decision = decide(tables((7, row)))
    assert type(decision) is BadTable
    assert decision.reason.startswith("senders row 'rule:007 in scope *': ")
    assert fault in decision.reason
    assert any(fault in one for one in row_faults.rule_faults(("rule:007", "*"), row, POLICY.own_domains, "parent"))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("", ()), ("10", (10,)), ("20, 3,100", (3, 20, 100)), (" 007 ", (7,)), (", ".join(map(str, range(1, 51))), None)],
)
def test_the_setting(typed: str, expected: tuple[int, ...] | None) -> None:
    found = Settings.from_row({"header_rules": typed}).rule_numbers
    assert found == (tuple(range(1, 51)) if expected is None else expected)


@pytest.mark.parametrize(
    "typed", ["0", "1000", "-1", "1.5", "x", "1;2", "\u0661", ", ".join(map(str, range(1, 52))), 10]
)
def test_what_is_none_of_its_values(typed: object) -> None:
    with pytest.raises(BadSettings, match="header_rules: expected up to 50 numbers from 1 to 999"):
        Settings.from_row({"header_rules": typed})


@pytest.mark.parametrize(
    ("key", "asked"), [("rule:001", True), ("rule:1", False), ("rule:1000", False), ("rule:x", False)]
)
def test_keys(key: str, asked: bool) -> None:
    assert (no_sender(key) is None) is asked


def test_no_one_calls_himself_a_rule() -> None:
    """MAIL FROM of a stranger, text that is no address: its key must not be a header rule's row."""
    assert envelope_keys(envelope(source="rule:007")) == ("*",)
    rules = tables((7, {**CASINO, "action": "HOLD"}))
    rules.aliases[settings.KEY] = {}
    assert type(decide(rules, source="rule:007")) is Forward


def test_off_looks_up_no_key_and_on_no_round_more() -> None:
    asked: list[int] = []
    for rows in (
        FakeTables(dict(ALIASES), {}),
        tables(*((number, {**CASINO, "action": "HOLD"}) for number in range(1, 51))),
    ):
        decide(rows)
        asked.append(rows.calls)
    assert asked == [2, 2]


@pytest.mark.parametrize("name", ["subject", "from", "to", "list_id"])
def test_more_of_a_field_than_is_read_is_kept(name: str) -> None:
    field = {"list_id": "List-Id"}.get(name, name.title())
    mail = f"{field}: {'x' * (MAX_READ // 2)}\r\n" * 2 + "\r\n"
    rules = tables((1, {name: {"contains": "casino"}, "action": "REJECT"}))
    assert type(decide(rules, mail)) is Forward
    long = mail.replace("x\r\n", "xx\r\n", 1)
    decision = decide(rules, long)
    assert type(decision) is Quarantine
    assert decision.reason.startswith(f"{MAX_READ + 1} octets of {field.lower()}, more than")
    assert type(decide(tables((1, {"larger_than": 10**9, "action": "REJECT"})), long)) is Forward  # no one asks for it


def test_a_hostile_header_costs_a_bounded_number_of_octets() -> None:
    """Fifty patterns for fifty aliases: the field is read once, and no condition is asked twice."""
    texts: list[int] = []

    class Counted:
        def search(self, text: str) -> None:
            texts.append(len(text))

    from postern_mail.mail import header_rules  # noqa: PLC0415

    rules = tables(*((number, {"subject": {"matches": "(x+x+)+y"}, "action": "HOLD"}) for number in range(1, 51)))
    aliases = [f"a{number}@example.com" for number in range(50)]
    rules.aliases |= {key: {"destinations": ["jane@dest.example"]} for key in aliases}
    made = envelope(*aliases)
    header = Header.of(b"Subject: " + b"x" * (MAX_READ - 9) + b"\r\n\r\n")
    found = look_up(rules, made, header, POLICY, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(header_rules, "_compiled", lambda _: Counted())
        assert all(type(one) is Forward for one in plan(made, header, LookedUp(found.senders, found.rows), POLICY, 0))
    assert len(texts) == 100  # as it came, and its beginning as a person reads it
    assert sum(texts) <= 50 * (MAX_READ + 2000)


def test_a_tables_file_has_them() -> None:
    loaded = TablesFile._from_document(
        {
            "aliases": {INFO: {"destinations": ["jane@dest.example"]}},
            "rules": [{"number": 10, "subject": {"contains": "casino"}, "action": "HOLD"}],
        }
    )
    assert loaded.senders["rule:010", "*"]["action"] == "HOLD"
    assert (loaded.settings, loaded.all_settings["header_rules"]) == (None, "10")
    made, header = envelope(), Header.of(MAIL.encode())
    (decision,) = plan(made, header, look_up(loaded, made, header, POLICY, 0), POLICY, 0)
    assert type(decision) is Quarantine
