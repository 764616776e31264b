"""The sender rules: what to do with mail from an address, with the keys and actions of access(5).

All keys in the alias's own scope are tried first, then all in `*`, as two check_sender_access
lines of Postfix would. The sender is the envelope's.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .envelope import Envelope
from .rows import BadRow, Row, Rows, SenderKey

TABLE = "senders"
EVERYWHERE = "*"  # the scope of a rule that holds for all aliases

OK, REJECT, DISCARD, DUNNO = "OK", "REJECT", "DISCARD", "DUNNO"
_DOMAIN_IN_TEXT = re.compile(r"@([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)[^@]*\Z")
_ACTIONS = (OK, REJECT, DISCARD, DUNNO)


@dataclass(frozen=True, slots=True)
class SenderRule:
    """A row of the sender table, understood. `text` is what follows the action, "" if nothing."""

    sender: str
    scope: str
    action: str
    text: str = ""

    @classmethod
    def from_row(cls, key: SenderKey, row: Row) -> "SenderRule":
        """Read one row; raises BadRow, naming it, unless its action is one we act on."""
        typed = row.get("action")
        word, *rest = (typed if isinstance(typed, str) else "").split(None, 1) or [""]
        if word.upper() not in _ACTIONS:
            fault = f"action {typed!r} is none of {', '.join(_ACTIONS)}"
            raise BadRow(TABLE, f"{key[0]} in scope {key[1]}", fault)
        return cls(sender=key[0], scope=key[1], action=word.upper(), text="".join(rest).strip())

    def __str__(self) -> str:
        where = "" if self.scope == EVERYWHERE else f" for {self.scope}"
        return f"sender rule {self.sender}{where}: {self.action}{' ' if self.text else ''}{self.text}"


def search_keys(envelope: Envelope) -> tuple[str, ...]:
    """The keys for an envelope's sender, in the order of access(5).

    user+tag@domain, user@domain, the domain and each parent down to the top level (Postfix's
    default parent_domain_matches_subdomains), user+tag@, user@. The null sender has one key, `<>`;
    text that is no address has itself and what looks like its domain.
    """
    sender = envelope.sender
    if sender is None:
        text = envelope.source.lower()
        domain = _DOMAIN_IN_TEXT.search(text)
        return (text, *(_domain_and_parents(domain[1]) if domain else ()))
    untagged = sender.untagged
    locals_ = (f"{sender.local.lower()}@", f"{untagged.local.lower()}@")
    return tuple(dict.fromkeys((sender.key, untagged.key, *_domain_and_parents(sender.domain), *locals_)))


def keys(envelope: Envelope, scopes: Iterable[str]) -> Iterator[SenderKey]:
    """Every row that could rule this envelope within these scopes and everywhere."""
    senders = search_keys(envelope)
    for scope in (*scopes, EVERYWHERE):
        for sender in senders:
            yield sender, scope


def match(envelope: Envelope, scope: str, rows: Rows) -> SenderRule | None:
    """The rule for this envelope and the alias whose key is `scope`, or None.

    DUNNO ends the search in its own scope only. Raises BadRow if the row that rules cannot be
    understood: the next one must not rule in its place.
    """
    for where in (scope, EVERYWHERE):
        for sender in search_keys(envelope):
            row = rows.senders[sender, where]
            if row is None:
                continue
            rule = SenderRule.from_row((sender, where), row)
            if rule.action != DUNNO:
                return rule
            break
    return None


def _domain_and_parents(domain: str) -> tuple[str, ...]:
    if domain.startswith("["):
        return (domain,)  # an address literal has no parents
    labels = domain.split(".")
    return tuple(".".join(labels[start:]) for start in range(len(labels)))
