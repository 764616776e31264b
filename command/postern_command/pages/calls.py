"""What a page asked of AWS, so that it can say so: each call costs money, and a person sees that they are few."""

from collections import Counter
from contextvars import ContextVar
from threading import Lock
from typing import Any

from ..aws import reach

_counting = Lock()  # a page reads side by side
_made: ContextVar["Counter[str] | None"] = ContextVar("calls of this page", default=None)


def count() -> "Counter[str]":
    """Begin to count for what runs in this context: calls by service and operation, `DynamoDB Query`."""
    made: Counter[str] = Counter()
    _made.set(made)
    return made


def listen() -> None:
    """Count the calls of every client that is made from now on."""
    reach.tell_each_call(_noted)


def _noted(model: Any, **_: object) -> None:
    made = _made.get()
    if made is not None:
        with _counting:
            made[f"{model.service_model.service_id} {model.name}"] += 1
