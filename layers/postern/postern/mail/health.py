"""The health of destinations: which of them get no mail for now."""

from collections.abc import Collection, Iterable

from .address import Address
from .rows import Row, Rows

TABLE = "destinations"


def is_suspended(row: Row | None) -> bool:
    """Whether a row says so: by `suspended_at`, whatever its value, for people write rows too."""
    return row is not None and row.get("suspended_at") is not None


def unread(reached: Collection[str], rows: Rows) -> set[str]:
    """Keys of destinations whose health has not been asked for."""
    return {key for key in reached if key not in rows.destinations}


def suspended(destinations: Iterable[Address], rows: Rows) -> tuple[Address, ...]:
    """Those that get no mail for now. A key that was never read is a KeyError and not good health."""
    return tuple(one for one in destinations if is_suspended(rows.destinations[one.key]))


def why(destinations: Iterable[Address], rows: Rows) -> str:
    """Which destinations are suspended and for what, as far as their rows say."""
    reasons = ((one, (rows.destinations[one.key] or {}).get("reason")) for one in destinations)
    return "; ".join(f"{one} is suspended" + (f": {reason}" if reason else "") for one, reason in reasons)
