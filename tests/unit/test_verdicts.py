import pytest
from postern_mail.mail.verdicts import ABSENT, CHOICES, Verdicts, read_overrides

from tests.builders import verdict


def test_all_verdicts_may_be_missing() -> None:
    verdicts = Verdicts.from_receipt({})
    assert {verdicts.spam, verdicts.virus, verdicts.spf, verdicts.dkim, verdicts.dmarc} == {ABSENT}
    assert verdicts.forbids({}) is None


@pytest.mark.parametrize("status", ["PASS", "GRAY", "PROCESSING_FAILED", "DISABLED", "SOMETHING_NEW", "", None, 7])
def test_only_fail_has_consequences(status: object) -> None:
    names = ("spamVerdict", "virusVerdict", "spfVerdict", "dkimVerdict", "dmarcVerdict")
    verdicts = Verdicts.from_receipt({name: {"status": status} for name in names} | {"dmarcPolicy": "reject"})
    assert verdicts.forbids({}) is None


@pytest.mark.parametrize(
    ("receipt", "reason"),
    [
        ({"virusVerdict": verdict("FAIL")}, "virus FAIL"),
        ({"spamVerdict": verdict("FAIL")}, "spam FAIL"),
        ({"dmarcVerdict": verdict("FAIL"), "dmarcPolicy": "reject"}, "dmarc FAIL, policy reject"),
        ({"dmarcVerdict": verdict("FAIL"), "dmarcPolicy": "QUARANTINE"}, "dmarc FAIL, policy quarantine"),
        ({"dmarcVerdict": verdict("FAIL"), "dmarcPolicy": {"status": "REJECT"}}, "dmarc FAIL, policy reject"),
        ({"dmarcVerdict": verdict("FAIL"), "dmarcPolicy": "none"}, None),
        ({"dmarcVerdict": verdict("FAIL")}, None),
        ({"spfVerdict": verdict("FAIL"), "dkimVerdict": verdict("FAIL")}, None),
    ],
)
def test_what_is_quarantined(receipt: dict[str, object], reason: str | None) -> None:
    expected = None if reason is None else ("quarantine", reason)
    assert Verdicts.from_receipt(receipt).forbids({}) == expected


def test_an_excused_sender_is_excused_from_spam_screening_and_from_nothing_else() -> None:
    assert Verdicts(spam="FAIL").forbids({}, spam_excused=True) is None
    assert Verdicts(spam="FAIL", virus="FAIL").forbids({}, spam_excused=True) == ("quarantine", "virus FAIL")
    assert Verdicts(dmarc="FAIL", dmarc_policy="reject").forbids({}, spam_excused=True) is not None


@pytest.mark.parametrize(
    ("verdicts", "overrides", "expected"),
    [
        (Verdicts(spam="FAIL"), {"spam": "forward"}, None),
        (Verdicts(spam="FAIL"), {"spam": "reject"}, ("reject", "spam FAIL")),
        (Verdicts(spam="PASS"), {"spam": "reject"}, None),
        (Verdicts(dmarc="FAIL", dmarc_policy="reject"), {"dmarc": "forward"}, None),
        (Verdicts(dmarc="FAIL", dmarc_policy="none"), {"dmarc": "discard"}, ("discard", "dmarc FAIL, policy none")),
        (Verdicts(spf="FAIL", dkim="FAIL"), {"dkim": "quarantine"}, ("quarantine", "dkim FAIL")),
        (Verdicts(virus="FAIL", spam="FAIL"), {"virus": "discard", "spam": "forward"}, ("discard", "virus FAIL")),
    ],
)
def test_an_alias_has_its_own_answers(verdicts: Verdicts, overrides: dict[str, str], expected: object) -> None:
    assert verdicts.forbids(overrides) == expected


@pytest.mark.parametrize(
    ("verdicts", "overrides", "expected"),
    [
        (Verdicts(spam="FAIL"), {}, ("reject", "spam FAIL")),
        (Verdicts(spam="FAIL"), {"spam": "forward"}, None),
        (Verdicts(virus="FAIL"), {}, ("discard", "virus FAIL")),
        (Verdicts(dmarc="FAIL", dmarc_policy="none"), {}, ("quarantine", "dmarc FAIL, policy none")),
        (Verdicts(spf="FAIL"), {}, None),
    ],
)
def test_the_stacks_answers_hold_where_the_alias_has_none(
    verdicts: Verdicts, overrides: dict[str, str], expected: object
) -> None:
    screening = {"spam": "reject", "virus": "discard", "dmarc": "quarantine"}
    assert verdicts.forbids(overrides, screening) == expected


@pytest.mark.parametrize(
    ("policy", "expected"), [("none", None), ("reject", ("quarantine", "dmarc FAIL, policy reject"))]
)
def test_as_published_is_what_the_senders_domain_asks_for(policy: str, expected: object) -> None:
    assert Verdicts(dmarc="FAIL", dmarc_policy=policy).forbids({}, {"dmarc": "as-published"}) == expected


def test_no_stack_may_forward_a_virus() -> None:
    assert "forward" not in CHOICES["virus"]
    assert {name: choices[0] for name, choices in CHOICES.items()} == {
        "spam": "quarantine",
        "virus": "quarantine",
        "dmarc": "as-published",
    }


def test_a_virus_is_never_forwarded_and_names_and_actions_must_be_known() -> None:
    assert read_overrides({"Spam": " FORWARD "}) == {"spam": "forward"}
    assert read_overrides(None) == {}
    for bad in ({"virus": "forward"}, {"grey": "reject"}, {"spam": "bounce"}, "spam", {"spam": None}):
        with pytest.raises(ValueError, match=r"\Averdicts: "):
            read_overrides(bad)
