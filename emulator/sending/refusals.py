"""What SES refuses, and how: exception, HTTP status and wording.

Grades as in shared use: [M] botocore's service model, [D] AWS documentation, [P] seen in
production by others. The messages are read here with the standard library's parser and not with
Postern's own, so that one cannot hide the mistakes of the other.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses

MAX_SIZE = 40 * 1024 * 1024  # octets [D] "Service quotas"; whether before or after base64 is open
MAX_RECIPIENTS = 50  # To, Cc and Bcc together [D] "Service quotas"

# [D] "Header fields": each at most once, lower case here.
_ONCE_ONLY = """
    accept-language acceptlanguage archived-at auto-submitted bounces-to comments
    content-alternative content-base content-class content-description content-disposition
    content-duration content-id content-language content-length content-location content-md5
    content-transfer-encoding content-type date delivered-to disposition-notification-options
    disposition-notification-to dkim-signature domainkey-signature errors-to from importance
    in-reply-to keywords list-archive list-help list-id list-owner list-post list-subscribe
    list-unsubscribe message-context message-id mime-version organization original-from
    original-message-id original-recipient original-subject precedence priority references
    reply-to return-path return-receipt-to sender solicitation sensitivity subject thread-index
    thread-topic user-agent vbr-info
"""
ONCE_ONLY = frozenset(_ONCE_ONLY.split())


@dataclass(frozen=True)
class Refusal(Exception):
    """SES's answer to a request it does not carry out."""

    code: str
    status: int
    message: str


@dataclass(frozen=True)
class Request:
    """One SendEmail with raw content."""

    sender: str
    destinations: tuple[str, ...]
    raw: bytes
    configuration_set: str


@dataclass(frozen=True)
class Account:
    """What SES knows of the account: verified domains and addresses, configuration sets."""

    identities: Collection[str]
    configuration_sets: Collection[str]


def check(request: Request, account: Account) -> None:
    """Raises Refusal for the first thing that SES would refuse."""
    _on_demand(request)
    if request.configuration_set and request.configuration_set not in account.configuration_sets:
        name = request.configuration_set
        raise Refusal("NotFoundException", 404, f"Configuration set <{name}> does not exist.")  # [M]
    if len(request.raw) > MAX_SIZE:
        said = f"Message length is more than {MAX_SIZE} bytes long: '{len(request.raw)}'."  # [P]
        raise Refusal("BadRequestException", 400, said)
    header = message_from_bytes(request.raw)
    _check_once_only(header)
    _check_recipients(request, header)
    _check_identities(request, header, account)


def _on_demand(request: Request) -> None:
    """Failure on demand, by the local part of a destination."""
    for destination in request.destinations:
        local = destination.partition("@")[0].lower()
        if local == "temperror":
            raise Refusal("InternalServiceErrorException", 500, "Service failure, asked for by temperror@.")
        if local == "permerror":
            raise Refusal("MessageRejected", 400, "Refused for good, asked for by permerror@.")
        if local == "throttle":
            raise Refusal("TooManyRequestsException", 429, "Maximum sending rate exceeded.")  # [M]


def _check_once_only(header: Message) -> None:
    """[D] "Header fields"; wording [P]: the most frequent refusal in production."""
    seen = Counter(name.lower() for name in header.keys())  # noqa: SIM118 (a Message repeats keys)
    for name in header.keys():  # noqa: SIM118
        if seen[name.lower()] > 1 and name.lower() in ONCE_ONLY:
            raise Refusal("BadRequestException", 400, f"Duplicate header '{name}'.")


def _check_recipients(request: Request, header: Message) -> None:
    """[D] 50; whether To and Cc of the header count is reported both ways, so they do."""
    if not request.destinations:
        raise Refusal("BadRequestException", 400, "Recipient count is 0.")
    if len(request.destinations) + len(list(_addresses(header, "To", "Cc", "Bcc"))) > MAX_RECIPIENTS:
        raise Refusal("BadRequestException", 400, f"Recipient count exceeds {MAX_RECIPIENTS}.")


def _check_identities(request: Request, header: Message, account: Account) -> None:
    """[D] "Verified identities": From, Source, Sender and Return-Path."""
    from_ = list(_addresses(header, "From"))
    if not from_:
        raise Refusal("BadRequestException", 400, "Missing required header 'From'.")
    claimed = [request.sender, *from_, *_addresses(header, "Sender", "Return-Path")]
    unverified = [address for address in claimed if address and not _verified(address, account)]
    if unverified:
        said = ", ".join(dict.fromkeys(unverified))
        raise Refusal(
            "MessageRejected",
            400,
            f"Email address is not verified. The following identities failed the check in region EU-WEST-1: {said}",
        )


def _verified(address: str, account: Account) -> bool:
    """An address is verified by itself or by its domain, or a parent of that [D]."""
    labels = address.rpartition("@")[2].lower().split(".")
    domains = (".".join(labels[start:]) for start in range(len(labels)))
    return address.lower() in account.identities or any(domain in account.identities for domain in domains)


def _addresses(header: Message, *names: str) -> Iterator[str]:
    for name in names:
        for _, address in getaddresses([str(value) for value in header.get_all(name, [])]):
            if address:
                yield address
