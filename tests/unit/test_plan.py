from typing import Any

import pytest
from postern_command.tables.file import TablesFile
from postern_mail.lookup import look_up
from postern_mail.mail.address import Address
from postern_mail.mail.damper import AUTOMATIC
from postern_mail.mail.header import MAX_HOPS, Header
from postern_mail.mail.plan import (
    BadTable,
    Decision,
    Defer,
    Discard,
    Forward,
    Policy,
    Quarantine,
    Reject,
    deliveries,
    plan,
)
from postern_mail.mail.senders import MAX_AUTHORS
from postern_mail.mail.settings import KEY
from postern_mail.mail.stamp import TEST_KEY, stamp

from tests.builders import envelope, verdict
from tests.fakes import FakeTables

NOW = 1_795_000_000.0
TABLES = TablesFile(
    domains=frozenset({"example.com"}),
    aliases={
        "info@example.com": {"destinations": ["jane@dest.example"]},
        "team@example.com": {"destinations": ["joe@dest.example", "Jane@Dest.example"]},
        "off@example.com": {"destinations": ["jane@dest.example"], "enabled": False},
        "hole@example.com": {"destinations": ["discard:"]},
        "open@example.com": {"destinations": ["jane@dest.example"], "verdicts": {"spam": "forward"}},
        "bad@example.com": {"destinations": ["nonsense"]},
    },
    senders={
        ("spam.example", "*"): {"action": "REJECT go away"},
        ("bulk.example", "*"): {"action": "DISCARD"},
        ("friend@mail.example", "*"): {"action": "OK"},
        ("typo.example", "*"): {"action": "REJCT"},
        ("kept.example", "*"): {"action": "HOLD look at it"},
        ("later.example", "*"): {"action": "450 4.7.1 not now"},
        ("never.example", "*"): {"action": "550 5.7.1 never"},
        ("moved.example", "*"): {"action": "REDIRECT other@else.example"},
        ("copied.example", "*"): {"action": "BCC copy@else.example"},
        ("marked.example", "*"): {"action": "PREPEND X-Marked: yes"},
        ("noted.example", "*"): {"action": "WARN look"},
        ("inside.example", "*"): {"action": "REDIRECT info@example.com"},
        ("both.example", "team@example.com"): {"action": "BCC copy@else.example"},
        ("both.example", "*"): {"action": "REDIRECT other@else.example"},
        ("kept.example", "team@example.com"): {"action": "DUNNO"},
        ("marked.example", "team@example.com"): {"action": "REDIRECT other@else.example"},
        ("moved.example", "team@example.com"): {"action": "REJECT"},
    },
)


def decide(*recipients: str, author: str = "", facts: dict[str, Any] | None = None, **options: Any) -> list[Decision]:
    made, policy = envelope(*recipients, **options), Policy(TABLES.domains)
    header = Header(**({"authors": (Address.parse(author),) if author else ()} | (facts or {})))
    return list(plan(made, header, look_up(TABLES, made, header, policy, NOW), policy, NOW))


def one(recipient: str, **options: Any) -> tuple[type[Decision], str]:
    (decision,) = decide(recipient, **options)
    return type(decision), decision.reason


def test_the_screening_of_the_settings_holds() -> None:
    made = envelope("info@example.com", spamVerdict=verdict("FAIL"))
    for action, kind in (("forward", Forward), ("reject", Reject), ("discard", Discard), ("quarantine", Quarantine)):
        policy = Policy(TABLES.domains)
        found = look_up(TABLES, made, Header(), policy, NOW)
        found.rows.understood.pop(KEY, None)
        found.rows.aliases[KEY] = {"address": KEY, "spam_action": action}
        (decision,) = plan(made, Header(), found, policy, NOW)
        assert type(decision) is kind


def test_the_ordinary_case() -> None:
    (decision,) = decide("info+x@example.com")
    assert isinstance(decision, Forward)
    assert (str(decision.recipient), str(decision.alias)) == ("info+x@example.com", "info@example.com")
    assert [str(destination) for destination in decision.destinations] == ["jane@dest.example"]
    assert decision.reason == "alias info@example.com"


@pytest.mark.parametrize("sender", ["x@kept.example", "x@never.example", "x@bulk.example", "x@later.example"])
def test_whatever_becomes_of_it_the_alias_is_named(sender: str) -> None:
    """For the log line, which says so of every recipient that has one."""
    assert [str(decision.alias) for decision in decide("info+x@example.com", source=sender)] == ["info@example.com"]
    assert decide("nobody@example.com", source=sender)[0].alias is None


def test_no_alias_no_forward() -> None:
    assert one("nobody@example.com") == (Reject, "nobody@example.com is unknown")
    assert one("off@example.com") == (Reject, "off@example.com is disabled")


