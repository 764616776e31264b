"""Orders for a message: release, delete and replay, for the recipients that were shown and are ticked."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from postern_mail.mail.envelope import NULL_SENDER
from postern_mail.mail.orders import CannotOrder, Order, kept
from postern_mail.mail.orders import release as released_by
from postern_mail.mail.orders import replay as replayed_by
from postern_mail.mail.receipt import stamped

from ..output.ledger_text import Entries
from ..quarantine import delete_message, release_message
from ..replay import replay_message
from ..reruns import Reruns, reruns
from ..status import UsageError
from .asked import Asked
from .desk import Desk
from .rendering import Done

_FLAGS = {"": (), "failed": ("--failed",), "again": ("--again",)}  # of `postern replay`


def offers(desk: Desk, message_id: str, entries: Entries, raw: bytes | None) -> dict[str, dict[str, Any]]:
    """The orders that would do something for a message, by name: the recipients of each, and the command for all of
    them."""
    if raw is None:
        return {}
    if "message" not in entries:
        return _of_a_stranger(desk, message_id, raw)
    orders: dict[str, tuple[Callable[[], Order], tuple[str, ...]]] = {
        "release": (lambda: released_by(entries, ()), ("quarantine", "release", message_id)),
        "delete": (lambda: Order(kept(entries)), ("quarantine", "delete", message_id)),
        "replay": (lambda: _replayed(entries, ""), ("replay", message_id)),
        "failed": (lambda: _replayed(entries, "failed"), ("replay", message_id, *_FLAGS["failed"])),
        "again": (lambda: _replayed(entries, "again"), ("replay", message_id, *_FLAGS["again"])),
    }
    found = {}
    for name, (order, words) in orders.items():
        try:
            made = order()
        except CannotOrder:
            continue
        if made.reopened or name not in ("failed", "again"):  # without any it would be a plain replay
            found[name] = {"recipients": list(made.recipients), "command": desk.command(*words)}
    return found


def release(desk: Desk, asked: Asked) -> Done:
    """Release the quarantined copies of the ticked recipients."""
    ticked = _ticked(asked)
    return _ordered(
        desk, asked, lambda at, one: release_message(at, one, ticked), "runs again for", ("quarantine", "release")
    )


def delete(desk: Desk, asked: Asked) -> Done:
    """Delete a quarantined message. Raises CannotOrder if a copy is quarantined that was not shown."""
    shown = _ticked(asked)

    def one(at: Reruns, message_id: str) -> Order:
        return delete_message(at, message_id, desk.stack, shown)

    return _ordered(desk, asked, one, "is deleted for", ("quarantine", "delete"), named=False)


def replay(desk: Desk, asked: Asked) -> Done:
    """Run a message again."""
    which = asked.text("which")
    ticked = _ticked(asked)

    def one(at: Reruns, message_id: str) -> Order:
        return replay_message(at, message_id, ticked, again=which == "again", failed=which == "failed")

    return _ordered(desk, asked, one, "runs again for", ("replay",), _FLAGS.get(which, ()))


ACTIONS = {"/message/release": release, "/message/delete": delete, "/message/replay": replay}


def _replayed(entries: Entries, which: str) -> Order:
    return replayed_by(entries, (), again=which == "again", failed=which == "failed")


def _of_a_stranger(desk: Desk, message_id: str, raw: bytes) -> dict[str, dict[str, Any]]:
    """The order for a message that the ledger does not know: the user names the recipients, SES's header one."""
    found = stamped(raw, message_id)
    if found is None or found.recipient in ("", NULL_SENDER):
        return {}
    command = desk.command("replay", message_id, "--recipient", found.recipient)
    return {"unknown": {"recipients": [found.recipient], "command": command}}


def _ticked(asked: Asked) -> list[str]:
    """The recipients that are ticked or typed. Raises UsageError if there are none: that would mean all."""
    found = [*asked.all("recipient"), *asked.list("named")]
    if not found:
        raise UsageError("tick at least one recipient")
    return found


def _ordered(
    desk: Desk,
    asked: Asked,
    one: Callable[[Reruns, str], Order],
    says: str,
    words: tuple[str, ...],
    flags: tuple[str, ...] = (),
    *,
    named: bool = True,
) -> Done:
    """Carry out an order; its command names the recipients. Raises CannotOrder, MessageMissing, Overtaken,
    Temporary."""
    message_id = asked.text("id")
    order = one(reruns(desk.stack, dry_run=False), message_id)
    said = f"message {message_id[:8]} {says} {', '.join(order.recipients)}"
    options = [word for who in order.recipients for word in ("--recipient", who)] if named else []
    command = desk.command(*words, message_id, *flags, *options)
    return Done(said, command, f"/message?{urlencode({'id': message_id})}")
