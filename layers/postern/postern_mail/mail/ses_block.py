"""SES's own block: the fields that SES adds at the top of a message it stores. Only this module reads them.

In this order (docs.aws.amazon.com/ses, "Email receiving concepts"; real mail): Return-Path, Received,
X-SES-Spam-Verdict and X-SES-Virus-Verdict if the rule scans, Received-SPF, Authentication-Results, X-SES-RECEIPT,
X-SES-DKIM-SIGNATURE. Below it the sender may have written the same names. What a sender cannot know beforehand is the
message's id, which SES's Received names: a block without it is not SES's.
"""

import re
from collections.abc import Mapping

from .message import Field, Message
from .records import dataclass

AUTHSERV_ID = "amazonses.com"  # in Authentication-Results (RFC 8601 2.2)

_RESULTS = ("received-spf", "authentication-results")
_PREFIX = "x-ses-"
_RECEIPT = "x-ses-receipt"  # always present; only the signature follows it
_SIGNATURE = "x-ses-dkim-signature"

# from HELO (REVERSE [CLIENT]) by inbound-smtp.REGION.amazonaws.com with SMTP id ID for RECIPIENT; DATE
_BY = re.compile(
    rb'\bby inbound-smtp\.[\w.-]+ with SMTP id ([\w-]+)\s+for\s+<?("(?:[^"\\]|\\.)*"@[^\s<>;]+|[^\s<>;]+)>?;'
)
# The client chose the HELO name, and could make it look like everything that follows except the id: so it is parsed
# from the right.
_FROM = re.compile(rb"from (.*) \(([^()]*)\)\s+\Z", re.DOTALL)
_HELO = re.compile(rb"[A-Za-z0-9_.:\[\]-]+\Z")  # a name or an address literal
_CLIENT = re.compile(rb"(?:([A-Za-z0-9_.-]+) )?\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]\Z")
_NO_NAME = "unknown"  # written by mail servers for an address without a name

_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)')
_QUOTED_PAIR = re.compile(rb"\\(.)")
_NAME = re.compile(rb"[^\s;(/]*")


@dataclass(frozen=True, slots=True)
class SesBlock:
    """What SES says about a message it received.

    `trace` is its Received. `client` is the address of the sending server, `helo` its HELO name, `reverse_name` the
    address's own name; each is "" if SES does not write it in the form we know. `helo` is a name or an address literal;
    `raw_helo` is that or whatever else the client sent. `recipient` is one of the envelope's. `fields` are the block's,
    by name.
    """

    trace: Field
    fields: Mapping[str, Field]
    recipient: str
    client: str = ""
    helo: str = ""
    reverse_name: str = ""
    raw_helo: str = ""

    @classmethod
    def of(cls, message: Message, message_id: str) -> "SesBlock | None":
        """Read the block at the top of the message with this id; None if SES did not write one for it."""
        found = _fields(message)
        trace = found.get("received")
        if trace is None:
            return None
        wanted = message_id.encode("ascii", "replace")
        by = next((one for one in _BY.finditer(trace.value) if one[1] == wanted), None)
        if by is None:
            return None
        who = _FROM.match(trace.value[: by.start()])
        said, client = (who[1], _CLIENT.match(who[2])) if who else (b"", None)
        name = _text(client[1] or b"") if client else ""
        return cls(
            trace,
            found,
            recipient=_text(by[2]),
            client=_text(client[2]) if client else "",
            helo=_text(said) if _HELO.match(said) else "",
            reverse_name="" if name.lower() == _NO_NAME else name,
            raw_helo=_text(said),
        )

    @property
    def has_null_sender(self) -> bool:
        """Whether Return-Path is `<>`. The event's `mail.source` in this case is undocumented."""
        return "return-path" in self.fields and not self.source

    @property
    def source(self) -> str:
        """MAIL FROM from Return-Path, "" for the null sender."""
        return self._value("return-path").strip("<> ")

    @property
    def spam(self) -> str:
        """The spam verdict, upper case, "" if SES did not scan."""
        return self._value("x-ses-spam-verdict").upper()

    @property
    def virus(self) -> str:
        """The virus verdict, upper case, "" if SES did not scan."""
        return self._value("x-ses-virus-verdict").upper()

    @property
    def results(self) -> str:
        """The value of Authentication-Results, "" if there is none."""
        return self._value("authentication-results")

    @property
    def findings(self) -> tuple[Field, ...]:
        """Received-SPF and Authentication-Results, where SES wrote them."""
        return tuple(self.fields[name] for name in _RESULTS if name in self.fields)

    def _value(self, name: str) -> str:
        return _text(self.fields[name].value).strip() if name in self.fields else ""


def is_stored(message: Message, message_id: str) -> bool:
    """Whether these bytes can be what SES stored as this message: some field names its id.

    That is less than a block must show, so that mail still flows if SES changes its wording; a message encrypted by a
    receipt rule has no header at all.
    """
    wanted = message_id.encode("ascii", "replace")
    return any(wanted in field.raw for field in message.fields)


def named_id(message: Message) -> str:
    """The id that the first Received names in SES's form, "" if it does not: for a file whose id is unknown."""
    found = next((_BY.search(field.value) for field in message.named("received")), None)
    return _text(found[1]) if found else ""


def passes_for_ses(field: Field) -> bool:
    """Whether this Authentication-Results claims to be SES's; the next reader of the message would trust it as SES's
    (RFC 8601 5)."""
    return field.name == "authentication-results" and _authserv_id(field.value) == AUTHSERV_ID


def _fields(message: Message) -> dict[str, Field]:
    """The fields of the block, {} if it is incomplete: a field that is not SES's, or occurs twice, stands before
    X-SES-RECEIPT."""
    found: dict[str, Field] = {}
    for field in message.fields:
        name = field.name
        if _RECEIPT in found:
            if name == _SIGNATURE and name not in found:
                found[name] = field
            return found
        in_place = (
            not found
            if name == "return-path"
            else found.keys() <= {"return-path"}
            if name == "received"
            else "received" in found and (name in _RESULTS or name.startswith(_PREFIX))
        )
        if name in found or not in_place:
            return {}
        found[name] = field
    return found if _RECEIPT in found else {}


def _authserv_id(value: bytes) -> str:
    """The authserv-id, lower case, as any reader may parse it: without comments, quotes, version or final dot."""
    at = _after_comments(value)
    quoted, plain = _QUOTED.match(value, at), _NAME.match(value, at)
    name = _QUOTED_PAIR.sub(rb"\1", quoted[1]) if quoted else plain[0] if plain else b""
    return _text(name).strip().rstrip(".").lower()


def _after_comments(value: bytes) -> int:
    """The position after the blanks and comments at the start (RFC 5322 3.2.2; they nest)."""
    at = depth = 0
    while at < len(value):
        octet = value[at : at + 1]
        if octet == b"(":
            depth += 1
        elif octet == b")" and depth:
            depth -= 1
        elif octet == b"\\" and depth:
            at += 1
        elif not depth and not octet.isspace():
            break
        at += 1
    return at


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace")
