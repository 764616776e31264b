"""What SES's second API says of the account and its identities.

Answers have the form of botocore's service model sesv2-2019-09-27.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from .refusals import Account, Refusal

_ACCOUNT, _IDENTITIES = "/v2/email/account", "/v2/email/identities"
_LIST = "/v2/email/list-identities"  # by POST since the call takes a filter, and by GET before


@dataclass
class Known:
    """A domain or address as SES knows it; `verified` is that its records, or the click on the link, were seen."""

    verified: bool = True
    tokens: tuple[str, ...] = ()
    mail_from: str = ""
    mail_from_status: str = "SUCCESS"
    dkim_status: str = "SUCCESS"
    signs: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Standing:
    """How the account stands; `denied` are the calls for which the caller has no right."""

    production: bool = True
    enabled: bool = True
    enforcement: str = "HEALTHY"
    a_day: float = 50_000
    a_second: float = 14
    plan: str = "NONE"
    review: str = ""
    identities: dict[str, Known] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)

    def answer(self, url: str, account: Account) -> Mapping[str, Any]:
        """The body of the answer to one question. What the account may send for is in its list, too. Raises Refusal."""
        path = unquote(urlsplit(url).path).rstrip("/")
        name = path.removeprefix(f"{_IDENTITIES}/")
        if path == _ACCOUNT:
            return self._allowed("GetAccount", self._account(account.state))
        if path in (_IDENTITIES, _LIST):
            known = {**{one: Known() for one in account.identities}, **self.identities}
            return self._allowed("ListEmailIdentities", {"EmailIdentities": [*map(_listed, known.items())]})
        if name == path:
            raise Refusal("NotFoundException", 404, f"{path} is not known to the emulator")
        if name not in self.identities:
            self._allowed("GetEmailIdentity", {})
            raise Refusal("NotFoundException", 404, f"Email identity {name} does not exist.")
        return self._allowed("GetEmailIdentity", _described(self.identities[name]))

    def _allowed(self, call: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if call in self.denied:
            raise Refusal("AccessDeniedException", 403, f"User is not authorized to perform: ses:{call}")
        return answer

    def _account(self, state: str) -> Mapping[str, Any]:
        review = {"ReviewDetails": {"Status": self.review}} if self.review else {}
        return {
            "ProductionAccessEnabled": self.production,
            "SendingEnabled": self.enabled and not state,
            "EnforcementStatus": self.enforcement,
            "SendQuota": {"Max24HourSend": self.a_day, "MaxSendRate": self.a_second, "SentLast24Hours": 0},
            "PricingAttributes": {"CurrentPlan": self.plan},
            "Details": review,
        }


def _listed(one: tuple[str, Known]) -> Mapping[str, Any]:
    name, known = one
    status = "SUCCESS" if known.verified else "PENDING"
    kind = "EMAIL_ADDRESS" if "@" in name else "DOMAIN"
    return {"IdentityName": name, "IdentityType": kind, "SendingEnabled": known.verified, "VerificationStatus": status}


def _described(known: Known) -> Mapping[str, Any]:
    mail_from = {"MailFromDomain": known.mail_from, "MailFromDomainStatus": known.mail_from_status}
    return {
        "IdentityType": "DOMAIN",
        "VerifiedForSendingStatus": known.verified,
        "VerificationStatus": "SUCCESS" if known.verified else "PENDING",
        "FeedbackForwardingStatus": False,
        "DkimAttributes": {
            "SigningEnabled": known.signs,
            "Status": known.dkim_status,
            "Tokens": list(known.tokens),
            "SigningHostedZone": "dkim.amazonses.com",
            "SigningAttributesOrigin": "AWS_SES",
            "NextSigningKeyLength": "RSA_2048_BIT",
        },
        "MailFromAttributes": mail_from if known.mail_from else {},
        "Tags": [{"Key": key, "Value": value} for key, value in known.tags.items()],
    }
