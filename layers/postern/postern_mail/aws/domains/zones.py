"""Record sets in the hosted zones of Route 53."""

from collections.abc import Mapping
from typing import Any

from ...domains.plan import Change
from ...domains.records import RecordSet
from ...errors import Misconfigured, Refused
from ..failures import translated


class Route53Zones:
    """Hosted zones in Route 53."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def name(self, zone: str) -> str:
        """GetHostedZone."""
        with translated(f"Route 53 GetHostedZone {zone}"):
            try:
                found = self._client.get_hosted_zone(Id=zone)["HostedZone"]
            except self._client.exceptions.NoSuchHostedZone as error:
                raise Misconfigured(f"HostedZones: there is no hosted zone {zone}") from error
        if found.get("Config", {}).get("PrivateZone"):
            raise Misconfigured(f"HostedZones: {zone} is private, and mail comes from outside")
        return str(found["Name"]).rstrip(".").lower()

    def look(self, zone: str, name: str, type: str) -> RecordSet | None:
        """ListResourceRecordSets starting from this one: if the first is not it, there is none."""
        with translated(f"Route 53 ListResourceRecordSets {zone}"):
            found = self._client.list_resource_record_sets(
                HostedZoneId=zone, StartRecordName=name, StartRecordType=type, MaxItems="1"
            )["ResourceRecordSets"]
        sets = [_understood(one) for one in found]
        return next((one for one in sets if (one.name, one.type) == (name, type)), None)

    def change(self, zone: str, change: Change) -> None:
        """ChangeResourceRecordSets: all or nothing, and never UPSERT, which would replace existing records."""
        changes = [{"Action": "DELETE", "ResourceRecordSet": _written(change.delete)}] if change.delete else []
        changes += [{"Action": "CREATE", "ResourceRecordSet": _written(change.create)}] if change.create else []
        with translated(f"Route 53 ChangeResourceRecordSets {zone}"):
            try:
                self._client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
            except (self._client.exceptions.InvalidChangeBatch, self._client.exceptions.InvalidInput) as error:
                raise Refused(f"{error}") from error


def _written(one: RecordSet) -> dict[str, Any]:
    values = [{"Value": value} for value in one.values]
    return {"Name": f"{one.name}.", "Type": one.type, "TTL": one.ttl, "ResourceRecords": values}


def _understood(found: Mapping[str, Any]) -> RecordSet:
    """Parse a record set. One with a policy (an identifier) or an alias has no values to compare."""
    plain = "SetIdentifier" not in found and "AliasTarget" not in found
    values = tuple(one["Value"] for one in found.get("ResourceRecords", ())) if plain else ()
    return RecordSet(found["Name"].rstrip(".").lower(), found["Type"], int(found.get("TTL", 0)), values)
