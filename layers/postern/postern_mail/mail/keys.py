"""Keys as people type them, and whether any look-up uses them.

A rule under a key that no look-up uses never applies, and nothing shows it when mail comes: so it is reported when rows
are written and listed. A misspelt key (upper case, `@domain` for a sender) has a correct form.
"""

import re
from collections.abc import Collection

from .address import Address, InvalidAddress, alias_key, spellings
from .envelope import NULL_SENDER
from .records import dataclass
from .rows import HEADER_RULE, LAST_RULE, RESERVED, is_header_rule, is_reserved, rule_key
from .senders import EVERYBODY, EVERYWHERE, PARENT

_NETWORK = re.compile(r"\d+(?:\.\d+){0,3}\.?(?:/\d+)?\Z|[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*(?:/\d+)?\Z")
NEITHER = "this is neither an address nor a domain nor user@"


@dataclass(frozen=True, slots=True)
class NeverAsked:
    """Why no look-up uses a key, and the key most likely meant, "" if there is none."""

    why: str
    instead: str = ""

    def __str__(self) -> str:
        return f"{self.why}; write {self.instead}" if self.instead else self.why


def sender_key(text: str) -> str:
    """A sender of access(5) as look-ups spell it: an address, a domain, `.domain`, `user@`, `<>` or `*`.

    Lower case, domains as A-labels; text without such a form is returned in lower case.
    """
    text = text.strip()
    if text.startswith("."):
        return f".{sender_key(text[1:])}"
    try:
        return Address.parse(text).key if "@" in text else _domain(text)
    except InvalidAddress:
        return text.lower()


def scope_key(text: str) -> str:
    """`*`, or an alias key."""
    return EVERYWHERE if text.strip() == EVERYWHERE else alias_key(text)


def domain_of(key: str) -> str:
    """The domain of an alias key."""
    return key.rpartition("@")[2]


def with_domain(text: str, domains: Collection[str]) -> str:
    """A bare name with the domain added, if there is only one: `info` is `info@example.com`."""
    bare = text.strip()
    if len(domains) != 1 or not bare or "@" in bare or bare.lower() in domains or bare.startswith((".", "*", RESERVED)):
        return text
    return f"{bare}@{next(iter(domains))}"


def in_order(key: str) -> tuple[str, str]:
    """Sort key of aliases: by domain, then by name."""
    return domain_of(key), key


def no_alias(key: str, domains: Collection[str]) -> NeverAsked | None:
    """Why no look-up of the alias table uses a key, None if one may. `domains` are our own."""
    if is_reserved(key):
        return NeverAsked(
            f"no alias begins with {RESERVED}: such items of the table are Postern's own (`postern settings`)"
        )
    canonical = alias_key(key)
    if not _is_alias(canonical):
        bare = canonical.removeprefix(".").removeprefix("*.")
        meant = f"@{bare}" if "." in bare and bare in domains else ""
        return NeverAsked("this is neither a mail address nor @domain", meant)
    if canonical.startswith("*@"):
        return NeverAsked("* has no meaning in a key", canonical[1:])
    domain = domain_of(canonical)
    if domain not in domains:
        why = f"{domain} is not one of our domains, which are {', '.join(sorted(domains)) or 'none'}"
        nearest = _nearest(domain, domains)
        return NeverAsked(why, nearest and f"{canonical.rpartition('@')[0]}@{nearest}")
    return None if key in spellings(canonical) else NeverAsked("keys are in lower case, domains as A-labels", canonical)


def no_sender(key: str, style: str = PARENT) -> NeverAsked | None:
    """Why no look-up of the sender table uses a key, None if one may; `style` is one of PARENT_STYLES."""
    if is_header_rule(key):
        return _no_rule(key.removeprefix(HEADER_RULE))
    return None if key in (NULL_SENDER, EVERYBODY) else _no_sender(key, style)


def _no_sender(key: str, style: str) -> NeverAsked | None:
    if _NETWORK.match(key):
        return NeverAsked("a network is not a sender (block it with an SES IP filter)")
    dot = "" if style == PARENT else "."
    for prefix, why in (
        ("*@", "* has no meaning within a key"),
        ("*.", "* has no meaning within a key"),
        ("@", "@domain is not a key of access(5)"),
    ):
        if key.startswith(prefix):
            below = dot if prefix == "*." else ""
            return NeverAsked(why, f"{below}{sender_key(key.removeprefix(prefix))}")
    if key.startswith(".") and "@" not in key and style == PARENT:
        why = "a key with a leading dot is never used: a domain's key also matches its subdomains"
        return NeverAsked(why, sender_key(key.lstrip(".")))
    canonical = sender_key(key)
    if not _is_sender(canonical):
        return NeverAsked(NEITHER)
    if key in spellings(canonical):
        return None
    return NeverAsked("keys are in lower case, domains as A-labels", canonical)


def _no_rule(number: str) -> NeverAsked | None:
    known = number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= LAST_RULE
    if not known:
        return NeverAsked(f"header rules are {rule_key(1)} to {rule_key(LAST_RULE)}")
    meant = rule_key(int(number))
    return (
        None if meant == f"{HEADER_RULE}{number}" else NeverAsked("the number of a header rule has three digits", meant)
    )


def unasked_aliases(text: str, domains: Collection[str]) -> dict[str, NeverAsked]:
    """Keys that people may have typed for an address, and that no look-up uses."""
    typed = text.rpartition("@")[2]
    keys = (
        text,
        *(f"{prefix}{one}" for one in dict.fromkeys((typed, typed.lower())) for prefix in ("", "*@", ".", "*.")),
    )
    return {key: never for key in keys if _is_storable(key) and (never := no_alias(key, domains))}


def unasked_senders(text: str, style: str = PARENT) -> dict[str, NeverAsked]:
    """Keys that people may have typed for a sender, its domain or one above it, and that no look-up uses."""
    typed = text.rpartition("@")[2]
    names = [
        one.split(".")[-count:] for one in (typed, typed.lower()) for count in range(2, 2 + min(8, one.count(".")))
    ]
    above = dict.fromkeys(".".join(name) for name in names)
    keys = (text, *(f"{prefix}{one}" for one in above for prefix in ("", "@", "*@", ".", "*.")))
    return {key: never for key in keys if _is_storable(key) and (never := no_sender(key, style))}


def _is_storable(key: str) -> bool:
    """Whether DynamoDB accepts it as a sort key: 1 to 1,024 octets."""
    return bool(key) and key.isprintable() and len(key.encode()) <= 1024


def _is_alias(canonical: str) -> bool:
    try:
        Address.parse(f"x{canonical}" if canonical.startswith("@") else canonical)
    except InvalidAddress:
        return False
    return True


def _is_sender(canonical: str) -> bool:
    """Whether this is one of the forms that address_keys of `senders` produces."""
    try:
        if canonical.endswith("@"):
            Address.parse(f"{canonical}x")
        elif "@" in canonical:
            Address.parse(canonical)
        else:
            _domain(canonical.removeprefix("."))
    except InvalidAddress:
        return False
    return True


def _domain(text: str) -> str:
    return Address.parse(f"x@{text}").domain


def _nearest(text: str, known: Collection[str]) -> str:
    import difflib  # noqa: PLC0415 (where something is wrong only)

    return next(iter(difflib.get_close_matches(text, known, 1, 0.8)), "")
