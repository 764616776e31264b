"""Which recipients SES is to accept: the existing addresses, or a whole domain.

An address exists if a row matches it that is neither disabled nor expired. A row that cannot be parsed exists too: its
mail is deferred until the row is fixed, and never refused. Where it leads does not matter.

If an alias takes replies (`mail.replying`), the reply addresses are accepted too.

An address in a rule also matches with a label added, `info+x@` for `info@`, and one with a label only itself
(docs.aws.amazon.com/ses, Developer Guide, "Creating receipt rules"): as our look-up does.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from ..mail.address import alias_key, spellings
from ..mail.aliases import Alias
from ..mail.envelope import TEST_LOCAL
from ..mail.records import dataclass
from ..mail.replying.reserved import reserved_name
from ..mail.rows import BadRow, Row
from ..mail.settings import KEY

# Accepted with or without a row: RFC 5321 4.5.1, RFC 2142 2 and 5, and the address of the daily test.
ALWAYS = ("abuse", "postmaster", TEST_LOCAL)

# RFC 5321 4.1.2: Dot-string and 64 octets (4.5.3.1.1), in lower case, not a label alone. Whether SES accepts anything
# else in a rule is unknown, so any other address opens its whole domain.
_PLAIN = re.compile(r"(?!\+)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_MAX_LOCAL = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """The recipients of all our rules together; `whole` are the domains accepted whole, each with its reason."""

    recipients: frozenset[str]
    whole: Mapping[str, str]


def wanted(rows: Mapping[str, Row], domains: Collection[str], now: float, room: int) -> Wanted:
    """The recipients that the rules should name; `rows` is the whole alias table by key, and the settings, `room` how
    many recipients fit.

    A domain is accepted whole if its own row matches any address, if SES may not accept one of its addresses in a rule,
    or if it has too many of them: the largest domain first.
    """
    replies = reserved_name(rows, rows.get(KEY))
    always = (*ALWAYS, replies) if replies else ALWAYS
    literals = {domain: {f"{local}@{domain}" for local in always} for domain in domains}
    whole: dict[str, str] = {}
    for key in _existing(rows, now):
        local, _, domain = key.rpartition("@")
        if domain not in literals:
            continue
        if not local:
            whole[domain] = f"row {key} answers for every address"
        elif len(local) > _MAX_LOCAL or not _PLAIN.match(local):
            whole.setdefault(domain, f"row {key} is not an address for a receipt rule")
        else:
            literals[domain].add(key)
    named = {domain: keys for domain, keys in literals.items() if domain not in whole}
    for domain in _too_large(named, len(whole), room):
        whole[domain] = f"its {len(named.pop(domain))} addresses do not fit into the rules"
    return Wanted(frozenset(whole).union(*named.values()), whole)


def _existing(rows: Mapping[str, Row], now: float) -> Iterator[str]:
    """The keys, as A-labels, of the rows that a look-up finds and that are in force."""
    found: dict[str, str] = {}  # canonical key -> the spelling whose row is used
    for key in rows:
        canonical = alias_key(key)
        if "@" in key and key in spellings(canonical) and found.get(canonical) != canonical:
            found[canonical] = key
    for canonical, key in found.items():
        if _in_force(key, rows[key], now):
            yield canonical


def _in_force(key: str, row: Row, now: float) -> bool:
    try:
        alias = Alias.from_row(key, row)
    except BadRow:
        return True  # deferred at look-up: refusing would lose mail that a fixed row delivers
    return alias.enabled and (alias.expires_at is None or alias.expires_at > now)


def _too_large(named: Mapping[str, Collection[str]], others: int, room: int) -> Iterator[str]:
    """The domains to accept whole, each as one recipient, so that the rest fits."""
    sizes = {domain: len(keys) for domain, keys in named.items()}
    total = others + sum(sizes.values())
    for domain in sorted(sizes, key=lambda one: (-sizes[one], one)):
        if total <= room:
            return
        total -= sizes[domain] - 1
        yield domain
