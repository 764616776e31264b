"""Where a target leads, given its place, as Postfix follows it.

In virtual(5) an address is looked up again until it leads to itself or is not found; then its domain decides. In
aliases(5) a name at a domain of mydestination is another alias. Only other targets go through virtual(5) again: an
address elsewhere, and a member of a list that has an owner or is in a file (local(8), recipient.c).

If the address is ours and its row means the same, the destination is that address, so that the row can be edited
later. Otherwise its targets are written instead.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from postern_mail.mail.address import Address
from postern_mail.mail.aliases import DISCARD, MAX_DEPTH

from .aliases5 import NamedAlias
from .box import Box, Kind
from .lookups import Answer, Lookups
from .mailboxes import lost_mailbox
from .owners import Owners
from .patterns import PatternRule, is_template
from .report import Report, changed, impossible, left_behind, taken, unreadable
from .source import Line
from .targets import AtDomain, Bounce, Cannot, Discard, Include, Mailbox, Name, Target
from .virtual5 import VirtualRow

Included = Callable[[str], Iterable[tuple[Line, tuple[Target, ...]]]]
_ALIAS = "alias "  # prefix of an alias in a chain, which also holds addresses and paths
_UNIX = "give it a new home: --mailbox {name}=someone@elsewhere.example"


class EndlessError(ValueError):
    """virtual(5) is endless here, so cleanup(8) accepts the message for none of its recipients."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A destination; `keeps_tag` says whether Postfix passes the tag of a tagged address on to it."""

    text: str
    keeps_tag: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a target.

    `key` is the key of its row, `line` its line; `asked` is the address whose look-up in virtual(5) led here, "" within
    aliases(5); `by` is the line that answered. `ended` are addresses that lead to themselves, `chain` what was expanded
    on the way, `tag` is appended to each target, and `again` means that a name that is not an alias goes through
    virtual(5).
    """

    key: str
    line: Line
    asked: str
    by: VirtualRow | NamedAlias | PatternRule | None = None
    keeps_tag: bool = False
    keeps_local: bool = False  # the same for @domain, to which a catch-all passes the whole local part
    ended: frozenset[str] = frozenset()
    chain: tuple[str, ...] = ()
    tag: str = ""
    again: bool = False

    @property
    def domain(self) -> str:
        """The domain of the row."""
        return self.key.rpartition("@")[2]

    @property
    def is_generic(self) -> bool:
        """Whether this is about any address of a domain, so that the local part is unknown."""
        return self.asked.startswith("@")


@dataclass(frozen=True, slots=True)
class Leads:
    """Follows targets through all of Postfix's files."""

    box: Box
    owners: Owners
    lookups: Lookups
    aliases: Mapping[str, NamedAlias]
    included: Included
    report: Report
    by_rows: bool = True  # lead to an alias by its row if it has one; else expand it

    def virtual(self, owner: VirtualRow | PatternRule, key: str) -> list[Lead]:
        """Where a line of virtual(5) leads from the row of this key. Raises EndlessError."""
        named = None if key.startswith("@") else Address(*key.rsplit("@", 1))
        ended = frozenset({key} if named is not None and self._holds_itself(owner.targets, named) else ())
        keeps = self.box.virtual_keeps_tag
        place = Place(key, owner.line, key, owner, keeps_tag=keeps, keeps_local=keeps, ended=ended)
        return self.all(owner.targets, place)

    def alias(self, alias: NamedAlias, key: str) -> list[Lead]:
        """Where an alias leads from the row of this key. Raises EndlessError."""
        place = Place(key, alias.line, "", keeps_tag=self.box.alias_keeps_tag)
        return self._expanded(alias, place)

    def all(self, targets: Iterable[Target], place: Place) -> list[Lead]:
        """Where all these targets lead, each destination once."""
        found: dict[str, Lead] = {}
        for target in targets:
            for lead in self._one(target, place):
                known = found.get(lead.text)
                keeps = lead.keeps_tag if known is None else known.keeps_tag or lead.keeps_tag
                found[lead.text] = Lead(lead.text, keeps)
        return list(found.values())

    def _one(self, target: Target, place: Place) -> Iterator[Lead]:
        match target:
            case Cannot(part):
                self.report.say(place.line, part)
            case Discard(why):
                self.report.say(place.line, changed(f"{why} is {DISCARD}"))
                yield Lead(DISCARD, keeps_tag=True)
            case Bounce(why):
                says = f"{why} rejected as unknown; SES has already accepted, but Postern may answer the sender"
                self.report.say(place.line, changed(says))
            case Include(path):
                yield from self._include(path, place)
            case AtDomain(domain):
                yield from self._at_domain(domain, place)
            case Name(local):
                yield from self._completed(local, "", place)
            case Mailbox(address):
                yield from self._completed(address.local, address.domain, place)

    def _completed(self, local: str, domain: str, place: Place) -> Iterator[Lead]:
        """Follow a name or address as trivial-rewrite(8) completes it."""
        whole = "." in domain  # as most are: no need to parse it again
        address = Address(local, domain) if whole else self.box.completed(local, domain)
        if address is None:
            says = f"{local}@{domain or self.box.origin} is not a mail address"
            self.report.say(place.line, impossible(says, "write it as user@domain in ASCII, as SES requires"))
            return
        if self.box.guessed and place.asked and not domain:
            self._say_guess(address, place)
        address = self.box.tagged(address, place.tag)
        if not place.asked and self.box.is_local(address.domain):
            yield from self._local(address, place)
        else:
            yield from self._virtual(address, place)

    def _say_guess(self, address: Address, place: Place) -> None:
        """Report that $myorigin is a guess, and where it matters."""
        self.report.remark(f"bare names in virtual(5) are read at {address.domain}: only main.cf knows $myorigin")
        if self.lookups.find(address) is not None and _internal(address.local) in self.aliases:
            says = f"{address.local} is {address} if $myorigin is that, and the alias {address.local} if it is the host"
            self.report.say(place.line, impossible(says, "give --main-cf, or write the whole address"))

    def _virtual(self, address: Address, place: Place) -> Iterator[Lead]:
        """Follow an address through virtual(5), unless it leads to itself."""
        if is_template(address.local):
            yield from self._template(address, place)
            return
        answer = None if address.key in place.ended else self.lookups.find(address)
        if answer is None or (place.is_generic and answer.owner is place.by):
            yield from self._final(address, place)
        elif address.domain in self.box.domains and not self._is_back(address, answer, place):
            yield Lead(str(address), place.keeps_tag)
        elif self._turns(address.key, replace(place, asked=address.key)):
            ended = place.ended | ({address.key} if self._holds_itself(answer.targets, address) else frozenset())
            tag = answer.tag if self.box.virtual_keeps_tag else ""
            by_name = "" < answer.key[:1] != "@"
            inside = replace(
                place,
                asked=address.key,
                by=answer.owner,
                ended=ended,
                tag=tag,
                keeps_tag=place.keeps_tag and by_name and self.box.virtual_keeps_tag,
                keeps_local=place.keeps_tag,
            )
            chain = (*place.chain, address.key)
            yield from self._instead(address.key, answer.targets, replace(inside, chain=chain))

    def _is_back(self, address: Address, answer: Answer, place: Place) -> bool:
        """Whether the address leads back to the row being written (one that holds its own address ends earlier)."""
        return address.key == place.key and self.owners.lines.get(place.key) is answer.owner

    def _holds_itself(self, targets: Iterable[Target], address: Address) -> bool:
        for target in targets:
            match target:
                case Mailbox(one) if one.key == address.key:
                    return True
                case Name(local):
                    named = self.box.completed(local, "")
                    if named is not None and named.key == address.key:
                        return True
                case AtDomain(domain) if domain == address.domain:
                    return True
        return False

    def _template(self, address: Address, place: Place) -> Iterator[Lead]:
        """Follow an address that a pattern produces, through virtual(5) if it is ours."""
        kind = self.box.kinds(address.domain)
        ours = address.domain in self.box.domains
        rule = None if ours else self._pattern_at(address.domain, place)
        if rule is not None:
            yield from self._instead(str(address), rule.targets, replace(place, by=rule))
        elif ours or kind is Kind.OUTSIDE:
            if any(key.rpartition("@")[2] == address.domain not in self.box.domains for key in self.lookups.rows):
                says = f"virtual(5) has rows at {address.domain}, which do not apply to addresses from a pattern here"
                self.report.say(place.line, impossible(says, "write a row for each address"))
            yield Lead(str(address), place.keeps_tag)
        else:
            says = f"the pattern leads to names on the box, at {address.domain}"
            self.report.say(place.line, impossible(says, "write a row for each"))

    def _pattern_at(self, domain: str, place: Place) -> PatternRule | None:
        """The pattern that takes every address at a domain that is not ours. Reports one that takes only some."""
        for rule in self.lookups.patterns:
            share = rule.share_of(domain)
            if share == "all" and not any(map(_is_template, rule.targets)):
                return rule
            if share != "none":
                says = f"{rule.line.place} may take what the pattern produces at {domain}"
                self.report.say(place.line, impossible(says, "write a row for each address"))
                return None
        return None

    def _final(self, address: Address, place: Place) -> Iterator[Lead]:
        """Follow an address after virtual(5)."""
        kind = self.box.kinds(address.domain)
        if kind is Kind.LOCAL:
            yield from self._local(address, replace(place, asked="", again=False), expanding=not place.asked)
        elif kind is Kind.ALIAS:
            says = f"{address}: it has no row, and Postfix did not know it either"
            self.report.say(place.line, left_behind(says, "add the address, or remove it here"))
        elif address.key in self.box.mailboxes:
            yield Lead(self.box.mailboxes[address.key], keeps_tag=False)
        elif kind is Kind.MAILBOX:
            self.report.say(place.line, lost_mailbox(str(address)))
        elif kind is Kind.OUTSIDE and address.domain in self.box.hosts:
            says = f"{address} is at the box's own name, which is in none of its domain lists"
            self.report.say(place.line, impossible(says, "use a mailbox elsewhere"))
        elif kind is Kind.RELAY:
            says = f"{address} was relayed to a host behind the box"
            self.report.say(place.line, impossible(says, "use a mailbox elsewhere"))
        elif "." not in address.domain and not address.domain.startswith("["):
            says = f"{address}: mail cannot be sent to a host name without a dot"
            self.report.say(place.line, impossible(says, "write the whole domain"))
        else:
            yield Lead(str(address), place.keeps_tag)

    def _at_domain(self, domain: str, place: Place) -> Iterator[Lead]:
        """`@other.example`: the same local part there."""
        if not place.is_generic:
            local = place.asked.rpartition("@")[0]
            yield from self._completed(local, domain, replace(place, tag="", keeps_tag=place.keeps_local))
            return
        answer = self.lookups.domain(domain)
        kind = self.box.kinds(domain)
        if domain == place.domain or domain in place.chain:
            self._say_mailboxes(domain, place)
        elif domain in self.box.domains:
            yield Lead(f"@{domain}", place.keeps_tag)
        elif answer is not None:
            inside = replace(place, by=answer.owner, chain=(*place.chain, domain))
            yield from self._instead(f"@{domain}", answer.targets, inside)
        elif kind is Kind.OUTSIDE and domain not in self.box.hosts:
            yield Lead(f"@{domain}", place.keeps_tag)
        elif kind is Kind.ALIAS:
            self.report.say(place.line, changed(f"@{domain}: becomes a row for each name that virtual(5) has there"))
        else:
            self._say_mailboxes(domain, place)

    def _say_mailboxes(self, domain: str, place: Place) -> None:
        says = f"@{domain} delivered to mailboxes on the box; only the aliases get rows"
        self.report.say(place.line, impossible(says, "give each user a row, or use another domain"))

    def _include(self, path: str, place: Place) -> Iterator[Lead]:
        if not self._turns(path, place):
            return
        try:
            included = tuple(self.included(path))
        except (OSError, ValueError) as fault:
            instead = "copy the file too and give --root, then import again"
            self.report.say(place.line, impossible(f":include:{path} cannot be read: {fault}", instead))
            return
        self.report.say(place.line, changed(f"the addresses in {path} are written here; edit the row from now on"))
        for line, targets in included:
            keeps = place.keeps_tag and self.box.included_keeps_tag
            inside = replace(place, line=line, chain=(*place.chain, path), again=True, keeps_tag=keeps, tag="")
            leads = self.all(targets, inside)
            if line.unreadable:
                self.report.say(line, unreadable(line))
            elif leads:
                self.report.say(line, taken(f"in {place.key}: {_listed(leads)}"))
            elif not targets:
                self.report.say(line, impossible("no address", "fix the line or remove it"))
            yield from leads

    def _local(self, address: Address, place: Place, expanding: bool = True) -> Iterator[Lead]:
        """Follow an address as local(8) does: to the alias of its local part, with or without its tag, else to a
        mailbox.

        An alias that holds its own name means the mailbox; `expanding` says whether one is being expanded.
        """
        name, tag = self.box.split(address.local)
        last = next((one for one in reversed(place.chain) if one.startswith(_ALIAS)), "") if expanding else ""
        alias = next((found for one in (address.local, name) if (found := self.aliases.get(_internal(one)))), None)
        whole = alias is not None and alias.name == _internal(address.local)
        if alias is not None and last != f"{_ALIAS}{alias.name}":
            yield from self._alias(alias, "" if whole else tag, place)
        elif name.lower() in self.box.mailboxes:
            yield Lead(self.box.mailboxes[name.lower()], keeps_tag=False)
        elif place.again and self.lookups.find(address) is not None:
            yield from self._virtual(address, replace(place, asked=address.key))
        else:
            says = f"{name} was the mailbox of a user on the box, since no other alias has that name"
            self.report.say(place.line, impossible(says, _UNIX.format(name=name)))

    def _alias(self, alias: NamedAlias, tag: str, place: Place) -> Iterator[Lead]:
        """Lead to the alias's row if it has one at a domain of ours, else expand the alias."""
        keeps = place.keeps_tag and self.box.alias_keeps_tag
        places = dict.fromkeys((place.domain, self.box.origin, *self.box.ours)) if self.by_rows else ()
        for domain in places:
            address = self.owners.alias_at(alias, domain)
            if address is not None and address.key != place.key:
                keeps_all = self.box.alias_keeps_tag
                named = self.box.tagged(address, tag) if keeps_all else address
                yield Lead(str(named), place.keeps_tag or not keeps_all)
                return
        if self._turns(f"{_ALIAS}{alias.name}", place):
            inside = replace(place, tag=tag if self.box.alias_keeps_tag else "", keeps_tag=keeps)
            leads = self._expanded(alias, inside)
            if leads:
                self.report.say(place.line, changed(f"{alias.name} is written here as {_listed(leads)}"))
            yield from leads

    def _expanded(self, alias: NamedAlias, place: Place) -> list[Lead]:
        has_owner = self.box.owners_hear and f"owner-{alias.name}" in self.aliases
        chain = (*place.chain, f"{_ALIAS}{alias.name}")
        return self.all(alias.targets, replace(place, asked="", ended=frozenset(), chain=chain, again=has_owner))

    def _instead(self, name: str, targets: tuple[Target, ...], place: Place) -> Iterator[Lead]:
        leads = self.all(targets, place)
        if leads:
            self.report.say(place.line, changed(f"{name} is written here as {_listed(leads)}"))
        yield from leads

    def _turns(self, name: str, place: Place) -> bool:
        """Whether it may be expanded here. Reports a loop, and raises EndlessError for one in virtual(5)."""
        if name not in place.chain and len(place.chain) <= MAX_DEPTH:
            return True
        shown = " -> ".join(one.removeprefix(_ALIAS) for one in (*place.chain, name))
        says = f"a loop, or more than {MAX_DEPTH} levels: {shown}"
        self.report.say(place.line, impossible(says, "name the mailbox directly"))
        if place.asked:
            raise EndlessError(says)
        return False


def _is_template(target: Target) -> bool:
    return isinstance(target, Mailbox) and is_template(target.address.local)


def _listed(leads: Iterable[Lead]) -> str:
    return ", ".join(lead.text for lead in leads)


def _internal(local: str) -> str:
    """A local part without its quotes and in lower case, as aliases(5) names are stored."""
    if local.startswith('"') and local.endswith('"'):
        local = local[1:-1].replace("\\", "")
    return local.lower()
