"""Public DNS, as far as the hosted zones of the emulated account go."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from emulator.receiving.zone import Zone

FRESH = 0.5  # seconds for which an answer of Route 53 is remembered


class HostedZones(Zone):
    """What Route 53 would answer to the world: every record of every hosted zone, as it is when it is asked."""

    def __init__(self, client: Callable[[Any], Any]) -> None:
        super().__init__()
        self._client = client
        self._read_at = 0.0

    def find(self, name: str, kind: str) -> Sequence[str]:
        """The records of a name, none if there are none."""
        if time.monotonic() - self._read_at > FRESH:
            self.records, self._read_at = dict(self._all()), time.monotonic()
        return super().find(name, kind)

    def _all(self) -> Iterator[tuple[tuple[str, str], list[str]]]:
        route53 = self._client("route53")
        for zone in route53.list_hosted_zones()["HostedZones"]:
            for one in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
                values = [value["Value"] for value in one.get("ResourceRecords", ())]
                plain = [value.strip('"') if one["Type"] == "TXT" else value.rstrip(".") for value in values]
                yield (one["Name"].rstrip(".").lower(), one["Type"]), plain
