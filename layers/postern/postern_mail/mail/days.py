"""Days, in seconds, how long a message is tried, and times as people read them."""

from datetime import UTC, datetime
from typing import Any

A_DAY = 86_400
LEDGER_LONGER = 7  # days that ledger entries outlive their message (template.yaml, LedgerDays)
# After that many hours it is a dead letter. The retry queue's maxReceiveCount hangs on it (template.yaml).
RETRY_HOURS = 36


def moment(seconds: Any) -> str:
    """Epoch seconds for people; what is no time, as it is."""
    return formatted(seconds, "%Y-%m-%d %H:%M:%S UTC")


def formatted(seconds: Any, form: str) -> str:
    """Epoch seconds in UTC in a form of strftime; what is no time, as it is."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC).strftime(form)
    except (ValueError, TypeError, OverflowError, OSError):
        return str(seconds)
