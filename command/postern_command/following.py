"""New and changed outcomes as they appear, for `postern log --follow`."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import typer
from postern_mail.errors import Temporary

from .status import advised

PAUSE = 5  # seconds between two reads
WINDOW = 900  # seconds for which a message is read again: most of SES's later reports come by then
MOST = 500  # recipients per read
_PATIENCE = 12  # failed reads in a row before it gives up

Row = Mapping[str, Any]


def followed(
    listed: Callable[[float], Iterator[Row]],
    since: float,
    first: int,
    pause: Callable[[float], object] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Iterator[Row]:
    """The latest `first` rows of `listed`, then endlessly those that are new or changed, oldest first. Raises
    Temporary if AWS does not answer for a minute."""
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
