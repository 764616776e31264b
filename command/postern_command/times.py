"""Parse the times that people type, and print times."""

import re
import time
from datetime import datetime
from typing import Any

from postern_mail.mail.days import A_DAY, formatted

from .status import UsageError
from .tables.file import epoch_of

_EPOCH = re.compile(r"[0-9]{9,}\Z")  # fewer digits are a date, or a mistake
_AGO = re.compile(r"([0-9]{1,6})([mhdw])\Z")
_SECONDS = {"m": 60, "h": 3600, "d": A_DAY, "w": 7 * A_DAY}
_DAYS = {"today": 0, "yesterday": 1}  # how many days before today
_LONGEST = 400 * A_DAY  # the ledger keeps at most 372 days, and each day is one query


def typed_time(text: str) -> int:
    """The epoch seconds of an ISO date or time (UTC without an offset), or of epoch seconds. Raises UsageError."""
    if _EPOCH.match(text):
        return int(text)
    found = _iso(text)
    if found is None:
        raise UsageError(f"{text!r} is not a time: write 2027-01-31, 2027-01-31T18:00 (both UTC) or epoch seconds")
    return found


def since_when(text: str) -> float:
    """The epoch seconds of 30m, 12h, 7d or 2w ago, of `today` or `yesterday`, or of a time. Raises UsageError."""
    now = time.time()
    ago = _AGO.match(text)
    if ago:
        then = now - int(ago[1]) * _SECONDS[ago[2]]
    elif text in _DAYS:
        then = now - now % A_DAY - _DAYS[text] * A_DAY
    else:
        found = int(text) if _EPOCH.match(text) else _iso(text)
        if found is None:
            raise UsageError(
                f"{text!r} is not a time: write 30m, 12h, 7d, 2w, today, yesterday, 2026-11-20, 2026-11-20T18:00 (UTC)"
                " or epoch seconds"
            )
        then = found
    return max(then, now - _LONGEST)


def _iso(text: str) -> int | None:
    try:
        return epoch_of(datetime.fromisoformat(text))
    except ValueError:
        return None


def short(seconds: Any) -> str:
    """A time in twelve columns, in UTC: `26 Nov 16:40` in this year, `26 Nov 2025` in others."""
    year = formatted(seconds, "%Y")
    return formatted(seconds, "%d %b %H:%M" if year == formatted(time.time(), "%Y") else "%d %b %Y")
