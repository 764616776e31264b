"""Which recipients SES is to take: the addresses that exist, or a domain whole.

An address exists if a row answers for it that is neither disabled nor expired. A row that cannot
be understood exists too: its mail is deferred until the row is mended, and never refused. Where it
leads is not asked.

Where an alias takes replies (`mail.replying`), the name of reply addresses is one more.

An address in a rule also matches with a label added, `info+x@` for `info@`, and one with a label
only itself (docs.aws.amazon.com/ses, Developer Guide, "Creating receipt rules"): as our look-up does.
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

# Taken whether or not they have a row: RFC 5321 4.5.1, RFC 2142 2 and 5, and where the daily test is sent.
ALWAYS = ("abuse", "postmaster", TEST_LOCAL)

# RFC 5321 4.1.2: Dot-string and 64 octets (4.5.3.1.1), in lower case, no label alone. Whether SES
# takes anything else in a rule is not known, so an address that is none of these opens its domain.
_PLAIN = re.compile(r"(?!\+)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_MAX_LOCAL = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """The recipients of all our rules together; `whole` are the domains among them, each with its reason."""

    recipients: frozenset[str]
    whole: Mapping[str, str]


def wanted(rows: Mapping[str, Row], domains: Collection[str], now: float, room: int) -> Wanted:
    """What the rules should say; `rows` is the whole alias table by key, and the settings, `room` how many recipients
    fit.

    A domain is taken whole if its own row answers for any address, if one of its addresses may be
    none that SES takes in a rule, or if there are too many of them: the largest domain first.
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
            whole.setdefault(domain, f"row {key} is no address for a receipt rule")
        else:
            literals[domain].add(key)
    named = {domain: keys for domain, keys in literals.items() if domain not in whole}
    for domain in _too_large(named, len(whole), room):
        whole[domain] = f"its {len(named.pop(domain))} addresses do not fit into the rules"
    return Wanted(frozenset(whole).union(*named.values()), whole)


def _existing(rows: Mapping[str, Row], now: float) -> Iterator[str]:
    """The keys, as A-labels, of the rows that a look-up finds and that are in force."""
    found: dict[str, str] = {}  # canonical key -> the spelling whose row counts
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
        return True  # deferred at look-up: to refuse it would lose what mending the row delivers
    return alias.enabled and (alias.expires_at is None or alias.expires_at > now)


def _too_large(named: Mapping[str, Collection[str]], others: int, room: int) -> Iterator[str]:
    """The domains to be taken whole so that the rest fits, each of them one recipient then."""
    sizes = {domain: len(keys) for domain, keys in named.items()}
    total = others + sum(sizes.values())
    for domain in sorted(sizes, key=lambda one: (-sizes[one], one)):
        if total <= room:
            return
        total -= sizes[domain] - 1
        yield domain