def test_sender_rules() -> None:
    assert one("info@example.com", source="x@deep.spam.example") == (Reject, "sender rule spam.example: REJECT go away")
    assert one("info@example.com", source="x@bulk.example") == (Discard, "sender rule bulk.example: DISCARD")


def test_a_sender_rule_never_makes_a_recipient_valid() -> None:
    assert one("nobody@example.com", source="friend@mail.example")[0] is Reject


def test_screening_and_who_is_excused() -> None:
    spam = {"spamVerdict": verdict("FAIL")}
    virus = {"virusVerdict": verdict("FAIL")}
    assert one("info@example.com", **spam) == (Quarantine, "spam FAIL")
    assert one("info@example.com", source="friend@mail.example", **spam)[0] is Forward
    assert one("info@example.com", source="friend@mail.example", **virus) == (Quarantine, "virus FAIL")


def test_what_an_owner_discards_is_not_missed() -> None:
    assert one("hole@example.com") == (Discard, "alias hole@example.com; discard:")


def test_unreadable_rows_hold_their_recipient_and_no_one_else() -> None:
    bad, good = decide("bad@example.com", "info@example.com")
    assert isinstance(bad, BadTable)
    assert "aliases row 'bad@example.com'" in bad.reason
    assert isinstance(good, Forward)
    assert one("info@example.com", source="x@typo.example")[0] is BadTable


def test_one_delivery_for_each_destination_named_by_the_first_recipient() -> None:
    made = deliveries(decide("info@example.com", "team@example.com", "nobody@example.com"))
    assert [str(delivery.destination) for delivery in made] == ["jane@dest.example", "joe@dest.example"]
    assert [str(forward.recipient) for forward in made[0].forwards] == ["info@example.com", "team@example.com"]
    assert [str(delivery.alias) for delivery in made] == ["info@example.com", "team@example.com"]


@pytest.mark.parametrize(
    ("source", "kind", "reason"),
    [
        ("x@kept.example", Quarantine, "sender rule kept.example: HOLD look at it"),
        ("x@later.example", Defer, "sender rule later.example: 450 4.7.1 not now"),
        ("x@never.example", Reject, "sender rule never.example: 550 5.7.1 never"),
        ("x@moved.example", Forward, "alias info@example.com; sender rule moved.example: REDIRECT other@else.example"),
        ("x@noted.example", Forward, "alias info@example.com; sender rule noted.example: WARN look"),
        (
            "x@inside.example",
            BadTable,
            "senders row 'inside.example in scope *': REDIRECT to info@example.com, an address of our own,"
            " which is not looked up again",
        ),
    ],
)
def test_what_a_rule_makes_of_a_message(source: str, kind: type[Decision], reason: str) -> None:
    assert one("info@example.com", source=source) == (kind, reason)


def forwarded(recipient: str, source: str) -> tuple[list[str], tuple[str, ...]]:
    (decision,) = decide(recipient, source=source)
    assert isinstance(decision, Forward)
    return [str(destination) for destination in decision.destinations], decision.prepended


def test_redirect_replaces_the_destinations_and_bcc_adds_one() -> None:
    assert forwarded("team@example.com", "x@copied.example")[0] == [
        "joe@dest.example",
        "Jane@dest.example",
        "copy@else.example",
    ]
    assert forwarded("team@example.com", "x@marked.example") == (["other@else.example"], ("X-Marked: yes",))
    assert forwarded("hole@example.com", "x@copied.example")[0] == ["copy@else.example"]
    assert forwarded("hole@example.com", "x@moved.example")[0] == ["other@else.example"]
    assert forwarded("team@example.com", "x@both.example")[0] == ["other@else.example"], "as in Postfix"


def test_both_scopes_hold_and_a_refusal_in_one_is_final() -> None:
    assert one("team@example.com", source="x@kept.example")[0] is Quarantine
    assert one("team@example.com", source="x@moved.example") == (
        Reject,
        "sender rule moved.example for team@example.com: REJECT",
    )


def test_the_header_is_asked_only_where_the_envelope_says_nothing() -> None:
    assert one("info@example.com", author="x@spam.example") == (
        Reject,
        "sender rule spam.example: REJECT go away (by header From)",
    )
    assert one("info@example.com", source="x@noted.example", author="x@spam.example")[0] is Forward


def test_ok_by_the_header_counts_only_with_dmarc_pass() -> None:
    spam = {"spamVerdict": verdict("FAIL")}
    assert one("info@example.com", author="friend@mail.example", **spam)[0] is Quarantine
    vouched = {**spam, "dmarcVerdict": verdict("PASS")}
    assert one("info@example.com", author="friend@mail.example", **vouched)[0] is Forward


