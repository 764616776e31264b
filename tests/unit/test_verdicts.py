import pytest
from postern.mail.verdicts import ABSENT, Verdicts

from tests.builders import verdict


def test_all_verdicts_may_be_missing() -> None:
    verdicts = Verdicts.from_receipt({})
    assert {verdicts.spam, verdicts.virus, verdicts.spf, verdicts.dkim, verdicts.dmarc} == {ABSENT}
    assert verdicts.quarantine_reason() is None


@pytest.mark.parametrize("status", ["PASS", "GRAY", "PROCESSING_FAILED", "DISABLED", "SOMETHING_NEW", "", None, 7])
def test_only_fail_has_consequences(status: object) -> None:
    names = ("spamVerdict", "virusVerdict", "spfVerdict", "dkimVerdict", "dmarcVerdict")
    verdicts = Verdicts.from_receipt({name: {"status": status} for name in names} | {"dmarcPolicy": "reject"})
    assert verdicts.quarantine_reason() is None


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
    assert Verdicts.from_receipt(receipt).quarantine_reason() == reason


def test_an_excused_sender_is_excused_from_spam_screening_and_from_nothing_else() -> None:
    assert Verdicts(spam="FAIL").quarantine_reason(spam_excused=True) is None
    assert Verdicts(spam="FAIL", virus="FAIL").quarantine_reason(spam_excused=True) == "virus FAIL"
    assert Verdicts(dmarc="FAIL", dmarc_policy="reject").quarantine_reason(spam_excused=True) is not None
