"""Lists of rows, for people and for programs, with their state and faults."""

import heapq
import json
import shlex
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import typer
from postern_mail.mail.aliases import Alias
from postern_mail.mail.days import formatted, moment
from postern_mail.mail.header_rules import CONDITIONS
from postern_mail.mail.learning import AT, FROM
from postern_mail.mail.plan import Policy
from postern_mail.mail.row_faults import alias_fault, unasked_rule
from postern_mail.mail.rows import BOOKKEEPING, HEADER_RULE, MADE_BY, Row, made_itself, texts
from postern_mail.mail.senders import EVERYWHERE, typed_action
from postern_mail.mail.summaries import Use

from ..figures import USED_DAYS
from ..tables.checks import sender_faults
from .columns import Column, Columns
from .difference_text import assignment, plain
from .terminal import printer

_COLUMNS = (Column(26, 1), Column(26, 1), Column(20, 2))
_RULE_COLUMNS = (Column(3), Column(16, 1), Column(26, 2), Column(20, 2))
_SHOWN = 5  # destinations of a group in a list; `alias show` has all
_STYLES = {"disabled": "dim", "expired": "dim", "fault": "red"}


def print_objects(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object per line."""
    for row in rows:
        typer.echo(json.dumps(row))


def _say_if_none(rows: list[Row]) -> None:
    if not rows:
        typer.echo("nothing to list", err=True)


# Sorting by domain and name takes a scan of the whole table, but DynamoDB's own, cheaper order is of no use to people.
def page(rows: Iterable[Row], order: Callable[[Row], Any], after: Any, limit: int | None) -> tuple[list[Row], bool]:
    """The first rows, sorted by `order`, that come after the key `after`, and whether there are more.

    With a limit, no more rows than that are held in memory.
    """
    later = (row for row in rows if after is None or order(row) > after)
    if limit is None:
        return sorted(later, key=order), False
    found = heapq.nsmallest(limit + 1, later, key=order)
    return found[:limit], len(found) > limit


def hint(next_key: str) -> None:
    """Say how to see the next page; not on standard output, where a program reads the rows."""
    typer.echo(f"there are more: --after {shlex.quote(next_key)}", err=True)


def destinations(row: Row) -> list[str]:
    """The destinations as typed; empty if the attribute is malformed."""
    try:
        return texts(row.get("destinations") or ())
    except ValueError:
        return []


def action(row: Row) -> str:
    """The action of a sender rule as typed, even one that cannot be understood."""
    try:
        return str(typed_action(row))
    except ValueError:
        return str(row.get("action"))


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of rows for a stack with this policy, at one time (epoch seconds)."""

    policy: Policy
    now: float = field(default_factory=time.time)
    asked: tuple[int, ...] | None = None  # the header rules in the settings, None if they are not known
    taken: Mapping[str, int] = field(default_factory=dict)  # messages so far, by alias, where they are counted

    def alias(self, row: Row) -> tuple[Alias | None, str | None]:
        """(what an alias row means, None) or (None, its fault)."""
        fault = alias_fault(row, self.policy.own_domains)
        return (None, fault) if fault else (Alias.from_row(row["address"], row), None)

    def state(self, row: Row) -> str:
        """`enabled`, `disabled`, `expired`, or `fault` for a row that cannot be understood."""
        alias, _ = self.alias(row)
        if alias is None:
            return "fault"
        if not alias.enabled:
            return "disabled"
        return "expired" if alias.expires_at is not None and alias.expires_at <= self.now else "enabled"

    def rule_fault(self, row: Row) -> str | None:
        """What is wrong with a sender rule, None if it is valid."""
        faults = sender_faults((row["sender"], row["scope"]), _typed(row), self.policy)
        if (
            not faults
            and self.asked is not None
            and (unasked := unasked_rule((row["sender"], row["scope"]), self.asked))
        ):
            faults = [unasked]
        return "; ".join(faults) or None

    def counted(self, rows: Iterable[Row]) -> list[str]:
        """The keys of the aliases that end after a number of messages."""
        understood = (self.alias(row)[0] for row in rows)
        return [one.key for one in understood if one is not None and one.ending is not None and one.ending.messages]

    def count(self, row: Row, alias: Alias) -> str:
        """Its count of messages, as in `, 7 of 20 taken`; "" if it is not known."""
        taken = self.taken.get(row["address"])
        if taken is None or alias.ending is None:
            return ""
        return f", {taken} of {alias.ending.messages} taken"

    def alias_object(self, row: Row, used: Mapping[str, Use] | None = None) -> dict[str, Any]:
        """An alias row for --json: its attributes, the known ones normalised, its state and fault, and its use if
        `used` is given."""
        alias, fault = self.alias(row)
        meant: dict[str, Any] = {"destinations": destinations(row)}
        if alias is not None:
            expires_at = None if alias.expires_at is None else int(alias.expires_at)
            meant |= {"enabled": alias.enabled, "expires_at": expires_at, "keep_tag": alias.keep_tag}
        if row["address"] in self.taken:
            meant["taken"] = self.taken[row["address"]]
        if used is not None:
            use = _use(row, used)
            meant |= {"count": sum(use.counts.values()), "last_used": use.last_used or None}
        return {**plain(row), **meant, "state": self.state(row), "fault": fault}

    def sender_object(self, row: Row) -> dict[str, Any]:
        """A sender rule for --json: its attributes and its fault; `reject` is also given as the action it means."""
        of_reject = {"action": action(row)} if row.get("reject") is not None else {}
        return {**of_reject, **plain(row), "fault": self.rule_fault(row)}

    def print_aliases(self, rows: list[Row], *, wide: bool = False, used: Mapping[str, Use] | None = None) -> None:
        """Print a line for each alias; disabled and expired ones are dim, faulty ones red. `used` adds their use."""
        say, columns = printer(), Columns(_COLUMNS, wide=wide)
        for row in rows:
            what = self.state(row)
            listed = destinations(row)
            shown = listed if wide else listed[:_SHOWN]
            more = f", and {len(listed) - len(shown)} more" if len(listed) > len(shown) else ""
            remarks = self._remarks(row, what)
            if used is not None:
                remarks.insert(0, _used(_use(row, used)))
            cells = [str(row["address"]), ", ".join(shown) + more, _in_brackets(remarks)]
            say(columns.line(cells), _STYLES.get(what))
        _say_if_none(rows)

    def print_senders(self, rows: list[Row], *, wide: bool = False) -> None:
        """Print a line for each sender rule."""
        say, columns = printer(), Columns(_COLUMNS, wide=wide)
        for row in rows:
            fault = self.rule_fault(row)
            remarks = [f"for {row['scope']}"] if row["scope"] != EVERYWHERE else []
            remarks += [f"made by {row[MADE_BY]}"] if made_itself(row) else []
            remarks += [str(one) for one in (fault, row.get("note")) if one]
            cells = [str(row["sender"]), action(row), _in_brackets(remarks)]
            say(columns.line(cells), "red" if fault else None)
        _say_if_none(rows)

    def print_rules(self, rows: list[Row], *, wide: bool = False) -> None:
        """Print a line for each header rule: its number, action and conditions."""
        say, columns = printer(), Columns(_RULE_COLUMNS, wide=wide)
        for row in rows:
            fault = self.rule_fault(row)
            known = plain(row)
            asks = [assignment(name, known[name]) for name in CONDITIONS if name in known]
            remarks = [f"for {row['scope']}"] if row["scope"] != EVERYWHERE else []
            remarks += [str(one) for one in (fault, row.get("note")) if one]
            number = str(row["sender"]).removeprefix(HEADER_RULE)
            cells = [number, str(row.get("action")), "; ".join(asks), _in_brackets(remarks)]
            say(columns.line(cells), "red" if fault else None)
        _say_if_none(rows)

    def _remarks(self, row: Row, what: str) -> list[str]:
        """What there is to say about an alias besides its destinations."""
        alias, fault = self.alias(row)
        remarks = [fault or what] if what != "enabled" else []
        if alias is not None and alias.expires_at is not None and what == "enabled":
            remarks.append(f"until {moment(alias.expires_at)}")
        if alias is not None and alias.patterns:
            remarks.append(f"patterns {', '.join(pattern.text for pattern in alias.patterns)}")
        if alias is not None and alias.keep_tag:
            remarks.append("keeps the tag")
        remarks += [f"made by {row[MADE_BY]}"] if made_itself(row) else []
        if alias is not None and alias.ending is not None:
            remarks.append(f"ends after {alias.ending}{self.count(row, alias)}")
        if alias is not None and alias.learned:
            remarks.append(f"{formatted(row[AT], '%Y-%m-%d')} from {row.get(FROM)}")
            remarks += [] if destinations(row) else [f"forwards to where @{row['address'].rpartition('@')[2]} does"]
        if alias is not None and alias.learning is not None:
            remarks.append(f"learns up to {alias.learning.limit} names a day")
        return remarks + ([str(row["note"])] if row.get("note") else [])


def _use(row: Row, used: Mapping[str, Use]) -> Use:
    """The use of an alias; the message by which it was learned counts for the catch-all, but sets `last_used` here."""
    found = used.get(row["address"], Use())
    learned_at = row.get(AT, 0)
    return Use(found.counts, max(found.last_used, int(learned_at) if str(learned_at).isdecimal() else 0))


def _used(use: Use) -> str:
    """How often an alias was used, and when last, as text."""
    if not use.last_used:
        return "never used"
    return f"{sum(use.counts.values()):,} in {USED_DAYS} days, last used {formatted(use.last_used, '%Y-%m-%d')}"


def _typed(row: Row) -> Row:
    """A row without its bookkeeping attributes."""
    return {name: value for name, value in row.items() if name not in BOOKKEEPING}


def _in_brackets(remarks: list[str]) -> str:
    return f"({'; '.join(remarks)})" if remarks else ""
