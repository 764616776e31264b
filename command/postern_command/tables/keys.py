"""The keys of both tables as look-ups spell them: lower case, domains as A-labels.

Text that has no such form is given back in lower case, for `checks` to name.
"""

from postern_mail.mail.address import Address, InvalidAddress, alias_key
from postern_mail.mail.rows import RESERVED, is_reserved
from postern_mail.mail.senders import EVERYWHERE


def sender_key(text: str) -> str:
    """A sender of access(5): an address, a domain, `.domain`, `user@` or `<>`."""
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


def is_alias_key(key: str) -> bool:
    """Whether look-ups can ever ask for this key."""
    if is_reserved(key):
        return False
    try:
        return key == (f"@{_domain(key[1:])}" if key.startswith("@") else Address.parse(key).key)
    except InvalidAddress:
        return False


def reserved_fault(key: str) -> str | None:
    """Why a key may be none of an alias although it looks like one, None if it does not begin so."""
    if not is_reserved(key):
        return None
    return f"no alias begins with {RESERVED}: such items of the table are Postern's own; `postern settings` has them"


def in_order(key: str) -> tuple[str, str]:
    """Aliases are listed by domain, then by name."""
    return domain_of(key), key


def _domain(text: str) -> str:
    return Address.parse(f"x@{text}").domain
