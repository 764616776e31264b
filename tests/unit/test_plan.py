from typing import Any

from postern.cli.tables_file import TablesFile
from postern.forward import look_up
from postern.mail.plan import Decision, Discard, Forward, Hold, Quarantine, Reject, deliveries, plan

from tests.builders import envelope, verdict

NOW = 1_795_000_000.0
TABLES = TablesFile(
    domains=frozenset({"example.com"}),
    aliases={
        "info@example.com": {"destinations": ["jane@dest.example"]},
        "team@example.com": {"destinations": ["joe@dest.example", "Jane@Dest.example"]},
        "off@example.com": {"destinations": ["jane@dest.example"], "enabled": False},
        "hole@example.com": {"destinations": ["discard:"]},
        "bad@example.com": {"destinations": ["nonsense"]},
    },
    senders={
        ("spam.example", "*"): {"action": "REJECT go away"},
        ("bulk.example", "*"): {"action": "DISCARD"},
        ("friend@mail.example", "*"): {"action": "OK"},
        ("typo.example", "*"): {"action": "REJCT"},
    },
)


def decide(*recipients: str, **options: Any) -> list[Decision]:
    made = envelope(*recipients, **options)
    return list(plan(made, look_up(TABLES, made, TABLES.domains, NOW), TABLES.domains, NOW))


def one(recipient: str, **options: Any) -> tuple[type[Decision], str]:
    (decision,) = decide(recipient, **options)
    return type(decision), decision.reason


def test_the_ordinary_case() -> None:
    (decision,) = decide("info+x@example.com")
    assert isinstance(decision, Forward)
    assert (str(decision.recipient), str(decision.alias)) == ("info+x@example.com", "info@example.com")
    assert [str(destination) for destination in decision.destinations] == ["jane@dest.example"]
    assert decision.reason == "alias info@example.com"


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


def test_rows_nobody_can_read_hold_their_recipient_and_nobody_else() -> None:
    bad, good = decide("bad@example.com", "info@example.com")
    assert isinstance(bad, Hold)
    assert "aliases row 'bad@example.com'" in bad.reason
    assert isinstance(good, Forward)
    assert one("info@example.com", source="x@typo.example")[0] is Hold


def test_one_delivery_for_each_destination_named_by_the_first_recipient() -> None:
    made = deliveries(decide("info@example.com", "team@example.com", "nobody@example.com"))
    assert [str(delivery.destination) for delivery in made] == ["jane@dest.example", "joe@dest.example"]
    assert [str(forward.recipient) for forward in made[0].forwards] == ["info@example.com", "team@example.com"]
    assert [str(delivery.alias) for delivery in made] == ["info@example.com", "team@example.com"]
