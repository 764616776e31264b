"""Addresses as we write them: into a header, or into a request to SES.

Reading accepts what people use (`address`, `authors`); writing gives SES what it accepts. SES reads addresses with
JavaMail's InternetAddress: a local part has no empty word between dots, a domain only letters, digits, hyphens and
dots. A local part that is not a dot-atom is quoted (RFC 5322 3.4.1), which SES accepts; a domain cannot be quoted.
"""

import re

from .address import Address

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*\Z")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"\Z')
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Za-z:.-]+\])\Z")


def written(address: Address) -> str:
    """The address with its local part quoted where it must be: `"taro..s"@docomo.example`."""
    local = address.local
    if not (_DOT_ATOM.match(local) or _QUOTED.match(local)):
        content = re.sub(r'(["\\])', r"\\\1", local)
        local = f'"{content}"'
    return f"{local}@{address.domain}"


def is_taken(address: Address) -> bool:
    """Whether SES accepts this address, written this way. It has no SMTPUTF8, and no underscores in domains."""
    return address.local.isascii() and address.local.isprintable() and _DOMAIN.match(address.domain) is not None
