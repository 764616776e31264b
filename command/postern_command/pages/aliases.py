"""Aliases: the list, where mail would go, one alias with its use, and its edits."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from postern_mail.mail.days import A_DAY
from postern_mail.mail.keys import in_order
from postern_mail.mail.rows import Row

from ..alias import attributes, new_alias, with_counts
from ..figures import USED_DAYS, alias_uses
from ..output import listing
from ..output.listing import Meaning
from ..resolve import resolutions
from ..source import Source
from ..status import Refused, UsageError
from ..tables.change import Change
from ..tables.editor import with_attributes
from .asked import Asked
from .desk import Desk
from .edits import Edit, carried_out, seen
from .rendering import Done, Shown

SHOWN = 100  # aliases on a page
MOST_ROWS = 20_000  # rows that are searched for a list
_LEADS_TO = " -> "
STATES = ("enabled", "disabled", "expired", "fault")


def aliases(desk: Desk, asked: Asked) -> Shown:
    """The list, by domain and name."""
    text, state, after = asked.text("q").lower(), asked.text("state"), asked.text("after")
    meaning = Meaning(desk.policy)
    looked = list(islice(desk.edited.scan("aliases"), MOST_ROWS + 1))
    wanted = (row for row in looked[:MOST_ROWS] if _says(row, text) and (not state or meaning.state(row) == state))
    place = in_order(after) if after else None
    found, more = listing.page(wanted, lambda row: in_order(row["address"]), place, SHOWN)
    meaning = with_counts(meaning, desk.stack, found)
    data = {
        "title": "Aliases",
        "rows": [{**meaning.alias_object(row), "seen": seen(row)} for row in found],
        "q": asked.text("q"),
        "state": state,
        "states": STATES,
        "after": found[-1]["address"] if more else "",
        "looked": min(len(looked), MOST_ROWS),
        "cut": len(looked) > MOST_ROWS,
        "uses": _uses(desk, asked),
        "days": USED_DAYS,
        "where": asked.text("where"),
        "resolved": _resolved(desk, asked.text("where")),
        "command": desk.command("alias", "list", *([asked.text("q")] if text else [])),
    }
    return Shown("aliases.html", data)


def alias(desk: Desk, asked: Asked) -> Shown:
    """One alias. Its use is read only on request."""
    row = _row(desk, asked.exact("address"))
    meaning, key = with_counts(Meaning(desk.policy), desk.stack, [row]), row["address"]
    told = meaning.alias_object(row)
    data = {
        "title": key,
        "row": told,
        "seen": seen(row),
        "expires": _iso(told.get("expires_at")),
        "patterns": _patterns(row),
        "uses": _uses(desk, asked),
        "days": USED_DAYS,
        "command": desk.command("alias", "show", key),
        "switch": desk.command("alias", "enable" if told["state"] == "disabled" else "disable", key),
        "remove": desk.command("alias", "remove", key),
    }
    return Shown("alias.html", data)


def new(_: Desk, asked: Asked) -> Shown:
    """The form for a new alias."""
    return Shown("new_alias.html", {"title": "New alias", "address": asked.text("address")})


def add(desk: Desk, asked: Asked) -> Shown | Done:
    """Add an alias."""
    address, destinations = asked.text("address"), asked.list("destinations")
    if not destinations:
        raise UsageError("an alias needs at least one destination: a mailbox, @other.example, or discard:")
    more = attributes(asked.text("expires") or None, asked.has("keep_tag"), asked.text("note") or None)
    change = new_alias(desk.edited.tables, desk.policy.own_domains, address, destinations, more)
    flags = _flags(asked.text("expires"), "--keep-tag" if asked.has("keep_tag") else "", asked.text("note"))
    command = desk.command("alias", "add", change.key[0], *destinations, *flags)
    return carried_out(desk, asked, Edit(change, command, "/alias/add", _page(change.key[0])), shown_first=True)


def save(desk: Desk, asked: Asked) -> Shown | Done:
    """Change an alias's destinations, expiry, note or tags."""
    row = _row(desk, asked.exact("address"))
    key, destinations = row["address"], asked.list("destinations")
    if not destinations and not asked.text("patterns"):
        raise UsageError("an alias needs at least one destination; remove it, or switch it off")
    typed: dict[str, Any] = {
        "expires_at": None,
        **attributes(asked.text("expires") or None, asked.has("keep_tag"), asked.text("note")),
        "destinations": destinations or None,
    }
    typed_lines = asked.text("patterns").splitlines()
    if "patterns" in asked.fields and typed_lines != _patterns(row):
        typed["patterns"] = _typed_patterns(asked.text("patterns")) or None
    changed = {name: value for name, value in typed.items() if _differs(row, name, value)}
    command = desk.command("alias", "set", key, *_set(changed, asked.text("expires")))
    command = f"{command}  # no command writes patterns: postern apply does" if "patterns" in changed else command
    change = Change("aliases", (key,), row, with_attributes(row, changed))
    return carried_out(desk, asked, Edit(change, command, "/alias/save", _page(key)), shown_first=True)


