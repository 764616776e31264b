"""Domains as SES and Route 53 have them, to look at and, by a person, to take away."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from postern_mail.aws import clients
from postern_mail.aws.domains.identities import SesIdentities
from postern_mail.aws.domains.zones import Route53Zones
from postern_mail.aws.failures import translated
from postern_mail.domains.plan import Identity
from postern_mail.domains.records import RecordSet
from postern_mail.errors import Refused

from .reach import reaching

if TYPE_CHECKING:
    from ..stack import Stack

PACE = 1.1  # seconds: SES allows one call a second
MOST = 30  # identities that are looked at one by one


def statuses() -> dict[str, str]:
    """The verification status of every domain that is an identity. Raises Temporary."""
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
    """What SES has of a domain. Raises Temporary."""
    with reaching("SES"):
        return SesIdentities(clients.identities()).look(domain)


def left_behind(stack: "Stack") -> Iterator[str]:
    """Domains whose identities the stack made and that it no longer has. Raises Temporary."""
    unknown = sorted(statuses().keys() - stack.domains)
    for number, domain in enumerate(unknown[:MOST]):
        if number:
            time.sleep(PACE)
        found = identity(domain)
        if found and found.made_by == stack.deployed:
            yield domain


def zone_of(domain: str) -> str | None:
    """The public hosted zone that is nearest above a domain, of the account's. Raises Temporary."""
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
    """What a zone has under the names and types of these. Raises Temporary."""
    zones = Route53Zones(clients.route53())
    found = [zones.look(zone, one.name, one.type) for one in wanted]
    return [one for one in found if one is not None]


def delete_records(zone: str, records: Sequence[RecordSet]) -> None:
    """One batch, all or nothing, of exactly what is there. Raises Refused if it is not there any more, Temporary."""
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


def delete_identity(domain: str) -> None:
    """SES may send and receive nothing for it any more. Raises Temporary."""
    client = clients.identities()
    with translated(f"SES DeleteEmailIdentity {domain}"):
        try:
            client.delete_email_identity(EmailIdentity=domain)
        except client.exceptions.NotFoundException:
            return


def region() -> str:
    """Where the stack is."""
    with reaching("SES"):
        return str(clients.identities().meta.region_name)
