"""Host names and addresses as Postfix reads them in its restrictions; tests/postfix compares them with a running one.

They differ from RFC 1123's: Postfix accepts an underscore, and a final dot where it expects a host. Source:
valid_hostname(3).
"""

import re

MAX_NAME, MAX_LABEL = 255, 63  # characters

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\Z")
_DIGITS = re.compile(r"[0-9]+\Z")
_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}\Z")
_IPV6 = "ipv6:"  # prefix of an address literal, RFC 5321 4.1.3


def is_name(text: str) -> bool:
    """Whether this is a host name; one label is enough, but a number is not a name."""
    labels = text.split(".")
    if len(text) > MAX_NAME or all(_DIGITS.match(label) for label in labels):
        return False
    return all(len(label) <= MAX_LABEL and _LABEL.match(label) for label in labels)


def is_qualified(text: str) -> bool:
    """Whether this is a host name with a dot in it."""
    name = undotted(text)
    return "." in name and is_name(name)


def is_host(text: str) -> bool:
    """Whether this is a host name or an address."""
    name = undotted(text)
    return is_name(name) or is_address(name)


def is_literal(text: str) -> bool:
    """Whether the text in square brackets is an address."""
    inside = text[1:-1] if text.endswith("]") and len(text) > 2 else text
    if inside.lower().startswith(_IPV6):
        return _is_ipv6(inside[len(_IPV6) :])
    return _is_ipv4(inside)


def is_address(text: str) -> bool:
    """Whether this is an IPv4 address, or an IPv6 address without brackets."""
    return _is_ipv6(text) if ":" in text else _is_ipv4(text)


def undotted(text: str) -> str:
    """The name without its final dot, unless two dots end it."""
    return text[:-1] if len(text) > 1 and text.endswith(".") and not text.endswith("..") else text


def _is_ipv4(text: str) -> bool:
    octets = text.split(".")
    if len(octets) != 4 or not all(map(_is_octet, octets)):
        return False
    return octets[0].strip("0") != "" or not text.strip("0.")


def _is_octet(text: str) -> bool:
    return _DIGITS.match(text) is not None and len(text.lstrip("0")) <= 3 and int(text[-3:]) <= 255


def _is_ipv6(text: str) -> bool:
    """As in Postfix: the number of groups matters only for its upper limit."""
    groups = text.split(":")
    if not 3 <= len(groups) <= 8 or text.count("::") > 1 or ":::" in text:
        return False
    if (text.startswith(":") and not text.startswith("::")) or (text.endswith(":") and not text.endswith("::")):
        return False
    if "." in groups[-1]:
        return len(groups) <= 7 and all(map(_is_group, groups[:-1])) and _is_ipv4(groups[-1])
    return all(map(_is_group, groups))


def _is_group(text: str) -> bool:
    return not text or _GROUP.match(text) is not None
