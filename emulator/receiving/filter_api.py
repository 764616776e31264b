"""SES v1's operations for IP address filters, which apply to the mail server at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from ..sending.query import Operation
from ..sending.refusals import Refusal
from .rules import Filter
from .smtp import Receiving

MOST = 100  # docs.aws.amazon.com/ses, "Service quotas": IP address filters in an account
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?<![_-])\Z")


@dataclass
class FilterApi:
    """The operations that create, list and delete filters."""

    receiving: Receiving
    named: dict[str, Filter] = field(default_factory=dict)

    @property
    def operations(self) -> dict[str, Operation]:
        """The operations, by Action."""
        return {
            "CreateReceiptFilter": self._create,
            "DeleteReceiptFilter": self._delete,
            "ListReceiptFilters": self._list,
        }

    def _create(self, form: Mapping[str, str]) -> dict[str, Any]:
        name, cidr = form["Filter.Name"], form["Filter.IpFilter.Cidr"]
        if not _NAME.match(name):
            raise Refusal("InvalidParameterValue", 400, f"Invalid filter name: {name}")
        if name in self.named:
            raise Refusal("AlreadyExists", 400, f"Filter already exists: {name}")
        if len(self.named) >= MOST:
            raise Refusal("LimitExceeded", 400, "Maximum number of filters exceeded")
        try:
            ip_network(cidr)
        except ValueError as fault:
            raise Refusal("InvalidParameterValue", 400, f"Invalid CIDR: {cidr}") from fault
        self.named[name] = Filter(form["Filter.IpFilter.Policy"], cidr)
        return self._set()

    def _delete(self, form: Mapping[str, str]) -> dict[str, Any]:
        self.named.pop(form["FilterName"], None)
        return self._set()

    def _list(self, form: Mapping[str, str]) -> dict[str, Any]:
        del form
        return {"Filters": [_told(name, one) for name, one in self.named.items()]}

    def _set(self) -> dict[str, Any]:
        self.receiving.filters = tuple(self.named.values())
        return {}


def _told(name: str, one: Filter) -> dict[str, Any]:
    return {"Name": name, "IpFilter": {"Policy": one.policy, "Cidr": one.cidr}}
