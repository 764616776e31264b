"""Count the AWS calls of a page, which it shows: each call costs money, and the user sees that there are few."""

from collections import Counter
from contextvars import ContextVar
from threading import Lock
from typing import Any

from ..aws import reach

_counting = Lock()  # a page reads in parallel
_made: ContextVar["Counter[str] | None"] = ContextVar("calls of this page", default=None)


def count() -> "Counter[str]":
    """Start counting for this context. Returns the counts by service and operation, such as `DynamoDB Query`."""
    made: Counter[str] = Counter()
    _made.set(made)
    return made


def listen() -> None:
    """Count the calls of every client created from now on."""
    reach.tell_each_call(_noted)


def _noted(model: Any, **_: object) -> None:
    made = _made.get()
    if made is not None:
        with _counting:
            made[f"{model.service_model.service_id} {model.name}"] += 1
