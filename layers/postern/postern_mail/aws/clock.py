"""The system clock."""

import time


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """The time in epoch seconds."""
        return time.time()
