"""Header rules: actions by a message's subject, From, To, Cc, list, size, SES's verdicts, and DNS lists.

They are rows of the sender table, with the key `rule:NNN`, in the scopes of sender rules and with their actions. Within
a scope they are tried in the order of their numbers, like a mailbox's filter: OK, REJECT, codes and DISCARD end the
search, DUNNO ends it in its scope, after any other action the next rule is tried. All conditions of a rule must hold.

Anyone can write a header, so an OK counts only with DMARC PASS.

Sender rules come first. If they refuse the message, that decides; their OK does not skip the header rules, as it does
not skip header_checks in Postfix.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .actions import DUNNO, OK
from .address import Address, InvalidAddress
from .authors import decode_phrase
from .envelope import Envelope
from .fields import text_of
from .header import Header
from .patterns import MAX_PATTERN, re2_fault
from .records import dataclass
from .rows import MADE_BY, BadRow, Row, Rows, SenderKey, check_attributes, flag, rule_key
from .senders import EVERYWHERE, TABLE, SenderRule
from .settings import Settings
from .verdicts import SCREENED, STATUSES

if TYPE_CHECKING:
    from .score import Score

FIELDS = {
    "subject": "subject",
    "from": "from",
    "to": "to",
    "cc": "cc",
    "list_id": "list-id",
}  # by condition, of the header
CONTAINS, EQUALS, MATCHES = _PLAIN = ("contains", "equals", "matches")
_NOT = "not_"
OPERATORS = (*_PLAIN, *(f"{_NOT}{one}" for one in _PLAIN))
SIZES = LARGER, SMALLER = ("larger_than", "smaller_than")
CONDITIONS = (*FIELDS, *SIZES, "verdicts", "listed")
ATTRIBUTES = (*CONDITIONS, "action", "note", MADE_BY)  # what a row may have besides its key
MAX_READ = 65_536  # octets of one field, all fields of its name together, that rules read
MOST_TEXTS = 50  # in one condition

_BESIDE = "<>()[],;:\"'"  # punctuation around an address
_COMPILED = 200  # compiled patterns kept from one message to the next


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: `about` is one of CONDITIONS; `how` is contains, equals or matches, the name of a verdict, or "".
    One of several `texts` is enough; if `negated`, none of them may fit."""

    about: str
    how: str = ""
    texts: tuple[str, ...] = ()
    number: int = 0
    negated: bool = False


@dataclass(frozen=True, slots=True)
class HeaderRule(SenderRule):
    """A parsed row of the sender table whose key is `rule:NNN`."""

    conditions: tuple[Condition, ...] = ()

    @classmethod
    def from_row(cls, key: SenderKey, row: Row) -> "HeaderRule":
        """Read one row. Raises BadRow, naming it, if it has no valid condition or action."""
        rule = SenderRule.from_row(key, {"action": row.get("action")})
        try:
            check_attributes(row, ("sender", "scope", *ATTRIBUTES))
            conditions = tuple(
                one for name in CONDITIONS if row.get(name) is not None for one in _read(name, row[name])
            )
            if not conditions:
                raise ValueError(f"it has no condition; there are {', '.join(CONDITIONS)}")
        except ValueError as fault:
            raise BadRow(TABLE, f"{key[0]} in scope {key[1]}", str(fault)) from fault
        return cls(rule.sender, rule.scope, rule.action, conditions)

    def __str__(self) -> str:
        where = "" if self.scope == EVERYWHERE else f" for {self.scope}"
        return f"header {self.sender.replace(':', ' ')}{where}: {self.action}"


class HeaderRules:
    """The header rules, applied to one message: its header is read once, however many aliases it is for.

    `score` is the result of screening, None if nothing was screened: then the message counts as neither listed nor not
    listed.
    """

    def __init__(self, envelope: Envelope, header: Header, rows: Rows, score: "Score | None" = None) -> None:
        self._verdicts, self._header, self._rows = envelope.verdicts, header, rows
        self._listed = score.listed if score is not None else None
        self._numbers = Settings.of(rows).rule_numbers
        self._read: dict[str, tuple[str, ...]] = {}
        self._known: dict[SenderKey, bool] = {}

    def judged(self, scope: str) -> tuple[HeaderRule, ...]:
        """The rules that match for the alias with the key `scope`, in their order. Raises BadRow for one that cannot be
        parsed: the next must not decide in its place."""
        found: list[HeaderRule] = []
        for rule in self._within(scope):
            if found and found[-1].action.word == DUNNO and found[-1].scope == rule.scope:
                continue
            if (rule.action.word == OK and self._verdicts.dmarc != "PASS") or not self._holds(rule):
                continue
            found.append(rule)
            if rule.action.is_final:
                break
        return tuple(found)

    def excess(self, scope: str) -> str:
        """Why a field used by a rule for this alias is too large to read, "" if none is. Raises BadRow."""
        asked = {one.about for rule in self._within(scope) for one in rule.conditions if one.about in FIELDS}
        for name in sorted(asked):
            octets = sum(len(value) for value in self._values(name))
            if octets > MAX_READ:
                return f"{octets} octets of {FIELDS[name]}, more than the {MAX_READ} that header rules are asked about"
        return ""

    def _within(self, scope: str) -> Iterator[HeaderRule]:
        for where in dict.fromkeys((scope, EVERYWHERE)):
            for number in self._numbers:
                key = (rule_key(number), where)
                if self._rows.senders[key] is not None:
                    yield self._understood(key)

    def _understood(self, key: SenderKey) -> HeaderRule:
        name = " ".join(key)
        rule: HeaderRule | None = self._rows.understood.get(name)
        if rule is None:
            row = self._rows.senders[key]
            assert row is not None  # its row was found
            rule = self._rows.understood[name] = HeaderRule.from_row(key, row)
        return rule

    def _holds(self, rule: HeaderRule) -> bool:
        key = (rule.sender, rule.scope)
        if key not in self._known:
            self._known[key] = all(map(self._is, rule.conditions))
        return self._known[key]

    def _is(self, one: Condition) -> bool:
        if one.about in FIELDS:
            return one.negated is not any(_fits(one, text) for text in self._texts(one.about, alone=one.how == EQUALS))
        if one.about == "verdicts":
            return getattr(self._verdicts, one.how) in one.texts
        if one.about == "listed":
            return self._listed is not None and self._listed == bool(one.number)
        size = self._header.size
        return size is not None and (size > one.number if one.about == LARGER else size < one.number)

    def _values(self, name: str) -> tuple[bytes, ...]:
        message = self._header.message
        return tuple(one.value for one in message.named(FIELDS[name])) if message is not None else ()

    def _texts(self, name: str, *, alone: bool) -> tuple[str, ...]:
        """The texts of a field: as it came, as a person reads it, and with `alone` each word that is an address or a
        list's name. Bounded by MAX_READ."""
        key = f"{name} alone" if alone and name != "subject" else name
        if key not in self._read:
            left, texts = MAX_READ, dict[str, None]()
            for value in self._values(name):
                said = text_of(value[:left])
                left -= len(value[:left])
                texts |= dict.fromkeys((said, decode_phrase(said), *(_alone(name, said) if key != name else ())))
            people = self._header.authors if name == "from" and key != name else ()
            self._read[key] = tuple(texts | dict.fromkeys(one.key for one in people))
        return self._read[key]


