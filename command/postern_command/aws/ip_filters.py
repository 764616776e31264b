"""SES's IP filters, of which only those of one stack are touched. They hold for the whole account and region."""

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
    """Those of the account, as a stack sees them."""

    def __init__(self, stack: str) -> None:
        self._client: Any = clients.receipt_rules()
        self._stack = re.sub(r"[^A-Za-z0-9-]", "-", stack)[:_MAX_STACK]
        self._own = re.compile(rf"{re.escape(self._stack)}-ip-[0-9a-f]{{12}}\Z")

    def all(self) -> list[IpFilter]:
        """All of the account and region. Raises Temporary."""
        with translated("SES ListReceiptFilters"):
            found = self._client.list_receipt_filters()["Filters"]
        return [
            IpFilter(one["Name"], one["IpFilter"]["Cidr"], one["IpFilter"]["Policy"] == "Allow", self._is_ours(one))
            for one in found
        ]

    def add(self, cidr: str, *, allow: bool) -> None:
        """Make one of ours. Raises Temporary."""
        policy = "Allow" if allow else "Block"
        with translated("SES CreateReceiptFilter"):
            self._client.create_receipt_filter(
                Filter={"Name": self._name(cidr), "IpFilter": {"Policy": policy, "Cidr": cidr}}
            )

    def remove(self, one: IpFilter) -> None:
        """Take one of ours away. Raises Temporary."""
        assert one.ours  # nobody else's
        with translated("SES DeleteReceiptFilter"):
            self._client.delete_receipt_filter(FilterName=one.name)

    @property
    def region(self) -> str:
        """Where they hold."""
        return str(self._client.meta.region_name)

    def _name(self, cidr: str) -> str:
        return f"{self._stack}-ip-{hashlib.sha256(cidr.encode()).hexdigest()[:12]}"

    def _is_ours(self, one: Any) -> bool:
        return self._own.match(one["Name"]) is not None
