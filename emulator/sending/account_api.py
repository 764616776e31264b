"""SES v2's calls about the account and its identities.

Responses have the form of botocore's service model sesv2-2019-09-27.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .identities import LIST, PATH, Identities, Identity
from .refusals import Account, Refusal

_ACCOUNT = "/v2/email/account"


@dataclass
class Standing:
    """The state of the account; `denied` are the calls that the caller may not make."""

    production: bool = True
    enabled: bool = True
    enforcement: str = "HEALTHY"
    a_day: float = 50_000
    a_second: float = 14
    plan: str = "NONE"
    review: str = ""
    identities: Identities = field(default_factory=Identities)
    denied: set[str] = field(default_factory=set)

    def answer(self, method: str, url: str, body: dict[str, Any], account: Account) -> dict[str, Any]:
        """The body of the response to one call. The list of identities includes those that the account may send for.
        Raises Refusal."""
        path = urlsplit(url).path.rstrip("/")
        if path == _ACCOUNT:
            self._allow("GetAccount")
            return self._account(account.state)
        if path == LIST or (path == PATH and method == "GET"):
            self._allow("ListEmailIdentities")
            known = {**{one: Identity() for one in account.identities}, **self.identities.there}
            return {"EmailIdentities": [one.listed(name) for name, one in known.items()]}
        if not path.startswith(PATH):
            raise Refusal("NotFoundException", 404, f"{path} is not known to the emulator")
        if method == "GET":
            self._allow("GetEmailIdentity")
        return self.identities.answered(method, url, body)

    def _allow(self, call: str) -> None:
        if call in self.denied:
            raise Refusal("AccessDeniedException", 403, f"User is not authorized to perform: ses:{call}")

    def _account(self, state: str) -> dict[str, Any]:
        review: Mapping[str, Any] = {"ReviewDetails": {"Status": self.review}} if self.review else {}
        return {
            "ProductionAccessEnabled": self.production,
            "SendingEnabled": self.enabled and not state,
            "EnforcementStatus": self.enforcement,
            "SendQuota": {"Max24HourSend": self.a_day, "MaxSendRate": self.a_second, "SentLast24Hours": 0},
            "PricingAttributes": {"CurrentPlan": self.plan},
            "Details": review,
        }
