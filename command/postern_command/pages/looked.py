"""What doctor found when it last looked: it takes seconds, so a page shows what is known and when that was."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ..output.examined import GOOD, as_object
from ..stack import Stack


@dataclass(slots=True)
class Looked:
    """`at` is when it ended, epoch seconds, None before it has looked; `found` has what needs somebody first."""

    at: float | None = None
    found: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, stack: Stack) -> None:
        """Let doctor look; whoever comes meanwhile waits for that."""
        from ..examinations import examined  # noqa: PLC0415 (they are many)

        asked = time.time()
        with self._lock:
            if self.at is not None and self.at >= asked:
                return
            found = [{**as_object(one), "good": one.grade in GOOD, "means": one.means} for one in examined(stack)]
            self.found = sorted(found, key=lambda one: bool(one["good"]))
            self.at = time.time()
