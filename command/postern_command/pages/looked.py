"""The results of doctor's last run: it takes seconds, so a page shows the last results and their time."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ..output.examined import GOOD, as_object
from ..stack import Stack


@dataclass(slots=True)
class Looked:
    """`at` is the end of the last run (epoch seconds), None before any; `found` has what needs attention first."""

    at: float | None = None
    found: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, stack: Stack) -> None:
        """Run doctor; a call during a run waits for its result."""
        from ..examinations import examined  # noqa: PLC0415 (they are many)

        asked = time.time()
        with self._lock:
            if self.at is not None and self.at >= asked:
                return
            found = [{**as_object(one), "good": one.grade in GOOD, "means": one.means} for one in examined(stack)]
            self.found = sorted(found, key=lambda one: bool(one["good"]))
            self.at = time.time()
