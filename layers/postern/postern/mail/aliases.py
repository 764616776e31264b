"""The alias table: which destinations an address of ours stands for.

Look-up follows virtual(5): the exact address with its tag, the address without its tag, the
domain's row. A row that is found ends the search, also when it is disabled or expired: a
disabled alias must not fall through to the catch-all. Destinations in our own domains are
looked up again.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from .address import RECIPIENT_DELIMITER, Address, InvalidAddress
from .rows import BadRow, Row, Rows, epoch, flag, texts

TABLE = "aliases"
DISCARD = "discard:"  # a destination: accept and throw away, as /dev/null in aliases(5)
MAX_DEPTH = 10  # levels of aliases within our own domains; more is a mistake, not a need

# Attributes that docs/tables.md reserves and this version does not act on. Ignoring one would
# forward mail its owner meant to be treated differently, so a row that has one is refused.
_RESERVED = ("patterns", "verdicts")


@dataclass(frozen=True, slots=True)
class SameLocalPart:
    """A destination `@other.example`: the same local part at another domain."""

    domain: str


@dataclass(frozen=True, slots=True)
class Alias:
    """A row of the alias table, understood. `destinations` leaves out `discard:`."""

    key: str
    destinations: tuple[Address | SameLocalPart, ...]
    discards: bool = False
    enabled: bool = True
    expires_at: float | None = None
    keep_tag: bool = False

    @classmethod
    def from_row(cls, key: str, row: Row) -> "Alias":
        """Read one row; raises BadRow, naming it, if any part cannot be understood."""
        try:
            reserved = [name for name in _RESERVED if row.get(name) is not None]
            if reserved:
                raise ValueError(f"{reserved[0]!r} is not supported yet")
            listed = texts(row.get("destinations", ()))
            alias = cls(
                key=key,
                destinations=tuple(_destination(text) for text in listed if text.lower() != DISCARD),
                discards=any(text.lower() == DISCARD for text in listed),
                enabled=flag(row.get("enabled", True)),
                expires_at=epoch(row["expires_at"]) if row.get("expires_at") is not None else None,
                keep_tag=flag(row.get("keep_tag", False)),
            )
            if alias.enabled and not listed:
                raise ValueError("it has no destinations")
        except ValueError as fault:
            raise BadRow(TABLE, key, str(fault)) from fault
        return alias


@dataclass(frozen=True, slots=True)
class Resolution:
    """What an address stands for.

    `outcome` is forward, unknown, disabled, expired, discard or error; `matched` the keys that
    were found, in order; `alias` the address whose name forwarded mail carries; `detail` says
    what a person needs to know beyond the outcome, "" if nothing.
    """

    outcome: str
    matched: tuple[str, ...] = ()
    alias: Address | None = None
    destinations: tuple[Address, ...] = ()
    detail: str = ""


def keys(address: Address) -> tuple[str, ...]:
    """The keys under which an address may be found, most specific first."""
    return tuple(dict.fromkeys((address.key, address.untagged.key, f"@{address.domain}")))


def unread(recipients: Iterable[Address], rows: Rows, own_domains: Collection[str], now: float) -> set[str]:
    """Keys that resolving these recipients needs and that have not been asked for."""
    needed: set[str] = set()
    for recipient in recipients:
        walk = _Walk(rows, own_domains, now)
        try:
            walk.visit(recipient, ())
        except ValueError:
            continue  # resolve() meets the same fault and reports it
        needed |= walk.unread
    return needed


def resolve(recipient: Address, rows: Rows, own_domains: Collection[str], now: float) -> Resolution:
    """What a recipient stands for; `now` is epoch seconds.

    `rows` holds every key that `unread` names. Never raises for what rows say: a bad row, a
    loop or too many levels is the outcome `error`, with the row or the chain in `detail`.
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
    dead_ends: list[tuple[str, str]] = field(default_factory=list)  # (address, outcome)
    unread: set[str] = field(default_factory=set)
    visited: set[str] = field(default_factory=set)

    def visit(self, address: Address, chain: tuple[str, ...]) -> None:
        if chain and chain[-1] == address.key:
            return  # a self-mapping ends its branch: virtual(5)
        chain = (*chain, address.key)
        if address.key in chain[:-1]:
            raise ValueError(f"alias loop: {' -> '.join(chain)}")
        if len(chain) > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} levels of aliases: {' -> '.join(chain)}")
        if address.key in self.visited:
            return
        alias = self._look_up(address)
        if alias is not None:
            self._expand(address, alias, chain)
        self.visited.add(address.key)

    def _look_up(self, address: Address) -> Alias | None:
        candidates = keys(address)
        unread = [key for key in candidates if key not in self.rows.aliases]
        self.unread.update(unread)
        if unread:
            return None
        for key in candidates:
            row = self.rows.aliases[key]
            if row is not None:
                self.matched.append(key)
                return Alias.from_row(key, row)
        self.dead_ends.append((address.key, "unknown"))
        return None

    def _expand(self, address: Address, alias: Alias, chain: tuple[str, ...]) -> None:
        if not alias.enabled:
            self.dead_ends.append((address.key, "disabled"))
            return
        if alias.expires_at is not None and alias.expires_at <= self.now:
            self.dead_ends.append((address.key, "expired"))
            return
        self.discards |= alias.discards
        for destination in alias.destinations:
            target = _target(address, alias, destination)
            if target.domain in self.own_domains:
                self.visit(target, chain)
            else:
                self.destinations.setdefault(target.key, target)

    def resolution(self, recipient: Address) -> Resolution:
        detail = "; ".join(f"{address} is {outcome}" for address, outcome in self.dead_ends)
        outcome = "unknown"
        if self.destinations:
            outcome = "forward"
        elif self.discards:
            outcome = "discard"
        elif self.dead_ends:
            outcome = self.dead_ends[0][1]
        elif self.matched:
            detail = f"{self.matched[0]} leads only to itself"
        return Resolution(
            outcome=outcome,
            matched=tuple(self.matched),
            alias=_alias_address(recipient, self.matched[0]) if self.matched else None,
            destinations=tuple(self.destinations.values()),
            detail=detail,
        )


def _alias_address(recipient: Address, key: str) -> Address:
    """The row's own address, or the recipient's where the domain's row answered."""
    return Address.parse(recipient.key if key.startswith("@") else key)


def _target(address: Address, alias: Alias, destination: Address | SameLocalPart) -> Address:
    if isinstance(destination, SameLocalPart):
        return Address(address.local, destination.domain)
    if alias.keep_tag and address.tag and alias.key != address.key:
        local, quote = destination.local.removesuffix('"'), '"' if destination.local.endswith('"') else ""
        return Address(f"{local}{RECIPIENT_DELIMITER}{address.tag}{quote}", destination.domain)
    return destination


def _destination(text: str) -> Address | SameLocalPart:
    """Raises ValueError for text that is no destination."""
    if text.startswith("@"):
        return SameLocalPart(Address.parse(f"x{text}").domain)
    try:
        return Address.parse(text)
    except InvalidAddress:
        raise ValueError(f"destination {text!r} is not a mail address") from None
