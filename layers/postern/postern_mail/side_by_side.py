"""Calls under way at once: what takes its time elsewhere need not wait for each other."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Begun(Generic[_T]):
    """A call in a thread of its own."""

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work = work
        self._found: list[_T] = []
        self._raised: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found.append(self._work())
        except BaseException as raised:  # noqa: BLE001 (raised again where the result is taken)
            self._raised = raised

    def result(self) -> _T:
        """What it returned, once it has. Raises what it raised."""
        self._thread.join()
        if self._raised is not None:
            raise self._raised
        return self._found[0]
