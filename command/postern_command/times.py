"""Times as they are typed, and as they are printed."""

import re
import time
from datetime import UTC, datetime
from typing import Any

from postern_mail.mail.days import A_DAY, formatted

from .status import WrongUse

_EPOCH = re.compile(r"\d{9,}\Z")  # fewer digits are a date, or no time that anybody means
_AGO = re.compile(r"(\d{1,6})([mhd])\Z")
_SECONDS = {"m": 60, "h": 3600, "d": A_DAY}
_DAYS = {"today": 0, "yesterday": 1}  # so many days before the one that is
_LONGEST = 400 * A_DAY  # the ledger keeps 372 days at most, and each day is a question


def typed_time(text: str) -> int:
    """Epoch seconds, or an ISO date or time (UTC unless it says otherwise), as epoch seconds. Raises WrongUse."""
    if _EPOCH.match(text):
        return int(text)
    found = _iso(text)
    if found is None:
        raise WrongUse(f"{text!r} is no time: write 2027-01-31, 2027-01-31T18:00 (both in UTC) or epoch seconds")
    return found


def since_when(text: str) -> float:
    """Epoch seconds of a time ago, of `today` or `yesterday`, or of a time. Raises WrongUse."""
    now = time.time()
    ago = _AGO.match(text)
    if ago:
        then = now - int(ago[1]) * _SECONDS[ago[2]]
    elif text in _DAYS:
        then = now - now % A_DAY - _DAYS[text] * A_DAY
    else:
        found = int(text) if _EPOCH.match(text) else _iso(text)
        if found is None:
            raise WrongUse(
                f"{text!r} is no time: write 30m, 12h, 7d, today, yesterday, 2026-11-20, 2026-11-20T18:00 (in UTC) or"
                " epoch seconds"
            )
        then = found
    return max(then, now - _LONGEST)


def _iso(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def short(seconds: Any) -> str:
    """The same in twelve columns: `26 Nov 16:40` of this year, `26 Nov 2025` of another, in UTC."""
    year = formatted(seconds, "%Y")
    return formatted(seconds, "%d %b %H:%M" if year == formatted(time.time(), "%Y") else "%d %b %Y")
