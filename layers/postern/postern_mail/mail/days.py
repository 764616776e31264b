"""Days, in seconds, how long a message is retried, and times as people read them."""

from datetime import UTC, datetime
from typing import Any

A_DAY = 86_400
LEDGER_LONGER = 7  # days that ledger entries outlive their message (template.yaml, LedgerDays)
# After so many hours a message is a dead letter. The retry queue's maxReceiveCount depends on it (template.yaml).
RETRY_HOURS = 36


def moment(seconds: Any) -> str:
    """Epoch seconds as text for people; a value that is not a time is returned as text."""
    return formatted(seconds, "%Y-%m-%d %H:%M:%S UTC")


def formatted(seconds: Any, form: str) -> str:
    """Epoch seconds in UTC, in a strftime format; a value that is not a time is returned as text."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC).strftime(form)
    except (ValueError, TypeError, OverflowError, OSError):
        return str(seconds)
