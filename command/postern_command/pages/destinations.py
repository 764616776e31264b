"""Destinations that bounce: which are suspended and why, resume and redeliver."""

from postern_mail.errors import MessageMissing
from postern_mail.mail.health import is_suspended

from ..destination import as_object, destination_key, redeliver_missed, resume_destination
from ..reruns import reruns
from ..status import Refused
from ..times import since_when
from .asked import Asked
from .desk import Desk
from .rendering import Done, Shown

SINCE = "14d"


def destinations(desk: Desk, _: Asked) -> Shown:
    """Destinations that are suspended, have failures, or were resumed recently."""
    rows = sorted(map(as_object, desk.destinations.all()), key=lambda row: (not row["suspended"], str(row["address"])))
    shown = [row for row in rows if row["suspended"] or row["failures"] or row.get("resumed_at")]
    data = {
        "title": "Destinations",
        "rows": shown,
        "since": SINCE,
        "command": desk.command("destination", "list", "--all"),
        "resume": {str(row["address"]): desk.command("destination", "resume", str(row["address"])) for row in shown},
        "redeliver": {
            str(row["address"]): desk.command("destination", "redeliver", str(row["address"])) for row in shown
        },
    }
    return Shown("destinations.html", data)


def resume(desk: Desk, asked: Asked) -> Done:
    """Resume a destination."""
    key = destination_key(asked.exact("address"))
    before = resume_destination(desk.stack, key)
    if before is None or not is_suspended(before):
        raise Refused(f"{key} is not suspended")
    said = f"{key} is resumed; mail that it missed waits until you redeliver it"
    return Done(said, desk.command("destination", "resume", key), "/destinations")


def redeliver(desk: Desk, asked: Asked) -> Done:
    """Send a destination the mail that it missed."""
    key = destination_key(asked.exact("address"))
    at = reruns(desk.stack, dry_run=False)
    orders = list(redeliver_missed(at, desk.stack, key, since_when(SINCE)))
    gone = [f"message {one}: {order}" for one, order in orders if isinstance(order, MessageMissing)]
    said = f"{len(orders) - len(gone)} messages run again for {key}" if orders else f"{key} missed nothing"
    command = desk.command("destination", "redeliver", key)
    return Done(said, command, "/destinations", tuple(gone))


PAGES = {"/destinations": destinations}
ACTIONS = {"/destination/resume": resume, "/destination/redeliver": redeliver}
