"""The rules of SES sending, in the order in which they apply."""

from collections import Counter

from .addresses import addresses, refuse_addresses, refuse_dots
from .mime import refuse_attachments, refuse_charsets, refuse_parameters
from .refusals import Account, Refusal, Request, Rule, bad_request, header_end

MAX_SIZE = 40 * 1024 * 1024  # octets; whether before or after base64 is open
MAX_RECIPIENTS = 50  # To, Cc and Bcc together
MAX_HEADER = 1024 * 1024  # octets; SES has a limit, but its value is not documented
MAX_LINE = 998  # octets without CRLF

_ONCE_ONLY = """
    accept-language acceptlanguage archived-at auto-submitted bounces-to comments
    content-alternative content-base content-class content-description content-disposition
    content-duration content-id content-language content-length content-location content-md5
    content-transfer-encoding content-type date delivered-to disposition-notification-options
    disposition-notification-to dkim-signature domainkey-signature errors-to from importance
    in-reply-to keywords list-archive list-help list-id list-owner list-post list-subscribe
    list-unsubscribe list-unsubscribe-post message-context message-id mime-version organization original-from
    original-message-id original-recipient original-subject precedence priority references
    reply-to return-path return-receipt-to sender solicitation sensitivity subject thread-index
    thread-topic user-agent vbr-info
"""
ONCE_ONLY = frozenset(_ONCE_ONLY.split())

_ON_DEMAND = {
    "temperror": Refusal("InternalServiceErrorException", 500, "Service failure, asked for by temperror@."),
    "permerror": Refusal("MessageRejected", 400, "Refused for good, asked for by permerror@."),
    "throttle": Refusal("TooManyRequestsException", 429, "Maximum sending rate exceeded."),
}


def _on_demand(request: Request, account: Account) -> Refusal | None:
    del account
    locals_ = (destination.partition("@")[0].lower() for destination in request.destinations)
    return next((_ON_DEMAND[local] for local in locals_ if local in _ON_DEMAND), None)


def _account(request: Request, account: Account) -> Refusal | None:
    del request
    if account.throttled:
        return Refusal("TooManyRequestsException", 429, "Maximum sending rate exceeded.")
    return Refusal(account.state, 400, "Sending is not possible for this account.") if account.state else None


def _configuration_set(request: Request, account: Account) -> Refusal | None:
    named = (request.configuration_set, *request.values("X-SES-CONFIGURATION-SET"))
    for name in filter(None, named):
        if name.strip() not in account.configuration_sets:
            return Refusal("NotFoundException", 404, f"Configuration set <{name.strip()}> does not exist.")
    return None


def _size(request: Request, account: Account) -> Refusal | None:
    del account
    if len(request.raw) <= MAX_SIZE:
        return None
    return bad_request(f"Message length is more than {MAX_SIZE} bytes long: '{len(request.raw)}'.")


