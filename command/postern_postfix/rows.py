"""Rows of the alias table from the lines of aliases(5), virtual(5) and pattern tables; `leads` says where each leads.

A line of which nothing can be imported becomes a disabled row: without it, its mail would go to the catch-all.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from postern_mail.mail.address import RECIPIENT_DELIMITER, Address, InvalidAddress
from postern_mail.mail.aliases import MAX_DEPTH

from .aliases5 import NamedAlias
from .leads import EndlessError, Lead, Leads
from .owners import Owner
from .patterns import PatternRule, grouped
from .report import Report, changed, impossible, taken
from .source import Line, printable
from .targets import AtDomain
from .virtual5 import VirtualRow

_MOST_ROUNDS = 100  # a longer chain exceeds the limit of levels, loop or not
_NOTE_LENGTH = 200  # characters: enough to find the line


@dataclass(slots=True)
class Draft:
    """A future row, and the lines that it comes from."""

    key: str
    row: dict[str, Any]
    lines: list[Line]
    endless: bool = False

    def add_pattern(self, pattern: str, destinations: list[str]) -> None:
        """Add a pattern to a domain's row, which is then enabled even if its catch-all leads nowhere."""
        self.row.setdefault("patterns", []).append({"pattern": pattern, "destinations": destinations})
        if not self.endless:
            self.row.pop("enabled", None)


@dataclass(slots=True)
class Drafting:
    """Makes all rows, in Postfix's search order."""

    leads: Leads
    report: Report
    drafts: dict[str, Draft] = field(default_factory=dict)

    def draft(self) -> dict[str, Draft]:
        """Every row, by key. Reports each line."""
        for key, owner in self.leads.owners.lines.items():
            self._exact(key, owner)
            if key.startswith("@") and isinstance(owner, VirtualRow):
                self._named(key, owner)
        for rule in self.leads.lookups.patterns:
            for domain, local in rule.locals.items():
                self._pattern(rule, domain, local)
        for key, owner in self.leads.owners.behind.items():
            self._behind_a_pattern(key, owner)
        self._open_circles()
        self._mailboxes()
        return self.drafts

    def _open_circles(self) -> None:
        """Expand the rows that form a loop: aliases(5) bounces the branch with the loop and delivers the others."""
        owners = self.leads.owners.lines
        around = [key for key in _around(self.drafts) if isinstance(owners.get(key), NamedAlias)]
        if around:
            self.leads = replace(self.leads, by_rows=False)
            for key in around:
                self._exact(key, owners[key])

    def _leads(self, key: str, owner: Owner) -> list[Lead]:
        return self.leads.alias(owner, key) if isinstance(owner, NamedAlias) else self.leads.virtual(owner, key)

    def _exact(self, key: str, owner: Owner) -> None:
        endless = False
        try:
            leads = self._leads(key, owner)
        except EndlessError:
            leads, endless = [], True
        row: dict[str, Any] = {"address": key, "destinations": [lead.text for lead in leads]}
        if leads and not key.startswith("@") and self._keeps_tag(leads, owner):
            row["keep_tag"] = True
        if leads:
            self.report.say(owner.line, taken(f"{key}: {', '.join(row['destinations'])}"))
        else:
            row["enabled"] = False
            row["note"] = _note(owner.line)
            says = f"{key} is written disabled, so that its mail does not go to the catch-all"
            self.report.say(owner.line, changed(says))
        self.drafts[key] = Draft(key, row, [owner.line], endless)

    def _keeps_tag(self, leads: Iterable[Lead], owner: Owner) -> bool:
        box = self.leads.box
        keeps = box.alias_keeps_tag if isinstance(owner, NamedAlias) else box.virtual_keeps_tag
        if not keeps or RECIPIENT_DELIMITER not in box.delimiter:
            return False
        lost = [lead.text for lead in leads if not lead.keeps_tag]
        kept = [lead.text for lead in leads if lead.keeps_tag]
        if lost and kept:
            says = f"tags are dropped, as for {', '.join(lost)}; Postfix passed them on to {', '.join(kept)}"
            self.report.say(owner.line, changed(says))
        return not lost

    def _named(self, key: str, owner: VirtualRow) -> None:
        """`@domain @other`: make rows for the names that Postfix knows at the other domain, if that is not ours."""
        domain = key[1:]
        for other in self._onward(owner, domain):
            for local in self._names_at(other):
                address = _parsed(f"{local}@{domain}")
                answer = None if address is None else self.leads.lookups.find(address)
                if address is not None and answer is not None and answer.owner is owner:
                    self._exact(address.key, owner)

    def _onward(self, row: VirtualRow, domain: str) -> list[str]:
        """The domains, except ours, that an address without a row of its own passes through."""
        ours = set(self.leads.box.domains) - {domain}
        found: dict[str, None] = {}
        waiting = [row]
        while waiting:
            for target in waiting.pop().targets:
                if isinstance(target, AtDomain) and target.domain not in {*found, *ours}:
                    found[target.domain] = None
                    answer = self.leads.lookups.domain(target.domain)
                    if answer is not None and isinstance(answer.owner, VirtualRow):
                        waiting.append(answer.owner)
        return list(found)

    def _names_at(self, domain: str) -> Iterator[str]:
        box, lookups = self.leads.box, self.leads.lookups
        names = dict.fromkeys(key.rpartition("@")[0] for key in lookups.rows if key.rpartition("@")[2] == domain)
        if box.asks_bare(domain):
            names.update(dict.fromkeys(key for key in lookups.rows if "@" not in key))
        if box.is_local(domain):
            names.update(dict.fromkeys((*self.leads.aliases, *(name for name in box.mailboxes if "@" not in name))))
        yield from (name for name in names if name)

    def _pattern(self, rule: PatternRule, domain: str, local: str) -> None:
        key = f"@{domain}"
        try:
            destinations = [grouped(lead.text) for lead in self.leads.virtual(rule, key)]
        except EndlessError:
            destinations = []
        self._add_pattern(domain, local, destinations, rule.line)
        if rule.kept_case:
            self.report.say(rule.line, changed("it was case-sensitive; patterns here are not"))

    def _behind_a_pattern(self, key: str, owner: Owner) -> None:
        """Add a pattern for an address with a tag, if another pattern takes the bare address, which so has no row."""
        local, _, domain = key.rpartition("@")
        try:
            leads = self._leads(key, owner)
        except EndlessError:
            leads = []
        pattern = rf"{re.escape(local)}([{re.escape(self.leads.box.delimiter)}].+)"
        self._add_pattern(domain, pattern, [_with_group(lead) for lead in leads], owner.line)

    def _add_pattern(self, domain: str, local: str, destinations: list[str], line: Line) -> None:
        key = f"@{domain}"
        if not destinations:
            off = f"pattern-{line.first}@{domain}"
            row = {"address": off, "destinations": [], "enabled": False, "note": _note(line)}
            self.drafts.setdefault(off, Draft(off, row, [line]))
            says = f"{off} is written disabled, and the pattern leads to it, so that its mail goes to no one else"
            self.report.say(line, impossible(says, "fix its right-hand side and import again"))
            destinations = [off]
        draft = self.drafts.setdefault(key, Draft(key, {"address": key, "destinations": []}, []))
        draft.add_pattern(local, destinations)
        draft.lines.append(line)
        self.report.say(line, taken(f"pattern {local} at {domain}: {', '.join(destinations)}"))

    def _mailboxes(self) -> None:
        """Make rows for the box's mailboxes that --mailbox gives a new home."""
        box = self.leads.box
        for name, home in box.mailboxes.items():
            addresses = [name] if "@" in name else [f"{name}@{domain}" for domain in box.ours]
            for address in filter(None, map(_parsed, addresses)):
                if address.domain in box.domains and self.leads.lookups.find(address) is None:
                    row = {"address": address.key, "destinations": [home]}
                    self.drafts.setdefault(address.key, Draft(address.key, row, []))


