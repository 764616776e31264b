"""The alias table: the destinations of each of our addresses.

Look-up follows virtual(5) over an exact and a pattern map: the exact address with its tag, the domain's patterns in
their order, the address without its tag, the domain's catch-all. A row that is found ends the search, even if it is
disabled or expired: a disabled alias must not fall through to the catch-all. Destinations in our own domains are looked
up again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from .address import RECIPIENT_DELIMITER, Address, InvalidAddress, spellings
from .alias_attributes import ENDING, LEARNED_AT, LEARNING, learning_fields, reply_fields
from .patterns import Pattern
from .records import dataclass, field
from .rows import MADE_BY, BadRow, Row, Rows, check_attributes, epoch, flag, is_reserved, texts
from .verdicts import read_overrides

if TYPE_CHECKING:
    from .endings import Counted, Ending
    from .learning import Learn, Learning

TABLE = "aliases"
DISCARD = "discard:"  # a destination: accept and discard, as /dev/null in aliases(5)
ATTRIBUTES = (  # what a row may have besides its key
    "destinations",
    "enabled",
    "expires_at",
    "keep_tag",
    "patterns",
    "verdicts",
    "reply",
    "also_from",
    "name",
    "note",
    MADE_BY,
    *LEARNING,
    ENDING,
)
_NAMED = 5  # dead ends named in one reason: a group may have thousands
MAX_DEPTH = 10  # levels of aliases within our own domains; more is a mistake


@dataclass(frozen=True, slots=True)
class SameLocalPart:
    """A destination `@other.example`: the same local part at another domain."""

    domain: str


Target = Address | SameLocalPart


@dataclass(frozen=True, slots=True)
class Alias:
    """A parsed row of the alias table. `destinations` leaves out `discard:`."""

    key: str
    destinations: tuple[Target, ...]
    discards: bool = False
    enabled: bool = True
    expires_at: float | None = None
    keep_tag: bool = False
    patterns: tuple[Pattern, ...] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    reply: str = ""  # one of alias_attributes.REPLIES; "" for the setting's default
    also_from: tuple[Address, ...] = ()  # who else may reply, besides the destinations
    name: str = ""  # in From of replies
    learning: "Learning | None" = None  # of a domain's row
    learned: bool = False  # a catch-all wrote it
    ending: "Ending | None" = None

    @classmethod
    def from_row(cls, key: str, row: Row) -> "Alias":
        """Read one row. Raises BadRow, naming it, if any part cannot be parsed."""
        try:
            check_attributes(row, ("address", *ATTRIBUTES))
            listed = texts(row.get("destinations") or ())
            destinations, discards = _targets(listed)
            alias = cls(
                key=key,
                destinations=destinations,
                discards=discards,
                enabled=flag(_or(row.get("enabled"), True)),
                expires_at=epoch(row["expires_at"]) if row.get("expires_at") is not None else None,
                keep_tag=flag(_or(row.get("keep_tag"), False)),
                patterns=_patterns(key, row.get("patterns") or ()),
                verdicts=read_overrides(row.get("verdicts")),
                learned=row.get(LEARNED_AT) is not None,
                **learning_fields(key, row),
                **reply_fields(row),
            )
            if alias.enabled and not listed and not alias.patterns and not alias.learned:
                raise ValueError("it has no destinations")
        except ValueError as fault:
            raise BadRow(TABLE, key, str(fault)) from fault
        return alias

    def goes_on(self, now: float) -> bool:
        """Whether the search continues after this row: it was learned, has no destination of its own, and is in
        force."""
        leads = bool(self.destinations) or self.discards
        return self.learned and not leads and self.enabled and (self.expires_at is None or self.expires_at > now)

    @property
    def is_catch_all(self) -> bool:
        """Whether a domain's row matches every address: a row with only patterns does not."""
        return bool(self.destinations or self.discards or not self.patterns)


@dataclass(frozen=True, slots=True)
class _Found:
    """The row that matches an address, and where it leads.

    `tag` is what its key left over, None if it matched the whole local part; `by_pattern`: the local part chose the
    targets.
    """

    alias: Alias
    targets: tuple[Target, ...]
    discards: bool
    tag: str | None = None
    by_pattern: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """What an address stands for.

    `outcome` is forward, unknown, disabled, expired, discard or error; `matched` the keys that were found, in order;
    `alias` the address that forwards are sent as; `detail` what a person needs to know beyond the outcome, "" if
    nothing; `verdicts` the alias's own answers to SES's verdicts; `derived` the keys of destinations whose local part
    comes from the recipient's, so that a stranger may choose it; `first` the row that was found first; `learned` the
    key of the recipient's row if a catch-all wrote it and still matches it, and `learn` what it is to learn; `counted`
    the row whose messages are counted, if any.
    """

    outcome: str
    matched: tuple[str, ...] = ()
    alias: Address | None = None
    destinations: tuple[Address, ...] = ()
    detail: str = ""
    verdicts: Mapping[str, str] = field(default_factory=dict)
    derived: frozenset[str] = frozenset()
    first: Alias | None = field(default=None, compare=False)
    learned: str = field(default="", compare=False)
    counted: "Counted | None" = field(default=None, compare=False)
    learn: "Learn | None" = field(default=None, compare=False)


