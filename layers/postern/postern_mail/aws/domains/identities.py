"""Domain identities in SES (by the second API, the only one that accepts tags and a key length)."""

from collections.abc import Callable, Mapping
from typing import Any

from ...domains.plan import (
    CONFIGURATION_SET,
    FEEDBACK_BY_MAIL,
    KEY_LENGTH,
    LONG_KEY,
    MAIL_FROM_DOMAIN,
    SIGN,
    TAG,
    Identity,
    Step,
)
from ...domains.records import EASY_DKIM, Dkim
from ...domains.wish import Wish
from ...errors import Refused
from ..failures import translated


class SesIdentities:
    """Identities in SES."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def look(self, domain: str) -> Identity | None:
        """GetEmailIdentity: everything about one domain, with its tags."""
        with translated(f"SES GetEmailIdentity {domain}"):
            try:
                return _understood(self._client.get_email_identity(EmailIdentity=domain))
            except self._client.exceptions.NotFoundException:
                return None

    def make(self, domain: str, wish: Wish) -> None:
        """CreateEmailIdentity; AlreadyExists is not a failure, and the tag shows later whose it is."""
        with translated(f"SES CreateEmailIdentity {domain}"):
            try:
                self._client.create_email_identity(
                    EmailIdentity=domain,
                    DkimSigningAttributes={"NextSigningKeyLength": LONG_KEY},
                    ConfigurationSetName=wish.configuration_set,
                    Tags=[{"Key": TAG, "Value": wish.stack}],
                )
            except self._client.exceptions.AlreadyExistsException:
                return
            except self._client.exceptions.BadRequestException as error:
                raise Refused(f"SES CreateEmailIdentity {domain}: {error}") from error

    def carry_out(self, step: Step) -> None:
        """The one call that sets this; SES has no call that sets everything."""
        call, arguments = _CALLS[step.kind](step.value)
        with translated(f"SES {call} {step.domain}"):
            try:
                getattr(self._client, call)(EmailIdentity=step.domain, **arguments)
            except self._client.exceptions.BadRequestException as error:
                raise Refused(f"SES {call} {step.domain}: {error}") from error


_Call = tuple[str, Mapping[str, Any]]


def _mail_from(value: str) -> _Call:
    named = {"MailFromDomain": value} if value else {}
    return "put_email_identity_mail_from_attributes", {**named, "BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}


def _configuration_set(value: str) -> _Call:
    return "put_email_identity_configuration_set_attributes", {"ConfigurationSetName": value} if value else {}


def _sign(value: str) -> _Call:
    return "put_email_identity_dkim_attributes", {"SigningEnabled": bool(value)}


def _key_length(value: str) -> _Call:
    attributes = {"SigningAttributesOrigin": "AWS_SES", "SigningAttributes": {"NextSigningKeyLength": value}}
    return "put_email_identity_dkim_signing_attributes", attributes


def _feedback_by_mail(value: str) -> _Call:
    return "put_email_identity_feedback_attributes", {"EmailForwardingEnabled": bool(value)}


_CALLS: Mapping[str, Callable[[str], _Call]] = {
    MAIL_FROM_DOMAIN: _mail_from,
    CONFIGURATION_SET: _configuration_set,
    SIGN: _sign,
    KEY_LENGTH: _key_length,
    FEEDBACK_BY_MAIL: _feedback_by_mail,
}


def _understood(answer: Mapping[str, Any]) -> Identity:
    dkim, mail_from = answer.get("DkimAttributes", {}), answer.get("MailFromAttributes", {})
    tags = {tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())}
    easy = dkim.get("SigningAttributesOrigin", "AWS_SES") == "AWS_SES"
    return Identity(
        dkim=Dkim(tuple(dkim.get("Tokens", ())), dkim.get("SigningHostedZone") or EASY_DKIM) if easy else Dkim(),
        signs=bool(dkim.get("SigningEnabled")),
        easy=easy,
        next_key=str(dkim.get("NextSigningKeyLength") or LONG_KEY),
        dkim_status=str(dkim.get("Status", "")),
        mail_from=str(mail_from.get("MailFromDomain", "")),
        mail_from_status=str(mail_from.get("MailFromDomainStatus", "")),
        configuration_set=str(answer.get("ConfigurationSetName", "")),
        feedback_by_mail=bool(answer.get("FeedbackForwardingStatus")),
        verified=bool(answer.get("VerifiedForSendingStatus")),
        made_by=str(tags.get(TAG, "")),
    )
