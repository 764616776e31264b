"""Calls in flight at once: those that take their time elsewhere need not wait for each other."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Waiting(Protocol[_T_co]):
    """A call in flight."""

    def result(self) -> _T_co:
        """The call's result, once it has ended; may be called once. Raises what the call raised."""

    def drop(self) -> None:
        """Give up the result; does nothing if it was taken."""


class Then(Generic[_T]):
    """A call in flight, and a function that turns its result into another when that is wanted."""

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
        """The exception that it raised, once it has ended."""
        self._thread.join()
        return self._raised

    def result(self) -> _T:
        """The call's result, once it has ended. Raises what the call raised."""
        if (raised := self.raised()) is not None:
            raise raised
        return self._found[0]

    def drop(self) -> None:
        """Does nothing: the call ends by itself."""


def side_by_side(works: Sequence[Callable[[], object]]) -> None:
    """Make these calls at once, and wait for all. An exception is raised when all have ended; the first, if there are
    several."""
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
