"""SES identities, by the v2 API: what moto and ministack lack, with SES's refusals.

[M] botocore's service model, [D] the API reference and "Creating and verifying identities", [U] not verified.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from .refusals import Refusal, bad_request

PATH = "/v2/email/identities"
LIST = "/v2/email/list-identities"  # by POST since the call takes a filter, and by GET of PATH before
_PARTS = re.compile(PATH + r"/([^/]+)(?:/([a-z-]+)(?:/([a-z-]+))?)?")


@dataclass
class Identity:
    """A domain or address identity; `verified` once SES has seen its records, or the click on the link."""

    verified: bool = True
    tokens: tuple[str, ...] = ()
    mail_from: str = ""
    mail_from_status: str = "SUCCESS"
    dkim_status: str = "SUCCESS"
    signs: bool = True
    key_length: str = "RSA_2048_BIT"
    configuration_set: str = ""
    feedback_by_mail: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    def listed(self, name: str) -> dict[str, Any]:
        """The identity in ListEmailIdentities [M]."""
        return {
            "IdentityName": name,
            "IdentityType": _kind(name),
            "SendingEnabled": self.verified,
            "VerificationStatus": self._status,
        }

    def described(self, name: str) -> dict[str, Any]:
        """The identity in GetEmailIdentity [M]."""
        mail_from: dict[str, Any] = {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}
        if self.mail_from:
            mail_from |= {"MailFromDomain": self.mail_from, "MailFromDomainStatus": self.mail_from_status}
        return {
            "IdentityType": _kind(name),
            "VerifiedForSendingStatus": self.verified,
            "VerificationStatus": self._status,
            "FeedbackForwardingStatus": self.feedback_by_mail,
            "DkimAttributes": self.dkim,
            "MailFromAttributes": mail_from,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
            **({"ConfigurationSetName": self.configuration_set} if self.configuration_set else {}),
        }

    @property
    def dkim(self) -> dict[str, Any]:
        """Its DKIM attributes [M]."""
        return {
            "SigningEnabled": self.signs,
            "Status": self.dkim_status,
            "Tokens": list(self.tokens),
            "SigningHostedZone": "dkim.amazonses.com",
            "SigningAttributesOrigin": "AWS_SES",
            "NextSigningKeyLength": self.key_length,
        }

    @property
    def _status(self) -> str:
        return "SUCCESS" if self.verified else "PENDING"


@dataclass
class Identities:
    """The identities of one account and region; `configuration_sets` returns the names of the configuration sets.

    `published` returns the names in public DNS, where SES looks for an identity's records; here at every call.
    """

    configuration_sets: Callable[[], Collection[str]] = tuple
    published: Callable[[], Collection[str]] = tuple
    there: dict[str, Identity] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The HTTP status and JSON for a request below PATH."""
        try:
            return 200, json.dumps(self.answered(method, path, json.loads(body or b"{}"))).encode()
        except Refusal as refusal:
            return refusal.status, json.dumps({"code": refusal.code, "message": refusal.message}).encode()

    def answered(self, method: str, url: str, request: dict[str, Any]) -> dict[str, Any]:
        """The body of the response. Raises Refusal."""
        self._look()
        path = urlsplit(url).path.rstrip("/")
        if path == PATH and method == "POST":
            return self._create(request)
        if path in (LIST, PATH):
            return {"EmailIdentities": [one.listed(name) for name, one in self.there.items()]}
        found = _PARTS.fullmatch(path)
        name = unquote(found[1]) if found else ""
        if name not in self.there:  # [M] NotFoundException; the words [U]
            raise Refusal("NotFoundException", 404, f"Email identity {name} does not exist.")
        if method == "DELETE":
            del self.there[name]
            return {}
        if method == "PUT" and found:
            self._put(name, (found[2], found[3]), request)
            return {}
        return self.there[name].described(name)

    def _look(self) -> None:
        """[D] Verify an identity if its three DKIM records are in public DNS."""
        names = set(self.published())
        for domain, one in self.there.items():
            if names and {f"{token}._domainkey.{domain}" for token in one.tokens} <= names:
                one.verified, one.dkim_status = True, "SUCCESS"
            if one.mail_from in names:
                one.mail_from_status = "SUCCESS"

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["EmailIdentity"]
        if name in self.there:
            raise Refusal("AlreadyExistsException", 400, f"Email identity {name} already exist.")
        self._known(request.get("ConfigurationSetName"))
        made = self.there[name] = Identity(
            verified=False,
            tokens=tuple(hashlib.sha256(f"{name}{number}".encode()).hexdigest()[:32] for number in (1, 2, 3)),
            dkim_status="PENDING",
            key_length=request.get("DkimSigningAttributes", {}).get("NextSigningKeyLength", "RSA_2048_BIT"),
            configuration_set=request.get("ConfigurationSetName", ""),
            feedback_by_mail=True,  # [D] the default
            tags={one["Key"]: one["Value"] for one in request.get("Tags", [])},
        )
        return {"IdentityType": _kind(name), "VerifiedForSendingStatus": False, "DkimAttributes": made.dkim}

    def _put(self, name: str, what: tuple[str | None, str | None], request: dict[str, Any]) -> None:
        identity = self.there[name]
        match what:
            case ("mail-from", None):
                label, dot, parent = request.get("MailFromDomain", f"x.{name}").partition(".")
                if not (label and dot and parent == name):  # [D] "must be a subdomain of a verified identity"
                    raise bad_request(
                        f"Provided MAIL-FROM domain is not subdomain of the domain of the identity {name}."
                    )
                identity.mail_from, identity.mail_from_status = request.get("MailFromDomain", ""), "PENDING"
            case ("configuration-set", None):
                self._known(request.get("ConfigurationSetName"))
                identity.configuration_set = request.get("ConfigurationSetName", "")
            case ("feedback", None):
                identity.feedback_by_mail = request.get("EmailForwardingEnabled", False)
            case ("dkim", None):
                identity.signs = request.get("SigningEnabled", False)
            case ("dkim", "signing"):
                identity.key_length = request.get("SigningAttributes", {}).get("NextSigningKeyLength", "")
            case _:
                raise bad_request(f"{what} is not known to the emulator")

    def _known(self, configuration_set: str | None) -> None:
        if configuration_set and configuration_set not in self.configuration_sets():
            raise Refusal("NotFoundException", 404, f"Configuration set <{configuration_set}> does not exist.")


def _kind(name: str) -> str:
    return "EMAIL_ADDRESS" if "@" in name else "DOMAIN"
