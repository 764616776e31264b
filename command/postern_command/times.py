"""Times as they are typed, and as they are printed."""

import re
import time
from datetime import UTC, datetime
from typing import Any

from postern_mail.mail.days import A_DAY

from .status import WrongUse

_EPOCH = re.compile(r"\d{9,}\Z")  # fewer digits are a date, or no time that anybody means
_AGO = re.compile(r"(\d{1,6})([mhd])\Z")
_SECONDS = {"m": 60, "h": 3600, "d": A_DAY}
_LONGEST = 400 * A_DAY  # the ledger keeps 372 days at most, and each day is a question


def typed_time(text: str) -> int:
    """Epoch seconds, or an ISO date or time (UTC unless it says otherwise), as epoch seconds. Raises WrongUse."""
    if _EPOCH.match(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{text!r} is neither epoch seconds nor a date such as 2027-01-31") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def since_when(text: str) -> float:
    """Epoch seconds of a time ago or a time. Raises WrongUse."""
    ago = _AGO.match(text)
    then = time.time() - int(ago[1]) * _SECONDS[ago[2]] if ago else float(typed_time(text))
    return max(then, time.time() - _LONGEST)


def moment(seconds: Any) -> str:
    """Epoch seconds for people; what is no time, as it is."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, TypeError, OverflowError, OSError):
        return str(seconds)
