"""Address syntax as SES checks it, with the words it uses [P]."""

import re
from collections.abc import Iterable, Iterator
from email.utils import getaddresses

from .refusals import Account, Refusal, Request, bad_request

_HEADERS = ("From", "Reply-To", "To", "Cc", "Bcc", "Sender")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
# What getaddresses would pass over in silence.
_BROKEN = (
    (re.compile(r"<[^<>]*>[^,;]*<"), "Extra route-addr"),
    (re.compile(r"(?:^|[<,:])\s*@[^:,]*(?:[>,;]|$)"), "Missing local name"),
    (re.compile(r"@\s*(?:[>,;]|$)"), "Missing final '@domain'"),
)
_LOCAL = re.compile(r"""(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+|"(?:[^"\\]|\\.)*")\Z""")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Za-z.:]+\])\Z")


def addresses(values: Iterable[str]) -> Iterator[str]:
    """The addresses in header values."""
    for _, address in getaddresses(list(values)):
        if address:
            yield address


def refuse_addresses(request: Request, account: Account) -> Refusal | None:
    """The first address SES would stumble over."""
    del account
    for destination in (*request.destinations, request.sender):
        fault = _fault(destination)
        if fault:
            return bad_request(fault)
    for value in request.values(*_HEADERS):
        unquoted = _QUOTED.sub('""', value)
        for pattern, fault in _BROKEN:
            if pattern.search(unquoted):
                return bad_request(fault)
        for address in addresses([value]):
            fault = _fault(address)
            if fault:
                return bad_request(fault)
    return None


def _fault(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at or not domain:
        return "Missing final '@domain'"
    if not local:
        return "Missing local name"
    if not _LOCAL.match(local):
        return "Local address contains illegal character"
    return "" if _DOMAIN.match(domain) else "Domain contains illegal character"