def keys(address: Address) -> tuple[str, ...]:
    """The keys under which an address may be found, most specific first."""
    listed = (address.key, address.untagged.key, f"@{address.domain}")
    unique = dict.fromkeys(key for key in listed if not is_reserved(key))
    return tuple(spelled for key in unique for spelled in spellings(key))


def unread(recipients: Iterable[Address], rows: Rows, own_domains: Collection[str], now: float) -> set[str]:
    """Keys that resolving these recipients needs and that have not been read."""
    return way_of(recipients, rows, own_domains, now)[0]


# (alias keys as in `unread`, keys of the outside destinations reached so far, keys of the rows found first)
Way = tuple[set[str], set[str], tuple[str, ...]]


def way_of(recipients: Iterable[Address], rows: Rows, own_domains: Collection[str], now: float) -> Way:
    """How far these recipients can be resolved with the rows read so far."""
    needed: set[str] = set()
    reached: set[str] = set()
    first: dict[str, None] = {}
    for recipient in recipients:
        walk = _Walk(rows, own_domains, now)
        try:
            walk.visit(recipient, ())
        except ValueError:
            continue  # resolve() finds the same fault and reports it
        needed |= walk.unread
        reached |= walk.destinations.keys()
        first.update(dict.fromkeys(walk.matched[:1]))
    return needed, reached, tuple(first)


def resolve(recipient: Address, rows: Rows, own_domains: Collection[str], now: float) -> Resolution:
    """What a recipient stands for; `now` is epoch seconds.

    `rows` holds every key that `unread` names. A bad row, a loop or too many levels does not raise: the outcome is
    `error`, with the row or the chain in `detail`.
    """
    walk = _Walk(rows, own_domains, now)
    try:
        walk.visit(recipient, ())
    except ValueError as fault:
        return Resolution("error", tuple(walk.matched), detail=str(fault))
    if walk.unread:
        raise KeyError(f"alias keys that were never read: {sorted(walk.unread)}")
    return walk.resolution(recipient)


@dataclass(slots=True)
class _Walk:
    """One recipient's way through the table, depth first."""

    rows: Rows
    own_domains: Collection[str]
    now: float
    matched: list[str] = field(default_factory=list)
    destinations: dict[str, Address] = field(default_factory=dict)
    discards: bool = False
    listed: set[str] = field(default_factory=set)  # the destinations that a row names
    dead_ends: list[tuple[str, str]] = field(default_factory=list)  # (address, outcome)
    unread: set[str] = field(default_factory=set)
    visited: set[str] = field(default_factory=set)
    self_mapped: set[str] = field(default_factory=set)
    first: Alias | None = None
    learning: "Learning | None" = None  # of the row that was found first
    learned: Alias | None = None

    def visit(self, address: Address, chain: tuple[str, ...]) -> None:
        if chain and chain[-1] == address.key:
            return  # a self-mapping ends its branch: virtual(5)
        chain = (*chain, address.key)
        if address.key in chain[:-1]:
            if address.key in self.self_mapped:
                return  # and is not expanded again on another path
            raise ValueError(f"alias loop: {' -> '.join(chain)}")
        if len(chain) > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} levels of aliases: {' -> '.join(chain)}")
        if address.key in self.visited:
            return
        found = self._look_up(address)
        if found is not None:
            self._expand(address, found, chain)
        self.visited.add(address.key)

    def _look_up(self, address: Address) -> _Found | None:
        unread = [key for key in keys(address) if key not in self.rows.aliases]
        self.unread.update(unread)
        if unread:
            return None
        found = next(self._answers(address), None)
        if found is None:
            self.dead_ends.append((address.key, "unknown"))
        else:
            self.matched.append(found.alias.key)
            if self.first is None:
                self.first, self.learning = found.alias, None if found.by_pattern else found.alias.learning
        return found

    def _answers(self, address: Address) -> Iterator[_Found]:
        """The rows that match an address, most specific first; the first counts."""
        if (exact := self._alias(address.key)) and not self._goes_on(exact):
            yield _Found(exact, exact.destinations, exact.discards)
        domain = self._alias(f"@{address.domain}")
        if domain is not None:
            yield from self._pattern_answers(address, domain)
        untagged = self._alias(address.untagged.key) if address.untagged != address else None
        if untagged and not self._goes_on(untagged):
            yield _Found(untagged, untagged.destinations, untagged.discards, address.tag)
        if domain and domain.is_catch_all:
            yield _Found(domain, domain.destinations, domain.discards)

    def _goes_on(self, alias: Alias) -> bool:
        goes_on = alias.goes_on(self.now)
        if goes_on and not self.matched:
            self.learned = self.learned or alias
        return goes_on

    def _alias(self, key: str) -> Alias | None:
        for spelled in () if is_reserved(key) else spellings(key):
            row = self.rows.aliases[spelled]
            if row is not None:
                alias: Alias = self.rows.understood.get(spelled) or Alias.from_row(spelled, row)
                self.rows.understood[spelled] = alias
                return alias
        return None

    def _pattern_answers(self, address: Address, domain: Alias) -> Iterator[_Found]:
        for pattern in domain.patterns:
            try:
                expanded = pattern.expand(address.local)
                if expanded is not None:
                    yield _Found(domain, *_targets(expanded), by_pattern=True)
            except ValueError as fault:  # a stranger chose the local part; the row is not at fault
                self.dead_ends.append((address.key, f"unknown (pattern {pattern.text!r}: {fault})"))
                yield _Found(domain, (), discards=False)

    def _expand(self, address: Address, found: _Found, chain: tuple[str, ...]) -> None:
        alias = found.alias
        if not alias.enabled:
            self.dead_ends.append((address.key, "disabled"))
            return
        if alias.expires_at is not None and alias.expires_at <= self.now:
            self.dead_ends.append((address.key, "expired"))
            return
        self.discards |= found.discards
        targets = [_target(address, found, destination) for destination in found.targets]
        if address.key in (target.key for target in targets):
            self.self_mapped.add(address.key)
        for destination, target in zip(found.targets, targets, strict=True):
            if target.domain in self.own_domains:
                self.visit(target, chain)
                continue
            self.destinations.setdefault(target.key, target)
            if not _is_derived(found, destination):
                self.listed.add(target.key)

    def resolution(self, recipient: Address) -> Resolution:
        ends = [f"{address} is {outcome}" for address, outcome in self.dead_ends[:_NAMED]]
        if len(self.dead_ends) > _NAMED:
            ends.append(f"{len(self.dead_ends) - _NAMED} more lead nowhere")
        detail = "; ".join(ends)
        outcome = "unknown"
        if self.destinations:
            outcome = "forward"
        elif self.discards:
            outcome = "discard"
        elif self.dead_ends:
            outcome = self.dead_ends[0][1].partition(" ")[0]
        elif self.matched:
            detail = f"{self.matched[0]} leads only to itself"
        return Resolution(
            outcome=outcome,
            matched=tuple(self.matched),
            alias=_alias_address(recipient, self.matched[0]) if self.matched else None,
            destinations=tuple(self.destinations.values()),
            detail=detail,
            verdicts=self.first.verdicts if self.first else {},
            derived=frozenset(self.destinations.keys() - self.listed),
            first=self.first,
            learned=self.learned.key if self.learned else "",
            counted=_counted(self.learned or self.first),
            learn=self.learning.learn(recipient)
            if self.learning and not self.learned and outcome == "forward"
            else None,
        )

    def _learn(self, recipient: Address) -> "Learn | None":
        return self.learning.learn(recipient) if self.learning is not None and self.learned is None else None


