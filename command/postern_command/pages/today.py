"""Today: whether mail flows, what needs attention, and what waits."""

import time
from itertools import islice
from typing import Any

from markupsafe import Markup
from postern_mail.errors import Temporary

from ..figures import By, figures
from ..output.svg import svg
from ..stats import as_object as as_figures
from .asked import Asked
from .desk import Desk
from .rendering import Shown

CHART_DAYS = 30
_DEFERRED = "/mail?state=deferred&since=7d"
MOST_OPEN = 100  # messages that are counted
_QUEUES = (
    ("retry_queue", "on the retry queue", ""),
    ("dead_letters", "dead letters, which are no longer retried", "redrive"),
    ("failures", "failed events on their way to the retry queue", ""),
)


def today(desk: Desk, _: Asked) -> Shown:
    """The first page. Doctor takes seconds, so it shows the last results and their time."""
    chart = figures(desk.stack.summaries, By.DAY, CHART_DAYS, added_up_only=True)
    data = {
        "title": "Today",
        "chart": Markup(svg(chart)),  # noqa: S704 (it escapes what strangers wrote)
        "counted": any(one.total for one in chart.lines),
        "days": [as_figures(chart, one) for one in chart.lines],
        "waiting": _waiting(desk),
        "doctor": desk.doctor.found,
        "looked_at": desk.doctor.at,
        "commands": {"doctor": desk.command("doctor"), "stats": desk.command("stats")},
    }
    return Shown("today.html", data, told={name: told for name, told in data.items() if name != "chart"})


def doctor(desk: Desk, _: Asked) -> Shown:
    """Run doctor now."""
    desk.doctor.look(desk.stack)
    data = {
        "title": "Doctor",
        "doctor": desk.doctor.found,
        "looked_at": desk.doctor.at,
        "command": desk.command("doctor", "--all"),
    }
    return Shown("doctor.html", data)


PAGES = {"/": today, "/doctor": doctor}


def _waiting(desk: Desk) -> list[dict[str, Any]]:
    """What is not done yet, each with its number and where to look."""
    opened = list(islice(desk.ledger.open_since_before(time.time()), MOST_OPEN + 1))
    count = f"more than {MOST_OPEN}" if len(opened) > MOST_OPEN else len(opened)
    made = [
        _one(count, "messages that are being handled or wait", _DEFERRED, desk.command("log", "--state", "deferred"))
    ]
    if desk.stack.get("destinations"):
        suspended = sum(1 for _ in desk.destinations.suspended())
        made.append(_one(suspended, "suspended destinations", "/destinations", desk.command("destination", "list")))
    for part, what, command in _QUEUES:
        if desk.stack.get(part):
            made.append(_one(_depth(desk, part), what, "", desk.command(command) if command else ""))
    return made


def _depth(desk: Desk, part: str) -> int | str:
    try:
        return desk.stack.queue(part).count()
    except Temporary as failure:
        return str(failure)


def _one(count: int | str, what: str, where: str, command: str) -> dict[str, Any]:
    return {"count": count, "what": what, "any": bool(count), "where": where, "command": command}
