"""Address syntax as SES checks it, by JavaMail's InternetAddress, with its error texts.

The errors about the domain were seen on SES [P]; those about dots are JavaMail's since 1.6.2, not seen on SES [U].
"""

import re
from collections.abc import Iterable, Iterator
from email.utils import getaddresses

from .refusals import Account, Refusal, Request, bad_request

_HEADERS = ("From", "Reply-To", "To", "Cc", "Bcc", "Sender")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
# What getaddresses would silently skip.
_BROKEN = (
    (re.compile(r"<[^<>]*>[^,;]*<"), "Extra route-addr"),
    (re.compile(r"(?:^|[<,:])\s*@[^:,]*(?:[>,;]|$)"), "Missing local name"),
    (re.compile(r"@\s*(?:[>,;]|$)"), "Missing final '@domain'"),
    (re.compile(r"<[^<>@]*[^<>@\s][\s\x00-\x1f\x7f]+[^<>@]*@"), "Local address contains control or whitespace"),
    (re.compile(r"<[^<>]*@[^<>]*[\s\x00-\x1f\x7f][^<>]*>"), "Domain contains control or whitespace"),
)
_LOCAL_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"\Z')
_ILLEGAL = re.compile(r'[()<>,;:\\"\[\]@]|[^\x00-\x7f]')
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_LITERAL = re.compile(r"\[[^\[\]]*\]\Z")
_LABELS = re.compile(r"[A-Za-z0-9.-]+\Z")


def addresses(values: Iterable[str]) -> Iterator[str]:
    """The addresses in header values, each read separately: else an open quote in one would close in the next."""
    for value in values:
        yield from (address for _, address in getaddresses([_without_comments(value)]) if address)


def refuse_addresses(request: Request, account: Account) -> Refusal | None:
    """Refuse the first address that SES would not accept."""
    del account
    for value in request.values(*_HEADERS):
        unquoted = _QUOTED.sub('""', _without_comments(value))
        for pattern, fault in _BROKEN:
            if pattern.search(unquoted):
                return bad_request(fault)
    return next((bad_request(fault) for fault in map(_fault, _all(request)) if fault), None)


def refuse_dots(request: Request, account: Account) -> Refusal | None:
    """Refuse the first local part with dots where JavaMail allows none."""
    del account
    return next((bad_request(fault) for fault in map(_dots, _all(request)) if fault), None)


def _all(request: Request) -> Iterator[str]:
    yield from (*request.destinations, request.sender)
    yield from addresses(request.values(*_HEADERS))


def _fault(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at:
        return "Missing final '@domain'"
    if not local:
        return "Missing local name"
    if not domain:
        return "Missing domain"
    return _fault_of_local(local) or _fault_of_domain(domain)


def _fault_of_local(local: str) -> str:
    if _LOCAL_QUOTED.match(local):
        return ""
    if local.startswith('"'):
        return "Unterminated quote" if local.count('"') == 1 else "Quote not at end of local address"
    if '"' in local:
        return "Quote not at start of local address"
    if _CONTROL.search(local):
        return "Local address contains control or whitespace"
    return "Local address contains illegal character" if _ILLEGAL.search(local) else ""


def _fault_of_domain(domain: str) -> str:
    if domain.startswith("["):
        return "" if _LITERAL.match(domain) else "Domain literal not terminated"
    if _CONTROL.search(domain):
        return "Domain contains control or whitespace"
    if not _LABELS.match(domain):
        return "Domain contains illegal character"
    return _of_dots("Domain", domain)


def _dots(address: str) -> str:
    local = address.rpartition("@")[0]
    return "" if local.startswith('"') else _of_dots("Local address", local)


def _of_dots(what: str, text: str) -> str:
    if text.startswith("."):
        return f"{what} starts with dot"
    if text.endswith("."):
        return f"{what} ends with dot"
    return f"{what} contains dot-dot" if ".." in text else ""


def _without_comments(value: str) -> str:
    """The value without its comments at any depth, since getaddresses recurses for each level."""
    if "(" not in value:
        return value
    kept: list[str] = []
    depth, quoted, at = 0, False, 0
    while at < len(value):
        one = value[at]
        if one == "\\":
            kept.append("" if depth else value[at : at + 2])
            at += 2
            continue
        if one == '"' and not depth:
            quoted = not quoted
        if one == "(" and not quoted:
            depth += 1
        if not depth:
            kept.append(one)
        if one == ")" and depth:
            depth -= 1
        at += 1
    return "".join(kept)
