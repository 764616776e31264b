"""The API of addy.io, as far as Bitwarden and addy's own browser extension call it: requests and answers.

From their public sources: anonaddy/anonaddy (StoreAliasRequest, AliasController, AliasResource, DomainOptionController,
ApiTokenDetailController), anonaddy/browser-extension (App.vue, createAlias.js), bitwarden/clients
(integration/addy-io.ts, rpc/rest-client.ts), bitwarden/sdk-internal (username_forwarders/addyio.rs). Errors have
Laravel's wording.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .address import alias_key
from .keys import domain_of
from .new_names import CHARACTERS, CUSTOM, FORMATS, fault
from .records import dataclass, field
from .token import Token

ALIASES, DOMAINS, DETAILS, RECIPIENTS = (
    "/api/v1/aliases", "/api/v1/domain-options", "/api/v1/api-token-details", "/api/v1/recipients"
)  # fmt: skip
MOST_DESCRIPTION = 200  # characters
TAKEN = "That alias already exists."
_LIST_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status, and the JSON to send."""

    status: int
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """The JSON text."""
        return json.dumps(self.content)


@dataclass(frozen=True, slots=True)
class Wish:
    """The alias asked for; `local` is "" unless the request names it."""

    form: str
    local: str
    note: str


def bearer(authorization: str) -> str:
    """The token in a header field Authorization, "" if there is none (RFC 6750 2.1)."""
    kind, _, token = authorization.strip().partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def wish(body: str, token: Token) -> Wish | Answer:
    """What a request asks for, or the answer that says what is wrong with it. A request cannot choose where mail
    goes."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):  # not JSON, or nested absurdly deep
        asked = {}
    asked = asked if isinstance(asked, dict) else {}
    wrong = dict(_wrong(asked, token))
    if wrong:
        return refused(wrong)
    form = asked.get("format") or CHARACTERS
    return Wish(form, str(asked["local_part"]).lower() if form == CUSTOM else "", asked.get("description") or "")


def _wrong(asked: Mapping[str, Any], token: Token) -> Iterator[tuple[str, str]]:
    """(field, what is wrong with it), in the order of StoreAliasRequest."""
    domain, description, form = (asked.get(name) for name in ("domain", "description", "format"))
    if not domain:
        yield "domain", "The domain field is required."
    elif not isinstance(domain, str) or domain_of(alias_key(f"@{domain.strip()}")) != token.domain:
        yield "domain", "The selected domain is invalid."
    if description is not None and not _is_text(description):
        yield "description", "The description field must be a string."
    elif len(description or "") > MOST_DESCRIPTION:
        yield "description", f"The description field must not be greater than {MOST_DESCRIPTION} characters."
    if form and form not in FORMATS:
        yield "format", "The selected format is invalid."
    if asked.get("recipient_ids"):
        yield "recipient_ids", "The selected recipients are invalid."
    local = asked.get("local_part")
    if form == CUSTOM and (said := fault(local.lower() if isinstance(local, str) else "")):
        yield "local_part", said


def _is_text(value: object) -> bool:
    """Whether it is text that UTF-8 can encode: JSON can hold half a surrogate pair, which no table stores."""
    return isinstance(value, str) and value == value.encode("utf-8", "ignore").decode()


def refused(wrong: Mapping[str, str]) -> Answer:
    """422, in Laravel's words: the first fault, and how many more there are."""
    first, more = next(iter(wrong.values())), len(wrong) - 1
    rest = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
    return Answer(422, {"message": f"{first}{rest}", "errors": {name: [said] for name, said in wrong.items()}})


def made(address: str, note: str, token: Token, now: float) -> Answer:
    """201 with the new alias. It does not say where the alias leads: a stolen token reveals no mailbox."""
    local, _, domain = address.partition("@")
    at = _time(now)
    nothing = dict.fromkeys(("last_forwarded", "last_blocked", "last_replied", "last_sent", "deleted_at", "from_name"))
    counts = dict.fromkeys(("emails_forwarded", "emails_blocked", "emails_replied", "emails_sent"), 0)
    alias: dict[str, Any] = {
        "id": _uuid(address),
        "user_id": _uuid(token.key),
        "aliasable_id": None,
        "aliasable_type": None,
        "local_part": local,
        "extension": None,
        "domain": domain,
        "email": address,
        "active": True,
        "description": note or None,
        **counts,
        **nothing,
        "recipients": [],
        "created_at": at,
        "updated_at": at,
    }
    return Answer(201, {"data": alias})


def domains(token: Token) -> Answer:
    """The one domain that the token is for."""
    options = {"defaultAliasDomain": token.domain, "defaultAliasFormat": CHARACTERS}
    return Answer(200, {"data": [token.domain], "sharedDomains": [], **options})


def details(token: Token) -> Answer:
    """The token itself."""
    return Answer(200, {"name": token.name, "created_at": _time(token.created_at), "expires_at": None})


def no_aliases() -> Answer:
    """An empty list: the extension shows its list after signing in, and a token can read nothing."""
    links = dict.fromkeys(("first", "last", "prev", "next"))
    meta = {"current_page": 1, "from": None, "last_page": 1, "per_page": _LIST_LENGTH, "to": None, "total": 0}
    return Answer(200, {"data": [], "links": links, "meta": meta})


def no_recipients() -> Answer:
    """An empty list: the token says where mail goes."""
    return Answer(200, {"data": []})


UNAUTHENTICATED = Answer(401, {"message": "Unauthenticated."})
NOT_FOUND = Answer(404, {"message": "There is nothing here."})
TOO_MANY = Answer(429, {"message": "You have reached your daily limit for creating new aliases"})


def forbidden(why: str) -> Answer:
    """403: the token is valid, but cannot create aliases at present."""
    return Answer(403, {"message": why})


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _uuid(text: str) -> str:
    """An id for a text, always the same, in the form of RFC 9562 5.8."""
    found = hashlib.sha256(text.encode()).hexdigest()
    return f"{found[:8]}-{found[8:12]}-8{found[13:16]}-8{found[17:20]}-{found[20:32]}"
