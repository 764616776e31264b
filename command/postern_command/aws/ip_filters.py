"""SES's IP address filters. They apply to the whole account and region; only those of one stack are changed here."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from postern_mail.aws import clients
from postern_mail.aws.failures import translated

MOST = 100  # docs.aws.amazon.com/ses, "Service quotas"
_MAX_STACK = 40  # characters of a stack's name: a filter's has 64 at most


@dataclass(frozen=True, slots=True)
class IpFilter:
    """One filter; `ours` says that this stack made it."""

    name: str
    cidr: str
    allows: bool
    ours: bool


class IpFilters:
    """The account's filters, as one stack sees them."""

    def __init__(self, stack: str) -> None:
        self._client: Any = clients.receipt_rules()
        self._stack = re.sub(r"[^A-Za-z0-9-]", "-", stack)[:_MAX_STACK]
        self._own = re.compile(rf"{re.escape(self._stack)}-ip-[0-9a-f]{{12}}\Z")

    def all(self) -> list[IpFilter]:
        """All filters of the account and region. Raises Temporary."""
        with translated("SES ListReceiptFilters"):
            found = self._client.list_receipt_filters()["Filters"]
        return [
            IpFilter(one["Name"], one["IpFilter"]["Cidr"], one["IpFilter"]["Policy"] == "Allow", self._is_ours(one))
            for one in found
        ]

    def add(self, cidr: str, *, allow: bool) -> None:
        """Add a filter for this stack. Raises Temporary."""
        policy = "Allow" if allow else "Block"
        with translated("SES CreateReceiptFilter"):
            self._client.create_receipt_filter(
                Filter={"Name": self._name(cidr), "IpFilter": {"Policy": policy, "Cidr": cidr}}
            )

    def remove(self, one: IpFilter) -> None:
        """Remove one of this stack's filters. Raises Temporary."""
        assert one.ours
        with translated("SES DeleteReceiptFilter"):
            self._client.delete_receipt_filter(FilterName=one.name)

    @property
    def region(self) -> str:
        """The region that they apply to."""
        return str(self._client.meta.region_name)

    def _name(self, cidr: str) -> str:
        return f"{self._stack}-ip-{hashlib.sha256(cidr.encode()).hexdigest()[:12]}"

    def _is_ours(self, one: Any) -> bool:
        return self._own.match(one["Name"]) is not None
