"""The SES identities and Route 53 records of domains: read, and deleted on request."""

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


def left_behind(stack: "Stack") -> Iterator[str]:
    """Domains that the stack no longer has, but whose identities it made. Raises Temporary."""
    unknown = sorted(statuses().keys() - stack.domains)
    for number, domain in enumerate(unknown[:MOST]):
        if number:
            time.sleep(PACE)
        found = identity(domain)
        if found and found.made_by == stack.deployed:
            yield domain


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
