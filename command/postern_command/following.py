"""What becomes of recipients while one looks: for `postern log --follow`."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import typer
from postern_mail.errors import Temporary

from .status import advised

PAUSE = 5  # seconds between two looks
WINDOW = 900  # seconds for which a message is looked at again: what SES says later mostly comes by then
MOST = 500  # recipients that are looked at each time
_PATIENCE = 12  # looks in a row that AWS does not answer

Row = Mapping[str, Any]


def followed(
    listed: Callable[[float], Iterator[Row]],
    since: float,
    first: int,
    pause: Callable[[float], object] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Iterator[Row]:
    """What `listed` since then, of which the latest `first` at once, and from then on what is new and what changes; the
    oldest first, without an end. Raises Temporary where AWS did not answer for a minute."""
    shown: dict[tuple[str, str], tuple[str, str | None]] = {}
    most, failed = first, 0
    while True:
        try:
            found = list(islice(listed(since), most))
            failed = 0
        except Temporary as failure:
            failed += 1
            if failed > _PATIENCE:
                raise
            typer.echo(f"postern: {advised(failure)}; trying again", err=True)
            found = []
        for row in reversed(found):
            key, ended = (row["message_id"], row["recipient"]), (str(row["state"]), row["later"])
            if shown.get(key) != ended:
                shown[key] = ended
                yield row
        pause(PAUSE)
        most, since = MOST, max(since, now() - WINDOW)
        shown = dict(list(shown.items())[-2 * MOST :])
