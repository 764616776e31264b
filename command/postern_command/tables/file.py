"""A tables file: the alias and sender tables as TOML, for version control and for working offline.

domains = ["example.com"]                   # optional: else the domains of the alias keys

[settings]                                  # optional: without it the live settings stay unchanged
subject_tag = "[example]"

[whitelists]                                # optional: what greylisting never holds; lines as in Postgrey's files
clients = ["mail.example.org", "192.0.2.0/24"]
recipients = ["postmaster@"]

[aliases."info@example.com"]
destinations = ["jane@dest.example"]

[[senders]]
sender = "spam.example"
action = "REJECT"
scope = "*"                                 # optional: an alias; else all

[[rules]]                                   # header rules, also rows of the sender table
number = 10
subject = { contains = "casino" }
action = "HOLD"
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from postern_mail.mail import greylist, learning, settings
from postern_mail.mail.address import alias_key
from postern_mail.mail.keys import domain_of, scope_key, sender_key
from postern_mail.mail.rows import HEADER_RULE, LAST_RULE, Row, Rows, SenderKey, is_header_rule, rule_key
from postern_mail.mail.senders import EVERYWHERE

WHITELISTS = {"clients": greylist.CLIENTS_KEY, "recipients": greylist.RECIPIENTS_KEY}
HEADER_RULES = "header_rules"  # the setting with the numbers of the rules that are on
TIMES = ("expires_at", learning.AT)  # attributes of an alias that are times
MOST_DIGITS = 38  # in a number in DynamoDB
_SECTIONS = ("domains", "settings", "whitelists", "aliases", "senders", "rules")


class BadTablesFile(ValueError):
    """The file cannot be read as tables; the message names the file and the fault."""


@dataclass(frozen=True, slots=True)
class TablesFile:
    """Both tables, as read from a file. It is a `ports.Tables`, so look-ups run on it unchanged."""

    domains: frozenset[str]
    aliases: Mapping[str, Row]
    senders: Mapping[SenderKey, Row]
    settings: Row | None = None
    whitelists: Mapping[str, Row] | None = None

    @classmethod
    def load(cls, path: Path) -> "TablesFile":
        """Read a file. Rows are taken as typed; faults in them show where they are used, as in the live tables.
        Raises BadTablesFile."""
        try:
            return cls._from_document(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as fault:
            raise BadTablesFile(f"{path}: {fault}") from fault

    @classmethod
    def _from_document(cls, document: Mapping[str, Any]) -> "TablesFile":
        unknown = [section for section in document if section not in _SECTIONS]
        if unknown:
            raise ValueError(f"unknown section {unknown[0]!r}: expected one of {', '.join(_SECTIONS)}")
        aliases = _aliases(document.get("aliases", {}))
        domains = document.get("domains") or list(map(domain_of, aliases))
        if not isinstance(domains, list) or not all(isinstance(domain, str) for domain in domains):
            raise ValueError("domains is not a list of names")
        rules = _rules(document.get("rules", []))
        return cls(
            domains=frozenset(domain_of(alias_key(f"@{domain}")) for domain in domains),
            aliases=aliases,
            senders={**_senders(document.get("senders", [])), **rules},
            settings=with_rules(_settings(document["settings"]), rules) if "settings" in document else None,
            whitelists=_whitelists(document["whitelists"]) if "whitelists" in document else None,
        )

    @property
    def all_settings(self) -> Row:
        """The settings, with `header_rules` filled in even for a file without settings."""
        return with_rules({"address": settings.KEY}, self.senders) if self.settings is None else self.settings

    def _item(self, key: str) -> Row | None:
        if key == settings.KEY:
            return self.all_settings
        return (self.whitelists or {}).get(key) if key in greylist.KEYS else self.aliases.get(key)

    def read(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> Rows:
        """The rows under these keys, None for each key without one. A file has no destinations' health."""
        return Rows(
            {key: self._item(key) for key in aliases},
            {key: self.senders.get(key) for key in senders},
            dict.fromkeys(destinations),
        )


def epoch_of(at: date) -> int:
    """The epoch seconds of a time, or of the start of a day; in UTC unless it has an offset."""
    at = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def in_seconds(name: str, value: Any) -> Any:
    """An alias's attribute as a row has it: a time that TOML wrote as one is in epoch seconds."""
    return epoch_of(value) if name in TIMES and isinstance(value, date) else value


def whitelist(key: str, lines: Iterable[str]) -> Row:
    """A row of the alias table with the lines of one of Postgrey's files."""
    return {"address": key, greylist.LINES: list(lines)}


