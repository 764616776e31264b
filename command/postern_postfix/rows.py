"""Rows of the alias table from the lines of aliases(5), virtual(5) and pattern tables.

Where a name leads to another name, the row leads to that name's row, so that both can be edited
later. Only where no row answers for a name, because something of virtual(5) does, its destinations
are written in its place.

A line of which nothing comes along becomes a row that is switched off: without it, its mail
would go to the catch-all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.aliases import DISCARD, MAX_DEPTH

from .aliases5 import NamedAlias
from .box import Box
from .owners import Owners
from .patterns import PatternRule, grouped, is_template
from .report import Report, changed, impossible, taken
from .source import Line, printable
from .targets import AtDomain, Bounce, Cannot, Discard, Include, Mailbox, Name, Target, quoted
from .virtual5 import VirtualRow

Included = Callable[[str], Iterable[tuple[Line, tuple[Target, ...]]]]
_NOTE_LENGTH = 200  # characters: enough to find the line again
_UNIX = "give its mailbox elsewhere: {name}: someone@elsewhere.example; then import again"


@dataclass(slots=True)
class Draft:
    """A row to be, and the lines that it comes from."""

    key: str
    row: dict[str, Any]
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target stands: the key of its row, the line that says it, and the names expanded so far."""

    key: str
    line: Line
    in_virtual: bool
    chain: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The domain of the row."""
        return self.key.rpartition("@")[2]

    def within(self, line: Line, name: str, in_virtual: bool = False) -> "Place":
        """The same row, in the middle of what `name` stands for."""
        return Place(self.key, line, in_virtual, (*self.chain, name))


@dataclass(slots=True)
class Drafting:
    """All rows, in the order in which Postfix would ask for them."""

    box: Box
    owners: Owners
    aliases: Mapping[str, NamedAlias]
    foreign: Mapping[str, VirtualRow]  # rows of virtual(5) for addresses that are not ours
    included: Included
    report: Report
    drafts: dict[str, Draft] = field(default_factory=dict)

    def draft(self) -> dict[str, Draft]:
        """Every row; says what became of each line."""
        for key, owner in self.owners.lines.items():
            self._exact(key, owner)
        for rule in self.owners.patterns:
            for domain in sorted(rule.domains):
                self._pattern(rule, domain)
        return self.drafts

    def _exact(self, key: str, owner: VirtualRow | NamedAlias) -> None:
        in_virtual = isinstance(owner, VirtualRow)
        name = "" if isinstance(owner, VirtualRow) else owner.name
        place = Place(key, owner.line, in_virtual, (name,) if name else ())
        destinations = self._all(owner.targets, place)
        keeps_tag = self.box.virtual_keeps_tag if in_virtual else self.box.alias_keeps_tag
        row: dict[str, Any] = {"address": key, "destinations": destinations}
        if destinations and keeps_tag and not key.startswith("@"):
            row["keep_tag"] = True
        if destinations:
            self.report.say(owner.line, taken(f"{key}: {', '.join(destinations)}"))
        else:
            self._switched_off(row, owner.line)
        self.drafts[key] = Draft(key, row, [owner.line])

    def _switched_off(self, row: dict[str, Any], line: Line) -> None:
        row["enabled"] = False
        row["note"] = _note(line)
        says = f"{row['address']} is written switched off, so that its mail does not go to the catch-all"
        self.report.say(line, changed(says))

    def _pattern(self, rule: PatternRule, domain: str) -> None:
        key = f"@{domain}"
        destinations = [grouped(text) for text in self._all(rule.targets, Place(key, rule.line, True))]
        if not destinations:
            instead = "mend its right-hand side; mail that it matched goes on to what follows, and to the catch-all"
            self.report.say(rule.line, impossible(f"nothing to lead to at {domain}", instead))
            return
        draft = self.drafts.setdefault(key, Draft(key, {"address": key, "destinations": []}, []))
        draft.row.setdefault("patterns", []).append({"pattern": rule.local, "destinations": destinations})
        draft.lines.append(rule.line)
        self.report.say(rule.line, taken(f"pattern {rule.local} at {domain}: {', '.join(destinations)}"))
        if rule.kept_case:
            self.report.say(rule.line, changed("it told upper from lower case; patterns here never do"))

    def _all(self, targets: Iterable[Target], place: Place) -> list[str]:
        return list(dict.fromkeys(text for target in targets for text in self._one(target, place)))

    def _one(self, target: Target, place: Place) -> Iterator[str]:
        match target:
            case Cannot(part):
                self.report.say(place.line, part)
            case Discard(why):
                self.report.say(place.line, changed(f"{why} is {DISCARD}"))
                yield DISCARD
            case Bounce(why):
                says = f"{why} told senders that there is no such user; SES has accepted, but an answer may tell them"
                self.report.say(place.line, changed(says))
            case Include(path):
                yield from self._include(path, place)
            case AtDomain(domain):
                yield from self._at_domain(domain, place)
            case Name(local):
                yield from self._name(local, place)
            case Mailbox(address):
                yield from self._mailbox(address, place)

    def _at_domain(self, domain: str, place: Place) -> Iterator[str]:
        if domain == place.domain:
            says = f"@{domain} leads to itself, which leaves the mail to the mailboxes of the box"
            self.report.say(place.line, impossible(says, "lead to addresses, or to another domain"))
        else:
            yield f"@{domain}"

    def _include(self, path: str, place: Place) -> Iterator[str]:
        if path in place.chain or len(place.chain) > MAX_DEPTH:
            self._say_loop(place, path)
            return
        try:
            included = tuple(self.included(path))
        except (OSError, ValueError) as fault:
            instead = "copy the file along and give --root, then import again"
            self.report.say(place.line, impossible(f":include:{path} cannot be read: {fault}", instead))
            return
        self.report.say(place.line, changed(f"the addresses in {path} are written here; edit the row from now on"))
        for line, targets in included:
            inside = place.within(line, path)
            destinations = self._all(targets, inside)
            if line.unreadable:
                self.report.say(line, impossible(line.unreadable, "mend the line or remove it"))
            elif destinations:
                self.report.say(line, taken(f"in {place.key}: {', '.join(destinations)}"))
            elif not targets:
                self.report.say(line, impossible("no address", "mend the line or remove it"))
            yield from destinations

    def _mailbox(self, address: Address, place: Place) -> Iterator[str]:
        if place.in_virtual and address.key == place.key:
            yield from self._itself(address, place)
        elif address.domain in self.box.local and address.domain not in self.box.domains:
            yield from self._name(address.local, place)
        elif address.domain in self.box.domains:
            yield from self._own(address, place)
        elif address.key in self.foreign:
            yield from self._instead(address.key, self.foreign[address.key].targets, place, in_virtual=True)
        elif "." not in address.domain and not address.domain.startswith("["):
            instead = "write the whole domain"
            self.report.say(
                place.line, impossible(f"{address}: mail cannot be sent to a host name without a dot", instead)
            )
        else:
            yield str(address)

    def _own(self, address: Address, place: Place) -> Iterator[str]:
        """An address at one of our domains: aliases(5) asks itself where it is local, virtual(5) starts anew."""
        if not place.in_virtual and address.domain in self.box.local:
            yield from self._alias(address.local, address.domain, place)
        elif self.owners.cover(address) or is_template(address.local):
            yield str(address)
        elif address.domain in self.box.local:
            yield from self._alias(address.local, address.domain, place)
        else:
            says = f"{address}: there is no row for it, and Postfix knew no such address either"
            self.report.say(place.line, impossible(says, "add the address, or remove it here"))

    def _name(self, local: str, place: Place) -> Iterator[str]:
        domain = place.domain if place.domain in self.box.ours else self.box.home
        if place.in_virtual and domain is not None:
            address = _maybe(local, domain)
            if address is not None and address.key == place.key:
                yield from self._itself(address, place)
                return
            if address is not None and (self.owners.cover(address) or is_template(local)):
                yield str(address)
                return
        yield from self._alias(local, domain, place)

    def _itself(self, address: Address, place: Place) -> Iterator[str]:
        """virtual(5): what leads to itself is final, so aliases(5) is next where that holds."""
        if address.domain in self.box.local:
            inside = Place(place.key, place.line, False, place.chain)
            yield from self._alias(address.local, None, inside)
        else:
            says = f"{address} leads to itself, and a virtual alias domain has no mailboxes"
            self.report.say(place.line, impossible(says, "remove it, or give a mailbox elsewhere"))

    def _alias(self, local: str, domain: str | None, place: Place) -> Iterator[str]:
        """A local part as aliases(5) has it: by its row at `domain` if that answers for it, else expanded."""
        name = local.lower()
        alias = self.aliases.get(name) or self.aliases.get(name.partition("+")[0])
        if alias is None or place.chain[-1:] == (alias.name,):
            says = f"{local} was the mailbox of a user of the box, as no other alias has that name"
            self.report.say(place.line, impossible(says, _UNIX.format(name=local)))
            return
        address = _maybe(local, domain) if domain else None
        if address is not None and address.key != place.key and self.owners.exact(address) is alias:
            yield str(address)
        else:
            yield from self._instead(alias.name, alias.targets, place)

    def _instead(self, name: str, targets: tuple[Target, ...], place: Place, in_virtual: bool = False) -> Iterator[str]:
        if name in place.chain or len(place.chain) > MAX_DEPTH:
            self._say_loop(place, name)
            return
        destinations = self._all(targets, place.within(place.line, name, in_virtual))
        if destinations:
            self.report.say(place.line, changed(f"{name} is written here as {', '.join(destinations)}"))
        yield from destinations

    def _say_loop(self, place: Place, name: str) -> None:
        says = f"a circle, or more than {MAX_DEPTH} levels: {' -> '.join((*place.chain, name))}"
        self.report.say(place.line, impossible(says, "lead to the mailbox directly"))


def switch_off_circles(drafts: dict[str, Draft], report: Report) -> None:
    """Switch off each row from which a way leads in a circle or through too many levels.

    In each round those stay that lead to one that stayed, so after as many rounds as there may be
    levels none should be left. A row that leads to itself ends there.
    """
    left = set(drafts)
    onward = {key: _onward(draft, drafts) for key, draft in drafts.items()}
    for _ in range(MAX_DEPTH):
        left = {key for key in left if onward[key] & left}
    for key in sorted(left):
        draft = drafts[key]
        draft.row.update(enabled=False, note=_note(draft.lines[0]))
        for line in draft.lines:
            says = f"{key} leads in a circle or through more than {MAX_DEPTH} levels; it is written switched off"
            report.say(line, impossible(says, "lead to the mailbox directly, then switch it on"))


def _note(line: Line) -> str:
    """What the row was made from, for whoever wonders why it is switched off."""
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


def _maybe(local: str, domain: str) -> Address | None:
    try:
        return quoted(local, domain)
    except InvalidAddress:
        return None
