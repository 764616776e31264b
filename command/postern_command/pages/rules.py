"""Sender rules: list, add and remove."""

from itertools import islice
from urllib.parse import urlencode

from postern_mail.mail.rows import Row, is_header_rule
from postern_mail.mail.senders import EVERYWHERE

from ..output import listing
from ..output.listing import Meaning
from ..sender import new_rule, rule_key
from ..status import Refused
from ..tables.change import Change
from .asked import Asked
from .desk import Desk
from .edits import Edit, carried_out, now, seen
from .rendering import Done, Shown

SHOWN = 100  # rules on a page
MOST_ROWS = 20_000  # rows that are searched for a list


def rules(desk: Desk, asked: Asked) -> Shown:
    """The list, by scope and sender."""
    text = asked.text("q").lower()
    meaning = Meaning(desk.policy)
    looked = list(islice(desk.edited.scan("senders"), MOST_ROWS + 1))
    wanted = (row for row in looked[:MOST_ROWS] if not is_header_rule(row["sender"]) and _says(row, text))
    place = (asked.exact("after_scope"), asked.exact("after")) if asked.has("after") else None
    found, more = listing.page(wanted, lambda row: (row["scope"], row["sender"]), place, SHOWN)
    last = {"after": found[-1]["sender"], "after_scope": found[-1]["scope"], "q": asked.text("q")} if more else {}
    data = {
        "title": "Rules",
        "rows": [{**meaning.sender_object(row), "seen": seen(row)} for row in found],
        "q": asked.text("q"),
        "more": f"/rules?{urlencode(last)}" if more else "",
        "looked": min(len(looked), MOST_ROWS),
        "cut": len(looked) > MOST_ROWS,
        "everywhere": EVERYWHERE,
        "command": desk.command("sender", "list", *([asked.text("q")] if text else [])),
    }
    return Shown("rules.html", data)


def new(desk: Desk, asked: Asked) -> Shown:
    """The form for a new rule; if the URL fills it in, the rule itself, not yet written."""
    sender, action = asked.text("sender"), asked.text("action")
    if sender and action and not desk.read_only:
        found = _edited(desk, asked, shown_first=True)
        if isinstance(found, Shown):
            return found
    data = {
        "title": "New rule",
        "sender": sender,
        "rule": action,
        "scope": asked.text("scope", EVERYWHERE),
        "note": asked.text("note"),
    }
    return Shown("new_rule.html", data)


def add(desk: Desk, asked: Asked) -> Shown | Done:
    """Add a rule, shown first."""
    return _edited(desk, asked, shown_first=True)


def remove(desk: Desk, asked: Asked) -> Shown | Done:
    """Remove a rule."""
    key = (asked.exact("sender"), asked.exact("scope"))
    change = Change("senders", key, None, None)
    row = now(desk, change)
    if row is None:
        raise Refused(f"there is no {change}")
    words = ["sender", "remove", key[0], *(["--scope", key[1]] if key[1] != EVERYWHERE else [])]
    edit = Edit(Change("senders", key, row, None), desk.command(*words), "/rule/remove", "/rules")
    return carried_out(desk, asked, edit, shown_first=True)


PAGES = {"/rules": rules, "/rule/new": new}
ACTIONS = {"/rule/add": add, "/rule/remove": remove}


def _edited(desk: Desk, asked: Asked, *, shown_first: bool) -> Shown | Done:
    scope, action = asked.text("scope", EVERYWHERE) or EVERYWHERE, asked.text("action")
    key = rule_key(asked.text("sender"), scope if scope == EVERYWHERE else desk.stack.with_domain(scope))
    change = new_rule(desk.edited.tables, key, action, asked.text("note") or None)
    words = ["sender", "add", key[0], action, *(["--scope", key[1]] if key[1] != EVERYWHERE else [])]
    words += ["--note", asked.text("note")] if asked.has("note") else []
    edit = Edit(change, desk.command(*words), "/rule/add", "/rules")
    return carried_out(desk, asked, edit, shown_first=shown_first)


def _says(row: Row, text: str) -> bool:
    return text in f"{row['sender']} {row['scope']} {listing.action(row)} {row.get('note') or ''}".lower()