def _around(drafts: Mapping[str, Draft]) -> list[str]:
    """The rows in a loop, or between two loops: following rows from them, or back, never ends."""
    onward = {key: _onward(draft, drafts) for key, draft in drafts.items()}
    left = {key for key, keys in onward.items() if keys}
    for _ in range(_MOST_ROUNDS):
        reached = {key for one in left for key in onward[one]}
        kept = {key for key in left if key in reached and onward[key] & left}
        if kept == left:
            break
        left = kept
    return sorted(left)


def switch_off_circles(drafts: dict[str, Draft], report: Report) -> None:
    """Disable each row that leads into a loop or through too many levels.

    Each round keeps the rows that lead to a row kept before, so after as many rounds as there may be levels none
    should be left. A row that leads to itself ends there.
    """
    left = set(drafts)
    onward = {key: _onward(draft, drafts) for key, draft in drafts.items()}
    for _ in range(MAX_DEPTH):
        left = {key for key in left if drafts[key].endless or onward[key] & left}
    for key in sorted(left):
        draft = drafts[key]
        draft.row["enabled"] = False
        if draft.lines:
            draft.row["note"] = _note(draft.lines[0])
        for line in draft.lines:
            says = f"{key} leads into a loop or through more than {MAX_DEPTH} levels; it is written disabled"
            report.say(line, impossible(says, "name the mailbox directly, then enable it"))


def _with_group(lead: Lead) -> str:
    r"""The destination, with \1 for the tag if it is passed on."""
    local, at, domain = lead.text.rpartition("@")
    return rf"{local}\1@{domain}" if lead.keeps_tag and local and at else lead.text


def _note(line: Line) -> str:
    """The note on a disabled row: the line that it was made from."""
    return printable(f"{line.place}: {' '.join(line.text.split())}"[:_NOTE_LENGTH])


def _onward(draft: Draft, drafts: Mapping[str, Draft]) -> set[str]:
    found: set[str] = set()
    for text in draft.row["destinations"]:
        address = _parsed(text)
        if address is not None:
            keys = (address.key, address.untagged.key, f"@{address.domain}")
            found.update([key for key in keys if key in drafts][:1])
    return found - {draft.key}


def _parsed(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except InvalidAddress:
        return None
