"""SES's verdicts on a message: spam, virus, SPF, DKIM, DMARC.

SES acts on none of them (docs.aws.amazon.com/ses, "Contents of notifications for email receiving"); their consequences
are decided here.
"""

from collections.abc import Mapping
from typing import Any

from .records import dataclass

FAIL = "FAIL"
ABSENT = "ABSENT"  # ours: the event had no such verdict
STATUSES = ("PASS", FAIL, "GRAY", "PROCESSING_FAILED", "DISABLED", ABSENT)

SCREENED = ("virus", "dmarc", "spam", "spf", "dkim")  # the first that forbids forwarding decides
ACTIONS = FORWARD, QUARANTINE, REJECT, DISCARD = ("forward", "quarantine", "reject", "discard")

# Consequences of a FAIL that a setting may choose, the default first. A virus costs the account, so never FORWARD.
AS_PUBLISHED = "as-published"  # as the sender's domain asks
CHOICES: Mapping[str, tuple[str, ...]] = {
    "spam": (QUARANTINE, FORWARD, REJECT, DISCARD),
    "virus": (QUARANTINE, REJECT, DISCARD),
    "dmarc": (AS_PUBLISHED, FORWARD, QUARANTINE, REJECT, DISCARD),
}

# Policies with which a domain asks that mail failing DMARC not be delivered (RFC 9989, before RFC 7489 6.3).
_ENFORCED = ("quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """SES's verdicts, upper case: PASS, FAIL, GRAY, PROCESSING_FAILED, DISABLED, ABSENT.

    Only FAIL has consequences, so a status that AWS adds later is as harmless as GRAY. `dmarc_policy` is the policy of
    the sender's domain, lower case, "" unless SES gave one.
    """

    spam: str = ABSENT
    virus: str = ABSENT
    spf: str = ABSENT
    dkim: str = ABSENT
    dmarc: str = ABSENT
    dmarc_policy: str = ""

    @classmethod
    def from_receipt(cls, receipt: Mapping[str, Any]) -> "Verdicts":
        """The verdicts of an event's `receipt`; a missing or malformed one is ABSENT."""
        return cls(
            spam=_status(receipt.get("spamVerdict")) or ABSENT,
            virus=_status(receipt.get("virusVerdict")) or ABSENT,
            spf=_status(receipt.get("spfVerdict")) or ABSENT,
            dkim=_status(receipt.get("dkimVerdict")) or ABSENT,
            dmarc=_status(receipt.get("dmarcVerdict")) or ABSENT,
            dmarc_policy=_status(receipt.get("dmarcPolicy")).lower(),
        )

    def forbids(
        self, overrides: Mapping[str, str], common: Mapping[str, str] | None = None, *, spam_excused: bool = False
    ) -> tuple[str, str] | None:
        """(what to do instead of forwarding, why), or None.

        A forward leaves under our own DKIM signature: a virus would cost us the SES account, and a forgery would gain a
        signature it did not have. `overrides` are the alias's own, `common` those of the settings; `spam_excused`: a
        sender rule said OK, which exempts from spam screening and nothing else.
        """
        for name in SCREENED:
            if getattr(self, name) != FAIL or (name == "spam" and spam_excused):
                continue
            action = overrides.get(name) or (common or {}).get(name, AS_PUBLISHED)
            if action == AS_PUBLISHED:
                action = self._default(name)
            if action != FORWARD:
                policy = f", policy {self.dmarc_policy}" if name == "dmarc" and self.dmarc_policy else ""
                return action, f"{name} FAIL{policy}"
        return None

    def _default(self, name: str) -> str:
        if name == "dmarc":
            return QUARANTINE if self.dmarc_policy in _ENFORCED else FORWARD
        return QUARANTINE if name in ("virus", "spam") else FORWARD


def read_overrides(value: Any) -> dict[str, str]:
    """An alias's own `verdicts`: the consequence of each FAIL. Raises ValueError."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"verdicts: expected names with actions, found {value!r}")
    overrides = {str(name).strip().lower(): str(action).strip().lower() for name, action in value.items()}
    for name, action in overrides.items():
        if name not in SCREENED:
            raise ValueError(f"verdicts: {name!r} is not one of {', '.join(SCREENED)}")
        if action not in ACTIONS:
            raise ValueError(f"verdicts: {action!r} is not one of {', '.join(ACTIONS)}")
        if name == "virus" and action == FORWARD:
            raise ValueError("verdicts: a virus is never forwarded, it would cost the SES account")
    return overrides


def _status(verdict: Any) -> str:
    """The status in `{"status": "PASS"}`; a plain string (such as dmarcPolicy) is returned unchanged."""
    if isinstance(verdict, Mapping):
        verdict = verdict.get("status")
    return verdict.strip().upper() if isinstance(verdict, str) else ""
