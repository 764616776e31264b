"""Calls under way at once: what takes its time elsewhere need not wait for each other."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Waiting(Protocol[_T_co]):
    """A call under way."""

    def result(self) -> _T_co:
        """What it returned, once it has; to be asked once. Raises what it raised."""

    def drop(self) -> None:
        """Its result is not wanted; nothing if it was taken."""


class Then(Generic[_T]):
    """A call under way, and what is made of its result where that is wanted."""

    def __init__(self, first: Waiting[object], finish: Callable[[], _T]) -> None:
        self.result = finish
        self.drop = first.drop


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

    def raised(self) -> BaseException | None:
        """What it raised, once it has ended."""
        self._thread.join()
        return self._raised

    def result(self) -> _T:
        """What it returned, once it has. Raises what it raised."""
        if (raised := self.raised()) is not None:
            raise raised
        return self._found[0]

    def drop(self) -> None:
        """It ends by itself."""


def side_by_side(works: Sequence[Callable[[], object]]) -> None:
    """Make these calls at once, and wait for all. What one raises is raised when all have ended; the first that did."""
    others = [Begun(work) for work in works[1:]]
    mine = None
    try:
        works[0]()
    except Exception as raised:  # noqa: BLE001 (raised again when all have ended)
        mine = raised
    raised_there = [one.raised() for one in others]
    for error in (mine, *raised_there):
        if error is not None:
            raise error