def _counted(row: Alias | None) -> "Counted | None":
    return row.ending.counted(row.key) if row is not None and row.ending is not None else None


def _alias_address(recipient: Address, key: str) -> Address:
    """The row's own address, or the recipient's if the domain's row matched."""
    return Address.parse(recipient.key if key.startswith("@") else key)


def _is_derived(found: _Found, destination: Target) -> bool:
    by_domain = isinstance(destination, SameLocalPart) and found.alias.key.startswith("@")
    return found.by_pattern or by_domain or (found.alias.keep_tag and found.tag is not None)


def _target(address: Address, found: _Found, destination: Target) -> Address:
    if isinstance(destination, SameLocalPart):
        kept = address if found.alias.keep_tag or found.tag is None else address.untagged
        return Address(kept.local, destination.domain)
    if found.alias.keep_tag and found.tag is not None:
        local, quote = destination.local.removesuffix('"'), '"' if destination.local.endswith('"') else ""
        return Address(f"{local}{RECIPIENT_DELIMITER}{found.tag}{quote}", destination.domain)
    return destination


def _targets(listed: Iterable[str]) -> tuple[tuple[Target, ...], bool]:
    """(the destinations, whether `discard:` is among them). Raises ValueError for text that is neither."""
    listed = tuple(listed)
    kept = tuple(_destination(text) for text in listed if text.lower() != DISCARD)
    return kept, len(kept) < len(listed)


def _destination(text: str) -> Target:
    """Parse one destination. Raises ValueError if the text is not one."""
    if text.startswith("@"):
        return SameLocalPart(Address.parse(f"x{text}").domain)
    try:
        return Address.parse(text)
    except InvalidAddress:
        raise ValueError(f"destination {text!r} is not a mail address") from None


def _patterns(key: str, items: object) -> tuple[Pattern, ...]:
    """The patterns of a domain's row; raises ValueError."""
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"patterns: expected a list, found {items!r}")
    if items and not key.startswith("@"):
        raise ValueError("patterns belong in the row of a domain, @domain")
    patterns = tuple(map(Pattern.from_item, items))
    for pattern in patterns:
        _targets(pattern.example())
    return patterns


def _or(value: object, default: bool) -> object:
    """A flag; its default if it is absent or NULL."""
    return default if value is None else value
