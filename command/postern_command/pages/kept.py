"""Quarantined mail, newest first."""

from itertools import islice

from ..ids import short_id
from ..quarantine import quarantined
from ..times import since_when
from .asked import Asked
from .desk import Desk
from .rendering import Shown

SHOWN = 100  # recipients on the page


def kept(desk: Desk, asked: Asked) -> Shown:
    """The list; a message is released from its own page."""
    since = asked.text("since", "30d") or "30d"
    found = list(islice(quarantined(desk.ledger, since_when(since), SHOWN + 1), SHOWN + 1))
    rows = [{**row, "short": short_id(str(row["message_id"]))} for row in found[:SHOWN]]
    data = {
        "title": "Quarantine",
        "rows": rows,
        "since": since,
        "sinces": ("7d", "30d", "90d"),
        "cut": len(found) > SHOWN,
        "shown": SHOWN,
        "command": desk.command("quarantine", "list", "--since", since),
    }
    return Shown("quarantine.html", data)


PAGES = {"/quarantine": kept}
