"""The sender rules: what to do with mail from an address, with the keys and actions of access(5).

All keys in the alias's own scope are tried first, then all in `*`, as with two check_sender_access lines in Postfix.
The key `*` matches every sender, and is the last of its scope, like the action after the map in `check_sender_access
hash:/etc/postfix/team, reject`. The sender is the envelope's; only if no rule is found for it, the authors in the
header's From are tried, which anyone can forge.
"""

import re
from collections.abc import Collection, Iterable, Iterator

from .actions import BCC, OK, PREPEND, REDIRECT, TAG, Action
from .address import Address, spellings
from .envelope import Envelope
from .records import dataclass
from .rows import MADE_BY, BadRow, Row, Rows, SenderKey, check_attributes, is_header_rule

TABLE = "senders"
EVERYWHERE = "*"  # the scope of a rule for all aliases
EVERYBODY = "*"  # the key of a rule for every sender without a rule of its own in the same scope
ATTRIBUTES = ("action", "reject", "note", MADE_BY)  # what a row may have besides its key
MAX_AUTHORS = 25  # authors of a From that are looked up: a stranger chooses how many it has
MAX_LABELS = 10  # trailing parts of a domain that get a key each, including the whole domain: a name may have 126
_KEYS, _FEW, _KEYS_EACH = 200, 5, 40  # look-ups for a message with up to 5 recipients, and for each further one
ROBOT = "(robots)"  # marks the domain of automatic messages
_ALIAS_KEYS = 6  # keys of one recipient at most: three, each in two spellings

# Whether a key also matches its subdomains (Postfix's parent_domain_matches_subdomains, the default), or only a key
# with a leading dot does.
PARENT, DOT = PARENT_STYLES = ("parent", "dot")

_DOMAIN_IN_TEXT = re.compile(r"@([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)[^@]*\Z")


@dataclass(frozen=True, slots=True)
class SenderRule:
    """A parsed row of the sender table."""

    sender: str
    scope: str
    action: Action

    @classmethod
    def from_row(cls, key: SenderKey, row: Row) -> "SenderRule":
        """Read one row. Raises BadRow, naming it, unless its action is one of ours."""
        try:
            check_attributes(row, ("sender", "scope", *ATTRIBUTES))
            return cls(sender=key[0], scope=key[1], action=Action.parse(typed_action(row)))
        except ValueError as fault:
            raise BadRow(TABLE, f"{key[0]} in scope {key[1]}", str(fault)) from fault

    def check_target(self, own_domains: Collection[str]) -> None:
        """Raises BadRow if the rule leads to an address of our own, which would not be looked up again."""
        address = self.action.address
        if address is not None and address.domain in own_domains:
            fault = f"{self.action.word} to {address}, an address of our own, which is not looked up again"
            raise BadRow(TABLE, f"{self.sender} in scope {self.scope}", fault)

    def __str__(self) -> str:
        where = "" if self.scope == EVERYWHERE else f" for {self.scope}"
        return f"sender rule {self.sender}{where}: {self.action}"


def typed_action(row: Row) -> object:
    """The action in the row. `reject`, instead of `action`, is the text of a REJECT: signed links write such rules for
    people, and have no right to write another. Raises ValueError for a row with both."""
    if row.get("reject") is None:
        return row.get("action")
    if row.get("action") is not None:
        raise ValueError("it has both action and reject")
    return f"REJECT {row['reject']}".strip()


@dataclass(frozen=True, slots=True)
class Senders:
    """The senders of a message, as keys to search in this order.

    `envelope` are the keys of MAIL FROM, `authors` those of each author in the header. `vouched`: DMARC passed, so the
    author's domain vouches for From. `unseen` is the number of further authors.
    """

    envelope: tuple[str, ...]
    authors: tuple[tuple[str, ...], ...] = ()
    vouched: bool = False
    unseen: int = 0

    @classmethod
    def of(cls, envelope: Envelope, authors: Iterable[Address] = (), style: str = PARENT) -> "Senders":
        """The keys for a message, for as many authors as `most_keys` allows; `style` is one of PARENT_STYLES."""
        unique = tuple({author.key: author for author in authors}.values())
        by_envelope = envelope_keys(envelope, style)
        scopes = len(envelope.recipients) + 1
        room = (most_keys(len(envelope.recipients)) - _ALIAS_KEYS * len(envelope.recipients) - 1) // scopes
        seen: list[tuple[str, ...]] = []
        keys = set(by_envelope)
        for author in unique[:MAX_AUTHORS]:
            more = address_keys(author, style)
            keys.update(more)
            if len(keys) > room:
                break
            seen.append(more)
        return cls(
            envelope=by_envelope,
            authors=tuple(seen),
            vouched=envelope.verdicts.dmarc == "PASS",
            unseen=len(unique) - len(seen),
        )

    def keys(self, scopes: Iterable[str]) -> Iterator[SenderKey]:
        """Every row that could apply to this message within these scopes and everywhere."""
        unique = dict.fromkeys((*self.envelope, *(key for keys in self.authors for key in keys)))
        for scope in (*scopes, EVERYWHERE):
            for sender in unique:
                yield sender, scope