def _encoded_size(request: Request, account: Account) -> Refusal | None:
    del account
    encoded = -(-len(request.raw) // 3) * 4
    return (
        bad_request(f"Message length is more than {MAX_SIZE} bytes long: '{encoded}'.") if encoded > MAX_SIZE else None
    )


def _lines(request: Request, account: Account) -> Refusal | None:
    del account
    start = 0
    while start < len(request.raw):
        end = request.raw.find(b"\n", start)
        end = len(request.raw) if end < 0 else end
        if end - start > MAX_LINE + 1:
            return bad_request(f"Line length exceeds {MAX_LINE} characters.")
        start = end + 1
    return None


def _header_size(request: Request, account: Account) -> Refusal | None:
    del account
    return bad_request("Header section too long") if header_end(request.raw) > MAX_HEADER else None


def _once_only(request: Request, account: Account) -> Refusal | None:
    del account
    names = list(request.header.keys())
    seen = Counter(name.lower() for name in names)
    for name in names:
        if seen[name.lower()] > 1 and name.lower() in ONCE_ONLY:
            return bad_request(f"Duplicate header '{name}'.")
    return None


def _empty_names(request: Request, account: Account) -> Refusal | None:
    del account
    if any(line.startswith(b":") for line in request.raw[: header_end(request.raw)].splitlines()):
        return bad_request("Empty header names are illegal.")
    return None


def _recipients(request: Request, account: Account) -> Refusal | None:
    del account
    if not request.destinations:
        return bad_request("Recipient count is 0.")
    return bad_request("Recipient count exceeds 50.") if len(request.destinations) > MAX_RECIPIENTS else None


def _header_recipients(request: Request, account: Account) -> Refusal | None:
    del account
    count = len(request.destinations) + len(list(addresses(request.values("To", "Cc", "Bcc"))))
    return bad_request("Recipient count exceeds 50.") if count > MAX_RECIPIENTS else None


def _identities(request: Request, account: Account) -> Refusal | None:
    authors = list(addresses(request.values("From")))
    if not authors:
        return bad_request("Missing required header 'From'.")
    claimed = [request.sender, *authors, *addresses(request.values("Sender", "Return-Path"))]
    unverified = [address for address in claimed if address and not verified(address, account)]
    if not unverified:
        return None
    said = ", ".join(dict.fromkeys(unverified))
    return Refusal(
        "MessageRejected",
        400,
        f"Email address is not verified. The following identities failed the check in region EU-WEST-1: {said}",
    )


def verified(address: str, account: Account) -> bool:
    """Whether an address is verified: itself, its domain, or a parent domain."""
    labels = address.rpartition("@")[2].lower().split(".")
    domains = (".".join(labels[start:]) for start in range(len(labels)))
    return address.lower() in account.identities or any(domain in account.identities for domain in domains)


RULES = (
    Rule("on-demand", "ours", "failure on demand, for tests", _on_demand),
    Rule("account", "M", "AccountSuspended, SendingPaused, TooManyRequests", _account),
    Rule("configuration-set", "M", "NotFoundException; by header: Developer Guide", _configuration_set),
    Rule("size", "D", "Service quotas; wording: aws-sdk-go-v2 #1774", _size),
    Rule("encoded-size", "U", "the same, if 40 MB are meant after base64", _encoded_size, usual=False),
    Rule("line-length", "U", "SendRawEmail: 1000 characters with CRLF; not seen enforced", _lines),
    Rule("header-size", "U", "wording: aws-sdk-php #981; the limit is a guess", _header_size),
    Rule("once-only", "D", "Header fields; wording: aws-lambda-ses-forwarder #8, #11", _once_only),
    Rule("empty-name", "P", "aws-lambda-ses-forwarder #101, #123", _empty_names),
    Rule("recipients", "D", "Service quotas", _recipients),
    Rule("header-recipients", "U", "aws-lambda-ses-forwarder #44 says so, HumbleForwarder #4 not", _header_recipients),
    Rule(
        "address-syntax",
        "P",
        "fx-private-relay #1887, aws-lambda-ses-forwarder #48, #91, aws-sdk-rust #881",
        refuse_addresses,
    ),
    Rule("address-dots", "U", "JavaMail 1.6.2, whose wordings SES has; not seen on SES", refuse_dots),
    Rule("identities", "D", "Verified identities; wording not verified", _identities),
    Rule("mime-parameters", "P", "fx-private-relay #1887: Expected '=', got 'null'", refuse_parameters),
    Rule("charset", "P", "aws-lambda-ses-forwarder #122", refuse_charsets),
    Rule("attachments", "D", "Unsupported attachment types", refuse_attachments),
)


def check(request: Request, account: Account) -> None:
    """Raises Refusal for the first rule that the request breaks."""
    for rule in RULES:
        asked = rule.name not in account.off and (rule.usual or rule.name in account.on)
        refusal = rule.check(request, account) if asked else None
        if refusal is not None:
            raise refusal
