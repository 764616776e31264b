"""The log: what became of each recipient, with the filters of `postern log`."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from ..ids import short_id
from ..log import STATES, known_state, listed
from ..times import since_when
from .asked import Asked
from .desk import Desk
from .rendering import Shown

SHOWN = 50  # recipients on a page
MOST_MESSAGES = 500  # that one page looks at; each is a query
SINCE = ("1d", "7d", "30d")


def mail(desk: Desk, asked: Asked) -> Shown:
    """The newest first; what one page does not look at, the next one does."""
    since, recipient, sender = asked.text("since", "1d"), asked.text("recipient"), asked.text("sender")
    state, before = asked.text("state"), asked.text("before")
    bounded = _Bounded(desk, float(before) if before.replace(".", "", 1).isdigit() else None)
    found = listed(
        bounded,
        since_when(since or "1d"),
        desk.stack.with_domain(recipient) if recipient else None,
        sender or None,
        known_state(state or None),
    )
    rows = []
    for row in found:
        rows.append({**row, "short": short_id(str(row["message_id"]))})
        if len(rows) >= SHOWN and len({one["message_id"] for one in rows[-2:]}) > 1:
            break  # the first recipient of a message more, which the next page begins with
    cut = bounded.cut or len(rows) > SHOWN
    if len(rows) > SHOWN:
        bounded.last = rows[-1]["opened_at"]
        rows.pop()
    asked_for = {"since": since, "recipient": recipient, "sender": sender, "state": state}
    data: dict[str, Any] = {
        "title": "Mail",
        "rows": rows,
        **asked_for,
        "states": STATES,
        "sinces": SINCE,
        "looked": bounded.looked,
        "more": f"/mail?{urlencode({**asked_for, 'before': bounded.last})}" if cut else "",
        "command": desk.command("log", *_words(asked_for)),
    }
    return Shown("mail.html", data)


PAGES = {"/mail": mail}


class _Bounded:
    """The ledger, of which only so many messages are looked at. `last` is when the last one was opened."""

    def __init__(self, desk: Desk, before: float | None) -> None:
        self._ledger = desk.ledger
        self._before = before
        self.looked, self.cut, self.last = 0, False, before

    def messages(self, since: float, now: float, *, noted: bool = False) -> Iterator[dict[str, Any]]:
        """As the ledger has them, up to the time before which this page begins."""
        for message in self._ledger.messages(since, now if self._before is None else self._before, noted=noted):
            if self._before is not None and float(message["opened_at"]) > self._before:
                continue
            if self.looked >= MOST_MESSAGES:
                self.cut = True
                return
            self.looked += 1
            self.last = float(message["opened_at"])
            yield message

    def entries(self, message_id: str) -> dict[str, dict[str, Any]]:
        """All of a message."""
        return self._ledger.entries(message_id)


def _words(asked_for: dict[str, str]) -> list[str]:
    return [word for name, value in asked_for.items() if value for word in (f"--{name}", value)]
