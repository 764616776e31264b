"""SES's domain identities, by the second API: what moto and ministack lack, refused as SES refuses it.

[M] botocore's service model, [D] the API reference and "Creating and verifying identities", [U] not verified.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .sending.refusals import Refusal, bad_request

PATH = "/v2/email/identities"
LIST = "/v2/email/list-identities"
_PARTS = re.compile(PATH + r"/([^/]+)(?:/([a-z-]+)(?:/([a-z-]+))?)?")


@dataclass
class Identities:
    """The identities of one account and region; `configuration_sets` tells the names of those that are there.

    `published` tells the names that public DNS has: SES looks for an identity's records there, here at every call.
    """

    configuration_sets: Callable[[], Collection[str]]
    published: Callable[[], Collection[str]] = tuple
    there: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """HTTP status and JSON for one request below PATH."""
        path = path.partition("?")[0]
        self._look()
        try:
            return 200, json.dumps(self._answered(method, path, json.loads(body or b"{}"))).encode()
        except Refusal as refusal:
            return refusal.status, json.dumps({"code": refusal.code, "message": refusal.message}).encode()

    def _answered(self, method: str, path: str, request: dict[str, Any]) -> dict[str, Any]:
        if path == PATH:
            return self._create(request)
        if path == LIST:
            return {"EmailIdentities": [_listed(name, one) for name, one in self.there.items()]}
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
        return self.there[name]

    def _look(self) -> None:
        """[D] An identity is verified when its three DKIM records are seen."""
        names = set(self.published())
        for domain, one in self.there.items():
            dkim, mail_from = one["DkimAttributes"], one["MailFromAttributes"]
            if names and {f"{token}._domainkey.{domain}" for token in dkim["Tokens"]} <= names:
                dkim["Status"] = one["VerificationStatus"] = "SUCCESS"
                one["VerifiedForSendingStatus"] = True
            if mail_from.get("MailFromDomain") in names:
                mail_from["MailFromDomainStatus"] = "SUCCESS"

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["EmailIdentity"]
        if name in self.there:
            raise Refusal("AlreadyExistsException", 400, f"Email identity {name} already exist.")
        self._known(request.get("ConfigurationSetName"))
        length = request.get("DkimSigningAttributes", {}).get("NextSigningKeyLength", "RSA_2048_BIT")
        tokens = [hashlib.sha256(f"{name}{number}".encode()).hexdigest()[:32] for number in (1, 2, 3)]
        dkim = {
            "SigningEnabled": True,
            "Status": "PENDING",
            "Tokens": tokens,
            "SigningAttributesOrigin": "AWS_SES",
            "NextSigningKeyLength": length,
        }
        self.there[name] = {
            "IdentityType": "DOMAIN",
            "FeedbackForwardingStatus": True,  # [D] the default
            "VerifiedForSendingStatus": False,
            "DkimAttributes": dkim,
            "MailFromAttributes": {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"},
            "Tags": request.get("Tags", []),
            **_named(request),
        }
        return {"IdentityType": "DOMAIN", "VerifiedForSendingStatus": False, "DkimAttributes": dkim}

    def _put(self, name: str, what: tuple[str | None, str | None], request: dict[str, Any]) -> None:
        identity = self.there[name]
        match what:
            case ("mail-from", None):
                label, dot, parent = request.get("MailFromDomain", f"x.{name}").partition(".")
                if not (label and dot and parent == name):  # [D] "must be a subdomain of a verified identity"
                    raise bad_request(
                        f"Provided MAIL-FROM domain is not subdomain of the domain of the identity {name}."
                    )
                identity["MailFromAttributes"] = {**request, "MailFromDomainStatus": "PENDING"}
            case ("configuration-set", None):
                self._known(request.get("ConfigurationSetName"))
                identity.pop("ConfigurationSetName", None)
                identity.update(_named(request))
            case ("feedback", None):
                identity["FeedbackForwardingStatus"] = request.get("EmailForwardingEnabled", False)
            case ("dkim", None):
                identity["DkimAttributes"]["SigningEnabled"] = request.get("SigningEnabled", False)
            case ("dkim", "signing"):
                identity["DkimAttributes"].update(request.get("SigningAttributes", {}))
            case _:
                raise bad_request(f"{what} is not known to the emulator")

    def _known(self, configuration_set: str | None) -> None:
        if configuration_set and configuration_set not in self.configuration_sets():
            raise Refusal("NotFoundException", 404, f"Configuration set <{configuration_set}> does not exist.")


def _listed(name: str, identity: dict[str, Any]) -> dict[str, Any]:
    status = identity.get("VerificationStatus", "PENDING")
    sends = bool(identity.get("VerifiedForSendingStatus"))
    return {"IdentityName": name, "IdentityType": "DOMAIN", "SendingEnabled": sends, "VerificationStatus": status}


def _named(request: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if key == "ConfigurationSetName"}