def test_an_alias_answers_to_verdicts_in_its_own_way() -> None:
    assert one("open@example.com", spamVerdict=verdict("FAIL"))[0] is Forward
    assert one("open@example.com", virusVerdict=verdict("FAIL"))[0] is Quarantine


def test_what_we_have_forwarded_for_this_alias_is_a_loop_whatever_a_rule_says() -> None:
    facts = {"stamps": (stamp(TEST_KEY, Address("info", "example.com")).encode(),)}
    loop = (Reject, "loop: it was forwarded for info@example.com before")
    assert one("info@example.com", facts=facts) == loop
    assert one("info+x@example.com", facts=facts) == loop
    assert one("info@example.com", facts=facts, source="friend@mail.example") == loop
    assert one("team@example.com", facts=facts)[0] is Forward, "one alias may lead to another stack's, and that here"


def test_a_counterfeit_stamp_changes_nothing() -> None:
    counterfeit = {"stamps": (stamp(b"another key", Address("info", "example.com")).encode(), b"v1 0", b"\xff")}
    assert one("info@example.com", facts=counterfeit)[0] is Forward


@pytest.mark.parametrize(("hops", "kind"), [(MAX_HOPS - 1, Forward), (MAX_HOPS, Reject)])
def test_a_message_that_has_been_everywhere_goes_nowhere(hops: int, kind: type[Decision]) -> None:
    assert one("info@example.com", facts={"hops": hops})[0] is kind


@pytest.mark.parametrize(
    ("source", "author", "automatic", "counts"),
    [
        ("jane@dest.example", "", True, True),
        ("<>", "Jane@DEST.example", False, True),
        ("<>", "jane@dest.example", True, True),
        ("jane+away@dest.example", "jane@elsewhere.example", False, True),
        ("jane@dest.example", "jane@dest.example", False, True),
        ("<>", "mailer-daemon@dest.example", True, False),
        ("robot@mail.example", "robot@mail.example", True, False),
        ("<>", "joe@dest.example", False, False),
    ],
)
def test_what_comes_from_where_the_alias_leads_is_counted(
    source: str, author: str, automatic: bool, counts: bool
) -> None:
    """An autoresponder writes a new message, without our stamp: forwarded, it would be answered again."""
    made, policy = envelope("info@example.com", source=source), Policy(TABLES.domains)
    header = Header(authors=(Address.parse(author),) if author else (), is_automatic=automatic, subject=b"Re: lunch")
    (decision,) = plan(made, header, look_up(TABLES, made, header, policy, NOW), policy, NOW)
    assert isinstance(decision, Forward)
    assert (decision.echo is not None) is counts
    if decision.echo is not None:
        assert (decision.echo.what == AUTOMATIC) is (automatic or source == "<>")
        assert decision.echo.whom.startswith("jane@dest.example")


@pytest.mark.parametrize(
    ("raw", "automatic"),
    [
        (b"Auto-Submitted: auto-replied\r\n\r\n", True),
        (b"auto-submitted: Auto-Generated; x=y\r\n\r\n", True),
        (b"Auto-Submitted: no\r\n\r\n", False),
        (b"Auto-Submitted: No ; x\r\n\r\n", False),
        (b"Auto-Submitted:\r\n\r\n", False),
        (b"Subject: x\r\n\r\nAuto-Submitted: auto-replied", False),
    ],
)
def test_what_is_automatic(raw: bytes, automatic: bool) -> None:
    assert Header.of(raw).is_automatic is automatic


def test_the_facts_of_a_header() -> None:
    raw = b"Received: a\r\nFrom: A <a@x.example>, b@x.example\r\nReceived: b\r\nX-Postern-Loop: v1 0\r\n\r\n"
    people = (Address("a", "x.example"), Address("b", "x.example"))
    assert Header.of(raw) == Header(authors=people, hops=2, stamps=(b"v1 0",))


@pytest.mark.parametrize(
    ("recipient", "options", "said"),
    [
        ("nobody@example.com", {}, "550 5.1.1 There is no such address here"),
        ("off@example.com", {}, "550 5.2.1 This address takes no mail any more"),
        ("info@example.com", {"source": "x@spam.example"}, "554 5.7.1 go away"),
        ("info@example.com", {"source": "x@never.example"}, "550 5.7.1 never"),
        ("info@example.com", {"facts": {"hops": MAX_HOPS}}, "None"),
    ],
)
def test_a_rejection_says_what_the_sender_may_be_told(recipient: str, options: dict[str, Any], said: str) -> None:
    (decision,) = decide(recipient, **options)
    assert isinstance(decision, Reject)
    assert str(decision.reply) == said