def _alone(name: str, text: str) -> Iterator[str]:
    """The words that may be an address, or the name of a list, without punctuation around them."""
    mark = "." if name == "list_id" else "@"
    for sign in _BESIDE:
        text = text.replace(sign, " ")
    return (word for word in text.split() if mark in word)


def _fits(one: Condition, text: str) -> bool:
    if one.how == MATCHES:
        return any(_compiled(wanted).search(text) is not None for wanted in one.texts)
    text = text.casefold()
    if one.how == EQUALS:
        return text in one.texts
    return any(wanted in text for wanted in one.texts)


def _read(name: str, value: Any) -> Iterator[Condition]:
    """The conditions of one attribute; raises ValueError."""
    if name == "listed":
        yield Condition(name, number=int(flag(value)))
    elif name in SIZES:
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value != int(value) or value < 0:
            raise ValueError(f"{name}: expected octets, found {value!r}")
        yield Condition(name, number=int(value))
    elif not isinstance(value, Mapping) or not value:
        meant = "verdicts with their statuses" if name == "verdicts" else f"one of {', '.join(OPERATORS)} with a text"
        raise ValueError(f"{name}: expected {meant}, found {value!r}")
    elif name == "verdicts":
        yield from (_verdict(which, said) for which, said in value.items())
    else:
        yield from (_text(name, how, texts) for how, texts in value.items())


def _verdict(which: str, said: Any) -> Condition:
    texts = tuple(one.upper() for one in _listed("verdicts", said))
    if which not in SCREENED:
        raise ValueError(f"verdicts: {which!r} is not one of {', '.join(SCREENED)}")
    for one in texts:
        if one not in STATUSES:
            raise ValueError(f"verdicts: {which} is never {one!r}, but one of {', '.join(STATUSES)}")
    return Condition("verdicts", which, texts)


def _text(name: str, how: str, said: Any) -> Condition:
    if how not in OPERATORS:
        raise ValueError(f"{name}: {how!r} is not one of {', '.join(OPERATORS)}")
    texts, plain, negated = _listed(name, said), how.removeprefix(_NOT), how.startswith(_NOT)
    if plain == MATCHES:
        for one in texts:
            _compiled(one)
        return Condition(name, plain, texts, negated=negated)
    spelled = _addresses(texts) if plain == EQUALS and name in ("from", "to", "cc") else ()
    folded = tuple(dict.fromkeys((*(one.casefold() for one in texts), *spelled)))
    return Condition(name, plain, folded, negated=negated)


def _addresses(texts: tuple[str, ...]) -> Iterator[str]:
    """The texts that are addresses, with the domain as A-labels."""
    for one in texts:
        try:
            yield Address.parse(one).key
        except InvalidAddress:
            continue


def _listed(name: str, said: Any) -> tuple[str, ...]:
    texts = (said,) if isinstance(said, str) else said
    if not isinstance(texts, (list, tuple, set, frozenset)) or not 0 < len(texts) <= MOST_TEXTS:
        raise ValueError(f"{name}: expected a text, or a list of up to {MOST_TEXTS}, found {said!r}")
    if not all(isinstance(one, str) and one for one in texts):
        raise ValueError(f"{name}: expected texts that are not empty, found {said!r}")
    if any(len(one) > MAX_PATTERN for one in texts):
        raise ValueError(f"{name}: a text of more than {MAX_PATTERN} characters")
    return tuple(sorted(texts) if isinstance(texts, (set, frozenset)) else texts)


@lru_cache(maxsize=_COMPILED)
def _compiled(pattern: str) -> Any:
    """Compile with RE2, which takes linear time whatever a stranger writes. `$` does not match inside a field."""
    import re2  # noqa: PLC0415 (only rules with a pattern need it)

    options = re2.Options()
    options.case_sensitive, options.dot_nl, options.log_errors = False, True, False
    try:
        return re2.compile(pattern, options)
    except re2.error as fault:
        raise re2_fault(pattern, fault) from fault
