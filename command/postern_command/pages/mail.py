"""The log: the outcome for each recipient, with the filters of `postern log`."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ..ids import short_id
from ..log import STATES, known_state, listed
from ..reading import messages
from ..times import since_when
from .asked import Asked
from .desk import Desk
from .rendering import Shown

if TYPE_CHECKING:
    from postern_mail.aws.watch.history import History

SHOWN = 50  # recipients on a page
MOST_MESSAGES = 500  # messages that one page reads; each is a query
SINCE = ("1d", "7d", "30d")


def mail(desk: Desk, asked: Asked) -> Shown:
    """The newest outcomes first; the next page continues where this one stopped reading."""
    since, recipient, sender = asked.text("since", "1d"), asked.text("recipient"), asked.text("sender")
    state = asked.text("state")
    bounded = _Bounded(desk.ledger, asked.text("before"))
    found = listed(
        bounded,
        since_when(since or "1d"),
        desk.stack.with_domain(recipient) if recipient else None,
        sender or None,
        known_state(state or None),
        SHOWN + 1,
    )
    rows: list[dict[str, Any]] = []
    for row in found:
        if len(rows) >= SHOWN and row["message_id"] != rows[-1]["message_id"]:
            bounded.next = _place(row)
            break
        rows.append({**row, "short": short_id(str(row["message_id"]))})
    asked_for = {"since": since, "recipient": recipient, "sender": sender, "state": state}
    data: dict[str, Any] = {
        "title": "Mail",
        "rows": rows,
        **asked_for,
        "states": STATES,
        "sinces": SINCE,
        "looked": bounded.looked,
        "more": f"/mail?{urlencode({**asked_for, 'before': bounded.next})}" if bounded.next else "",
        "command": desk.command("log", *_words(asked_for)),
    }
    return Shown("mail.html", data)


PAGES = {"/mail": mail}


class _Bounded:
    """The ledger, limited to MOST_MESSAGES. `next` names the first message of the next page by its time and id, "" if
    there is no next page."""

    def __init__(self, ledger: "History", before: str) -> None:
        self._ledger = ledger
        time, _, self._first = before.partition("-")
        self._before = int(time) if time.isdigit() else None
        self.looked, self.next = 0, ""

    def by_day(self, since: float, now: float, *, noted: bool = False) -> Iterator[Iterator[dict[str, Any]]]:
        """The ledger's messages, from the first one of this page."""
        yield self._bounded(messages(self._ledger, since, now if self._before is None else self._before, noted=noted))

    def entries(self, message_id: str) -> dict[str, dict[str, Any]]:
        """All entries of a message."""
        return self._ledger.entries(message_id)

    def _bounded(self, found: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for message in found:
            if self._before is not None and not self._is_reached(int(message["opened_at"]), str(message["message_id"])):
                continue
            if self.looked >= MOST_MESSAGES:
                self.next = _place(message)
                return
            self.looked += 1
            yield message

    def _is_reached(self, opened_at: int, message_id: str) -> bool:
        """Whether the first message of this page is reached; others of the same second were on the previous page."""
        if self._before is None or opened_at > self._before:
            return False
        if opened_at < self._before or message_id == self._first:
            self._before = None
            return True
        return False


def _place(message: Mapping[str, Any]) -> str:
    return f"{int(message['opened_at'])}-{message['message_id']}"


def _words(asked_for: dict[str, str]) -> list[str]:
    return [word for name, value in asked_for.items() if value for word in (f"--{name}", value)]