@dataclass(frozen=True, slots=True)
class Ruling:
    """The rules that match a sender, in their order; empty also for DUNNO."""

    rules: tuple[SenderRule, ...] = ()
    by_header: bool = False

    def first(self, *words: str) -> SenderRule | None:
        """The first rule with one of these actions."""
        return next((rule for rule in self.rules if rule.action.word in words), None)

    @property
    def final(self) -> SenderRule | None:
        """The rule that ended the search, None if none did; a refusal by the header comes before an OK by the
        sender."""
        found = [rule for rule in self.rules if rule.action.is_final]
        return next((rule for rule in found if rule.action.word != OK), found[0] if found else None)

    @property
    def redirect(self) -> Address | None:
        """The address that gets the mail instead: Postfix uses the last."""
        found = [rule.action.address for rule in self.rules if rule.action.word == REDIRECT]
        return found[-1] if found else None

    @property
    def copies(self) -> tuple[Address, ...]:
        """The addresses that get a copy."""
        return tuple(r.action.address for r in self.rules if r.action.word == BCC and r.action.address)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags for the subject."""
        return tuple(dict.fromkeys(rule.action.text for rule in self.rules if rule.action.word == TAG))

    @property
    def prepended(self) -> tuple[str, ...]:
        """The header lines to add."""
        return tuple(rule.action.text for rule in self.rules if rule.action.word == PREPEND)

    def __str__(self) -> str:
        by = " (by header From)" if self.by_header else ""
        return "; ".join(f"{rule}{'' if is_header_rule(rule.sender) else by}" for rule in self.rules)


def counted_as(envelope: Envelope, *, robot: bool = False) -> str:
    """The sender that a message counts for: MAIL FROM's domain if SPF passed, else the domain with a mark, because it
    can be forged; "" if there is none. Messages of a `robot` count apart, so that they take no person's quota."""
    domain = envelope.sender.domain if envelope.sender is not None else ""
    domain = f"{domain} {ROBOT}".lstrip() if robot else domain
    return domain if envelope.verdicts.spf == "PASS" or not domain else f"?{domain}"


def most_keys(recipients: int) -> int:
    """How many keys of both tables are looked up for a message with this many recipients, not counting levels of
    aliases and the health of destinations, which the owner controls."""
    return _KEYS + _KEYS_EACH * max(0, recipients - _FEW)


def leads_to(rows: Rows) -> set[str]:
    """Keys of all addresses that a rule among these rows would send to, whether it matches or not."""
    found: set[str] = set()
    for row in rows.senders.values():
        try:
            action = Action.parse(typed_action(row)) if row is not None else None
        except ValueError:
            continue  # judge() finds the same fault if the rule matches, and reports it
        if action is not None and action.address is not None:
            found.add(action.address.key)
    return found


def envelope_keys(envelope: Envelope, style: str = PARENT) -> tuple[str, ...]:
    """The keys for an envelope's sender, the catch-all `*` last. The null sender is `<>`; text that is not an address
    is a key itself, as is what looks like its domain."""
    if envelope.sender is not None:
        return (*address_keys(envelope.sender, style), EVERYBODY)
    text = envelope.source.lower()
    domain = _DOMAIN_IN_TEXT.search(text)
    itself = () if is_header_rule(text) else (text,)
    return (*itself, *(_domains(domain[1], style) if domain else ()), EVERYBODY)


def address_keys(sender: Address, style: str = PARENT) -> tuple[str, ...]:
    """The keys for an address, in the order of access(5): user+tag@domain, user@domain, the domain and the domains
    above it up to the top level, user+tag@, user@."""
    untagged = sender.untagged
    locals_ = (f"{sender.local.lower()}@", f"{untagged.local.lower()}@")
    unique = dict.fromkeys((sender.key, untagged.key, *_domains(sender.domain, style), *locals_))
    return tuple(spelled for key in unique for spelled in spellings(key))


def judge(senders: Senders, scope: str, rows: Rows, own_domains: Collection[str]) -> Ruling:
    """The rules for a message and the alias with the key `scope`.

    DUNNO, and every action that is not final, ends the search in its own scope only. Raises BadRow if a matching row
    cannot be parsed: the next one must not decide in its place.
    """
    found = _search(senders.envelope, scope, rows, own_domains)
    if found:
        return Ruling(found)
    for keys in senders.authors:
        # Anyone can forge a From that has an OK.
        found = _search(keys, scope, rows, own_domains, ignored=() if senders.vouched else (OK,))
        if found:
            return Ruling(found, by_header=True)
    return Ruling()


def _search(
    keys: Iterable[str], scope: str, rows: Rows, own_domains: Collection[str], ignored: Collection[str] = ()
) -> tuple[SenderRule, ...]:
    found: list[SenderRule] = []
    for where in dict.fromkeys((scope, EVERYWHERE)):
        key = next(((sender, where) for sender in keys if rows.senders[sender, where] is not None), None)
        if key is None:
            continue
        rule = _understood(key, rows, own_domains)
        if rule.action.word in ignored:
            continue
        found.append(rule)
        if rule.action.is_final:
            break
    return tuple(found)


def _understood(key: SenderKey, rows: Rows, own_domains: Collection[str]) -> SenderRule:
    row = rows.senders[key]
    assert row is not None  # its row was found
    rule = SenderRule.from_row(key, row)
    rule.check_target(own_domains)
    return rule


def _domains(domain: str, style: str) -> tuple[str, ...]:
    """A domain and the keys above it: parents, or parents with a dot, up to those next to the top level."""
    if domain.startswith("["):
        return (domain,)  # an address literal has no parents
    labels = domain.split(".")
    dot = "." if style == DOT else ""
    return (
        domain,
        *(dot + ".".join(labels[start:]) for start in range(max(1, len(labels) - MAX_LABELS + 1), len(labels))),
    )
