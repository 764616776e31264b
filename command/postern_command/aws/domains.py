"""The SES identities and Route 53 records of domains: read, and deleted on request."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postern_mail.aws import clients
from postern_mail.aws.domains.identities import SesIdentities
from postern_mail.aws.domains.zones import Route53Zones
from postern_mail.aws.failures import translated
from postern_mail.domains.plan import Identity, Step
from postern_mail.domains.records import RecordSet
from postern_mail.domains.wish import Wish
from postern_mail.errors import Refused, Unavailable

from . import account
from .account import ReceiptRule
from .reach import reaching

if TYPE_CHECKING:
    from ..stack import Stack

PACE = 1.1  # seconds: SES allows one call a second
MOST = 30  # identities that are read one by one


def statuses() -> dict[str, str]:
    """The verification status of every domain identity, by domain. Raises Temporary."""
    found: dict[str, str] = {}
    more: dict[str, str] = {}
    client = clients.identities()
    while True:
        with translated("SES ListEmailIdentities"):
            page = client.list_email_identities(PageSize=1000, **more)
        found |= {
            one["IdentityName"]: str(one.get("VerificationStatus", ""))
            for one in page["EmailIdentities"]
            if one["IdentityType"] == "DOMAIN"
        }
        if not page.get("NextToken"):
            return found
        more = {"NextToken": page["NextToken"]}


def identity(domain: str) -> Identity | None:
    """The SES identity of a domain, None if there is none. Raises Temporary."""
    with reaching("SES"):
        return SesIdentities(clients.identities()).look(domain)


@dataclass(frozen=True, slots=True)
class Behind:
    """A domain that the stack no longer has. `trace` is what is left on an identity that it did not make."""

    domain: str
    trace: str = ""


def left_behind(stack: "Stack", wish: Wish) -> Iterator[Behind]:
    """Domains that the stack no longer has, but whose identities it made, or adopted and changed. Raises Temporary."""
    unknown = sorted(statuses().keys() - stack.domains)
    rules: list[ReceiptRule] = []
    for number, domain in enumerate(unknown[:MOST]):
        if number:
            time.sleep(PACE)
        found = identity(domain)
        if found and found.made_by == stack.deployed:
            yield Behind(domain)
        elif found and not found.made_by:
            rules = rules or list(account.active_rules()[1])
            if trace := traces(domain, found, wish) or _refused(domain, wish, rules):
                yield Behind(domain, trace)


def traces(domain: str, found: Identity, wish: Wish) -> str:
    """What of an identity is as this stack sets it, "" if nothing is."""
    if found.configuration_set == wish.configuration_set:
        return f"its configuration set is {wish.configuration_set}"
    mail_from = wish.options.mail_from(domain)
    return f"its MAIL FROM domain is {mail_from}" if mail_from and found.mail_from == mail_from else ""


def _refused(domain: str, wish: Wish, rules: Sequence[ReceiptRule]) -> str:
    """That SES rejects the domain's mail: its MX names SES in this region, and no active rule is for it. "" if not, and
    where public DNS does not answer."""
    if any(rule.enabled and _is_for(rule, domain) for rule in rules):
        return ""
    from ..records import public  # noqa: PLC0415 (it takes its time)

    try:
        hosts = public.mail_exchangers(domain)
    except Unavailable:
        return ""
    ours = f"inbound-smtp.{wish.options.region}."
    return (
        "its MX names SES, where no receipt rule takes its mail" if any(one.startswith(ours) for one in hosts) else ""
    )


def _is_for(rule: ReceiptRule, domain: str) -> bool:
    """Whether a rule takes mail for a domain: docs.aws.amazon.com/ses, "Recipient conditions"."""
    return not rule.recipients or any(
        one.rpartition("@")[2] == domain or (one.startswith(".") and domain.endswith(one)) for one in rule.recipients
    )


def zone_of(domain: str) -> str | None:
    """The id of the account's public hosted zone for a domain or its nearest parent, None without one. Raises
    Temporary."""
    labels = domain.split(".")
    client = clients.route53()
    for above in (".".join(labels[start:]) for start in range(len(labels) - 1)):
        with translated(f"Route 53 ListHostedZonesByName {above}"):
            found = client.list_hosted_zones_by_name(DNSName=above, MaxItems="10")["HostedZones"]
        for one in found:
            if one["Name"].rstrip(".").lower() == above and not one.get("Config", {}).get("PrivateZone"):
                return str(one["Id"]).rpartition("/")[2]
    return None


def there(zone: str, wanted: Sequence[RecordSet]) -> list[RecordSet]:
    """The zone's record sets that have the names and types of these. Raises Temporary."""
    zones = Route53Zones(clients.route53())
    found = [zones.look(zone, one.name, one.type) for one in wanted]
    return [one for one in found if one is not None]


def delete_records(zone: str, records: Sequence[RecordSet]) -> None:
    """Delete record sets in one batch, all or none. Raises Refused if one has changed or is gone, Temporary."""
    client = clients.route53()
    changes = [
        {
            "Action": "DELETE",
            "ResourceRecordSet": {
                "Name": f"{one.name}.",
                "Type": one.type,
                "TTL": one.ttl,
                "ResourceRecords": [{"Value": value} for value in one.values],
            },
        }
        for one in records
    ]
    with translated(f"Route 53 ChangeResourceRecordSets {zone}"):
        try:
            client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        except client.exceptions.InvalidChangeBatch as error:
            raise Refused(str(error)) from error


def carry_out(steps: Sequence[Step]) -> None:
    """Set what these steps say, at SES's pace. Raises Refused, Temporary."""
    for number, step in enumerate(steps):
        if number:
            time.sleep(PACE)
        with reaching("SES"):
            SesIdentities(clients.identities()).carry_out(step)


def delete_identity(domain: str) -> None:
    """Delete an SES identity; SES then neither sends nor receives for the domain. Safe to repeat. Raises Temporary."""
    client = clients.identities()
    with translated(f"SES DeleteEmailIdentity {domain}"):
        try:
            client.delete_email_identity(EmailIdentity=domain)
        except client.exceptions.NotFoundException:
            return


def region() -> str:
    """The region of all calls. Raises Temporary if none is set."""
    with reaching("SES"):
        return str(clients.identities().meta.region_name)