def with_rules(row: Row, rules: Iterable[SenderKey]) -> Row:
    """The settings with the numbers of all header rules among these keys, unless they already name some."""
    numbers = rule_numbers(rules)
    return row if row.get(HEADER_RULES) is not None or not numbers else {**row, HEADER_RULES: numbers}


def rule_numbers(keys: Iterable[SenderKey]) -> str:
    """The value of `header_rules` for the header rules among these keys, "" for none."""
    found = {sender.removeprefix(HEADER_RULE) for sender, _ in keys if is_header_rule(sender)}
    return ", ".join(str(int(one)) for one in sorted(found) if one.isdigit())


def _settings(section: Any) -> Row:
    if not isinstance(section, dict) or "address" in section:
        raise ValueError("settings are written as [settings]")
    _check("settings", section)
    return {**section, "address": settings.KEY}


def _aliases(section: Any) -> dict[str, Row]:
    if not isinstance(section, dict):
        raise ValueError('aliases are written as [aliases."info@example.com"]')
    rows: dict[str, Row] = {}
    for key, row in section.items():
        if "@" not in key or not isinstance(row, dict) or "address" in row:
            raise ValueError(f"alias {key!r} is not a table under a mail address")
        timed = {name: in_seconds(name, value) for name, value in row.items()}
        _check(f"alias {key!r}", timed)
        spelled = alias_key(key)
        if spelled in rows:
            raise ValueError(f"alias {spelled!r} occurs twice")
        rows[spelled] = {**timed, "address": spelled}
    return rows


def _senders(section: Any) -> dict[SenderKey, Row]:
    if not isinstance(section, list):
        raise ValueError("senders are written as [[senders]]")
    rows: dict[SenderKey, Row] = {}
    for row in section:
        if not isinstance(row, dict) or not isinstance(row.get("sender"), str) or not row["sender"]:
            raise ValueError(f"a sender rule without a sender: {row!r}")
        _check(f"sender rule {row['sender']!r}", row)
        if is_header_rule(row["sender"]):
            raise ValueError(f"{row['sender']!r} is a header rule: write [[rules]] and number")
        key = (sender_key(row["sender"]), scope_key(str(row.get("scope", EVERYWHERE))))
        if key in rows:
            raise ValueError(f"sender rule {key[0]!r} in scope {key[1]!r} occurs twice")
        rows[key] = {**row, "sender": key[0], "scope": key[1]}
    return rows


def _whitelists(section: Any) -> dict[str, Row]:
    if not isinstance(section, dict) or not section.keys() <= WHITELISTS.keys():
        raise ValueError(f"[whitelists] takes {' and '.join(WHITELISTS)}, found {section!r}")
    for name, lines in section.items():
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ValueError(f"whitelists, {name}: expected a list of lines")
    return {WHITELISTS[name]: whitelist(WHITELISTS[name], lines) for name, lines in section.items() if lines}


def _rules(section: Any) -> dict[SenderKey, Row]:
    if not isinstance(section, list):
        raise ValueError("header rules are written as [[rules]]")
    rows: dict[SenderKey, Row] = {}
    for row in section:
        number = row.get("number") if isinstance(row, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= LAST_RULE or "sender" in row:
            raise ValueError(f"a header rule needs a number from 1 to {LAST_RULE} and takes no sender: {row!r}")
        _check(f"header rule {number}", row)
        key = (rule_key(number), scope_key(str(row.get("scope", EVERYWHERE))))
        if key in rows:
            raise ValueError(f"header rule {number} in scope {key[1]!r} occurs twice")
        kept = {name: value for name, value in row.items() if name != "number"}
        rows[key] = {**kept, "sender": key[0], "scope": key[1]}
    return rows


def _check(what: str, value: Any) -> None:
    """Raises ValueError for what a DynamoDB row cannot hold: TOML's dates and times, and numbers out of its range."""
    if isinstance(value, dict):
        for name, item in value.items():
            _check(f"{what}, {name}", item)
    elif isinstance(value, list):
        for item in value:
            _check(what, item)
    elif isinstance(value, (date, datetime)):
        raise ValueError(
            f"{what}: {value} is neither text nor a number; as a time it is {epoch_of(value)}, as text it has quotes"
        )
    elif not isinstance(value, (str, int, float)):
        raise ValueError(f"{what}: {value!r} is neither text nor a number")
    elif not isinstance(value, (str, bool)) and not _is_kept(Decimal(str(value))):
        raise ValueError(f"{what}: DynamoDB cannot store the number {value!r}")


def _is_kept(number: Decimal) -> bool:
    """Whether DynamoDB stores a number exactly: docs.aws.amazon.com/amazondynamodb, "Naming rules and data types"."""
    in_range = number.is_finite() and (not number or -128 <= number.adjusted() <= 125)
    return in_range and len(number.as_tuple().digits) <= MOST_DIGITS