def test_health_that_was_never_read_is_a_mistake_of_the_caller_and_not_good_health() -> None:
    made, policy, header = envelope("info@example.com"), Policy(TABLES.domains), Header()
    found = look_up(TABLES, made, header, policy, NOW)
    del found.rows.destinations["jane@dest.example"]
    with pytest.raises(KeyError):
        plan(made, header, found, policy, NOW)


@pytest.mark.parametrize("action", ["REDIRECT other@else.example", "BCC other@else.example"])
def test_where_a_rule_sends_to_has_health_too(action: str) -> None:
    made, policy, header = envelope("info@example.com", source="a@moved.example"), Policy(TABLES.domains), Header()
    tables = FakeTables(
        {"info@example.com": {"destinations": ["jane@dest.example"]}},
        {("moved.example", "*"): {"action": action}},
        destinations={"other@else.example": {"suspended_at": 1}},
    )
    (decision,) = plan(made, header, look_up(tables, made, header, policy, NOW), policy, NOW)
    assert isinstance(decision, Quarantine if "REDIRECT" in action else Forward)
    assert "other@else.example is suspended" in decision.reason
    assert [str(who) for who in decision.suspended] == ["other@else.example"]


def released(*recipients: str, **options: Any) -> list[str]:
    """What becomes of recipients whose quarantine someone has lifted."""
    author, facts = options.pop("author", ""), options.pop("facts", {})
    made, policy = envelope(*recipients, **options), Policy(TABLES.domains)
    header = Header(authors=(Address.parse(author),) if author else (), **facts)
    found = look_up(TABLES, made, header, policy, NOW)
    return [type(one).__name__ for one in plan(made, header, found, policy, NOW, {"info@example.com"})]


@pytest.mark.parametrize(
    "options",
    [
        {"spamVerdict": verdict("FAIL")},
        {"dmarcVerdict": verdict("FAIL"), "dmarcPolicy": "reject"},
        {"source": "x@kept.example"},
    ],
)
def test_a_release_lifts_every_quarantine_but_for_this_recipient_alone(options: dict[str, Any]) -> None:
    assert released("info@example.com", "info+x@example.com", **options) == ["Forward", "Quarantine"]


@pytest.mark.parametrize(
    ("options", "decision"),
    [
        ({"virusVerdict": verdict("FAIL")}, "Quarantine"),
        ({"virusVerdict": verdict("FAIL"), "source": "x@kept.example"}, "Quarantine"),
        ({"source": "x@spam.example", "spamVerdict": verdict("FAIL")}, "Reject"),
        ({"facts": {"hops": MAX_HOPS}, "spamVerdict": verdict("FAIL")}, "Reject"),
        ({"source": "x@typo.example"}, "BadTable"),
    ],
)
def test_a_release_lifts_neither_a_virus_nor_a_refusal(options: dict[str, Any], decision: str) -> None:
    assert released("info@example.com", **options) == [decision]


@pytest.mark.parametrize(
    "written",
    [
        "evil@spam.example",
        "Evil <evil @ spam.example>",
        "Evil <evil@spam.example.>",
        "Evil <evil(x)@spam(y).example>",
        "<@relay.example:evil@spam.example>",
        "Evil <mailto:evil@spam.example>",
        "=?utf-8?q?evil=40spam.example?=",
        "Evil <=?utf-8?b?ZXZpbEBzcGFtLmV4YW1wbGU=?=>",
        '"e<v>il"@spam.example',
        "évil@spam.example",
        "Friend <friend@mail.example> <evil@mx.spam.example>",
        "Team: friend@mail.example, evil@spam.example;",
        ", ".join([*(f"a{number}@other.example" for number in range(10)), "evil@spam.example"]),
        ", ".join([*["a@other.example"] * 1000, "evil@spam.example"]),
    ],
)
def test_a_rule_meets_its_sender_however_from_is_written(written: str) -> None:
    header = Header.of(f"From: {written}\r\n\r\n".encode())
    found = one("info@example.com", source="x@other.example", facts={"authors": header.authors})
    assert (found[0], "spam.example" in found[1]) == (Reject, True)


def test_more_authors_than_are_looked_up_are_kept_for_a_person() -> None:
    many = tuple(Address(f"a{number}", "other.example") for number in range(MAX_AUTHORS + 1))
    kind, why = one("info@example.com", source="x@other.example", facts={"authors": many})[:2]
    assert (kind, why) == (Quarantine, f"{MAX_AUTHORS + 1} authors in From, too many to look up")
    assert one("info@example.com", source="x@other.example", facts={"authors": many[:-1]})[0] is Forward
