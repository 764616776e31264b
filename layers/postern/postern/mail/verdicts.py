"""What SES says of a message: spam, virus, SPF, DKIM, DMARC.

SES acts on none of them (docs.aws.amazon.com/ses, "Contents of notifications for email
receiving"); what we do about them is decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FAIL = "FAIL"
ABSENT = "ABSENT"  # ours: the event had no such verdict

# Policies with which a domain asks that mail failing DMARC not be delivered (RFC 7489 6.3).
_ENFORCED = ("quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """SES's verdicts, upper case: PASS, FAIL, GRAY, PROCESSING_FAILED, DISABLED, ABSENT.

    Only FAIL has consequences, so a status that AWS adds later is as harmless as GRAY.
    `dmarc_policy` is the policy of the sender's domain, lower case, "" unless SES gave one.
    """

    spam: str = ABSENT
    virus: str = ABSENT
    spf: str = ABSENT
    dkim: str = ABSENT
    dmarc: str = ABSENT
    dmarc_policy: str = ""

    @classmethod
    def from_receipt(cls, receipt: Mapping[str, Any]) -> "Verdicts":
        """The verdicts of an event's `receipt`; whatever is missing or odd is ABSENT."""
        return cls(
            spam=_status(receipt.get("spamVerdict")) or ABSENT,
            virus=_status(receipt.get("virusVerdict")) or ABSENT,
            spf=_status(receipt.get("spfVerdict")) or ABSENT,
            dkim=_status(receipt.get("dkimVerdict")) or ABSENT,
            dmarc=_status(receipt.get("dmarcVerdict")) or ABSENT,
            dmarc_policy=_status(receipt.get("dmarcPolicy")).lower(),
        )

    def quarantine_reason(self, *, spam_excused: bool = False) -> str | None:
        """Why this message must not be forwarded, or None.

        A forward leaves under our own DKIM signature: a virus would cost us the SES account,
        and a forgery would gain a signature it did not have. `spam_excused`: a sender rule
        said OK, which excuses from spam screening and from nothing else.
        """
        if self.virus == FAIL:
            return "virus FAIL"
        if self.dmarc == FAIL and self.dmarc_policy in _ENFORCED:
            return f"dmarc FAIL, policy {self.dmarc_policy}"
        if self.spam == FAIL and not spam_excused:
            return "spam FAIL"
        return None


def _status(verdict: Any) -> str:
    """Status of `{"status": "PASS"}`; a plain string (as dmarcPolicy is) counts as itself."""
    if isinstance(verdict, Mapping):
        verdict = verdict.get("status")
    return verdict.strip().upper() if isinstance(verdict, str) else ""