def switch(desk: Desk, asked: Asked) -> Shown | Done:
    """Switch an alias on or off, at once."""
    row, on = _row(desk, asked.exact("address")), asked.text("enabled") == "yes"
    key = row["address"]
    change = Change("aliases", (key,), row, with_attributes(row, {"enabled": None if on else False}))
    command = desk.command("alias", "enable" if on else "disable", key)
    back = "/aliases" if asked.has("list") else _page(key)
    return carried_out(desk, asked, Edit(change, command, "/alias/switch", back), shown_first=False)


def remove(desk: Desk, asked: Asked) -> Shown | Done:
    """Remove an alias; a warning comes first if its mail would then go to another alias."""
    row = _row(desk, asked.exact("address"))
    change = Change("aliases", (row["address"],), row, None)
    command = desk.command("alias", "remove", row["address"])
    return carried_out(desk, asked, Edit(change, command, "/alias/remove", "/aliases"), shown_first=True)


PAGES = {"/aliases": aliases, "/alias": alias, "/alias/new": new}
ACTIONS = {"/alias/add": add, "/alias/save": save, "/alias/switch": switch, "/alias/remove": remove}


def _row(desk: Desk, key: str) -> Row:
    row = desk.edited.tables.read([key], ()).aliases[key] if key and not key.startswith("#") else None
    if row is None:
        raise Refused(f"there is no alias {key}")
    return row


def _page(key: str) -> str:
    return f"/alias?address={quote(key, safe='')}"


def _says(row: Row, text: str) -> bool:
    return text in f"{row['address']} {' '.join(listing.destinations(row))} {row.get('note') or ''}".lower()


def _resolved(desk: Desk, address: str) -> dict[str, Any] | None:
    if not address:
        return None
    return next(resolutions(Source(desk.edited.tables, desk.policy, live=True), [address]))


def _uses(desk: Desk, asked: Asked) -> dict[str, dict[str, Any]] | None:
    """The use of each alias by the daily totals; None unless requested."""
    if not asked.has("used"):
        return None
    found = alias_uses(desk.stack.summaries, added_up_only=True)
    return {key: {"count": sum(use.counts.values()), "last": use.last_used or None} for key, use in found.items()}


def _patterns(row: Row) -> list[str]:
    """A domain's patterns as typed, one per line: `PATTERN -> DESTINATIONS`."""
    listed = row.get("patterns")
    items = [one for one in listed if isinstance(one, dict)] if isinstance(listed, (list, tuple)) else []
    return [f"{one.get('pattern')}{_LEADS_TO}{', '.join(listing.destinations(one))}" for one in items]


def _typed_patterns(text: str) -> list[dict[str, Any]]:
    """The patterns of a row from these lines. Raises UsageError for a line without destinations."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        pattern, arrow, leads_to = line.rpartition(_LEADS_TO)
        if not arrow:
            raise UsageError(f"{line!r} is not a pattern: write PATTERN{_LEADS_TO}DESTINATIONS")
        found.append({"pattern": pattern.strip(), "destinations": [one.strip() for one in leads_to.split(",")]})
    return found


def _iso(seconds: Any) -> str:
    if not isinstance(seconds, int):
        return ""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.strftime("%Y-%m-%d") if not seconds % A_DAY else at.strftime("%Y-%m-%dT%H:%M:%S")


def _differs(row: Row, name: str, value: Any) -> bool:
    """Whether a field was edited: a default, or a value in another form, counts as unchanged."""
    if name == "destinations":
        return listing.destinations(row) != (value or [])
    if name == "patterns":
        return True
    if name == "keep_tag":
        return bool(row.get(name)) != bool(value)
    return bool((row.get(name) or None) != value)


def _set(changed: dict[str, Any], expires: str) -> list[str]:
    """The arguments of `postern alias set` for these attributes."""
    words = [*(changed.get("destinations") or ())]
    if "expires_at" in changed:
        words += ["--expires", expires] if expires else ["--no-expires"]
    if "keep_tag" in changed:
        words.append("--keep-tag" if changed["keep_tag"] else "--no-keep-tag")
    return words + (["--note", changed["note"] or ""] if "note" in changed else [])


def _flags(expires: str, tag: str, note: str) -> list[str]:
    return [*(["--expires", expires] if expires else []), *([tag] if tag else []), *(["--note", note] if note else [])]
