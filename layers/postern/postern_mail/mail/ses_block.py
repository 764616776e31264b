"""SES's own block: the fields that SES puts on top of a message it stores. It is read here and nowhere else.

In this order (docs.aws.amazon.com/ses, "Email receiving concepts"; real mail): Return-Path, Received,
X-SES-Spam-Verdict and X-SES-Virus-Verdict where the rule scans, Received-SPF, Authentication-Results,
X-SES-RECEIPT, X-SES-DKIM-SIGNATURE. Below it the sender can have written the same names. What a sender cannot
know beforehand is the message's id, which SES's Received names: a block without it is not SES's.
"""

import re
from collections.abc import Mapping

from .message import Field, Message
from .records import dataclass

AUTHSERV_ID = "amazonses.com"  # in Authentication-Results (RFC 8601 2.2)

_RESULTS = ("received-spf", "authentication-results")
_PREFIX = "x-ses-"
_RECEIPT = "x-ses-receipt"  # always there; only the signature follows it
_SIGNATURE = "x-ses-dkim-signature"

# from HELO (REVERSE [CLIENT]) by inbound-smtp.REGION.amazonaws.com with SMTP id ID for RECIPIENT; DATE
_BY = re.compile(
    rb'\bby inbound-smtp\.[\w.-]+ with SMTP id ([\w-]+)\s+for\s+<?("(?:[^"\\]|\\.)*"@[^\s<>;]+|[^\s<>;]+)>?;'
)
# The client chose the HELO name, and could have it look like all that follows but the id: so it is read from the right.
_FROM = re.compile(rb"from (.*) \(([^()]*)\)\s+\Z", re.DOTALL)
_HELO = re.compile(rb"[A-Za-z0-9_.:\[\]-]+\Z")  # a name or an address literal
_CLIENT = re.compile(rb"(?:([A-Za-z0-9_.-]+) )?\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]\Z")
_NO_NAME = "unknown"  # how mail servers write that an address has no name

_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)')
_QUOTED_PAIR = re.compile(rb"\\(.)")
_NAME = re.compile(rb"[^\s;(/]*")


@dataclass(frozen=True, slots=True)
class SesBlock:
    """What SES says of a message it received.

    `trace` is its Received. `client` is the address of the server that brought the message, `helo` what that
    called itself, `reverse_name` what the address is called; each is "" where SES does not write it in the form
    we know. `helo` is a name or an address literal; `helo_said` is that or whatever else the client said.
    `recipient` is one of the envelope's. `fields` are those of the block by their names.
    """

    trace: Field
    fields: Mapping[str, Field]
    recipient: str
    client: str = ""
    helo: str = ""
    reverse_name: str = ""
    helo_said: str = ""

    @classmethod
    def of(cls, message: Message, message_id: str) -> "SesBlock | None":
        """Read the block on top of the message with this id; None if SES did not write one for it."""
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
            helo_said=_text(said),
        )

    @property
    def has_null_sender(self) -> bool:
        """Whether Return-Path is `<>`. What `mail.source` of the event is then is not documented."""
        return "return-path" in self.fields and not self.source

    @property
    def source(self) -> str:
        """MAIL FROM as Return-Path has it, "" for the null sender."""
        return self._value("return-path").strip("<> ")

    @property
    def spam(self) -> str:
        """The verdict, upper case, "" where SES did not scan."""
        return self._value("x-ses-spam-verdict").upper()

    @property
    def virus(self) -> str:
        """The verdict, upper case, "" where SES did not scan."""
        return self._value("x-ses-virus-verdict").upper()

    @property
    def results(self) -> str:
        """The value of Authentication-Results, "" if there is none."""
        return self._value("authentication-results")

    @property
    def findings(self) -> tuple[Field, ...]:
        """Received-SPF and Authentication-Results, as far as SES wrote them."""
        return tuple(self.fields[name] for name in _RESULTS if name in self.fields)

    def _value(self, name: str) -> str:
        return _text(self.fields[name].value).strip() if name in self.fields else ""


def is_stored(message: Message, message_id: str) -> bool:
    """Whether these bytes can be what SES stored as this message: some field names it.

    That is less than a block must show, so that mail still comes when SES changes its words; what a receipt rule
    encrypted has no header at all.
    """
    wanted = message_id.encode("ascii", "replace")
    return any(wanted in field.raw for field in message.fields)


def named_id(message: Message) -> str:
    """The id that the first Received names in SES's form, "" if it does not: for a file whose id is not known."""
    found = next((_BY.search(field.value) for field in message.named("received")), None)
    return _text(found[1]) if found else ""


def passes_for_ses(field: Field) -> bool:
    """Whether this Authentication-Results is in SES's name; who reads the message next would believe it to be
    SES's (RFC 8601 5)."""
    return field.name == "authentication-results" and _authserv_id(field.value) == AUTHSERV_ID


def _fields(message: Message) -> dict[str, Field]:
    """The fields of the block, {} if it is not whole: a field that is not SES's, or is there a second time,
    stands before X-SES-RECEIPT."""
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
    """The name of who authenticated, lower case, as any reader may take it: comments, quotes, a version, a
    final dot left away."""
    at = _after_comments(value)
    quoted, plain = _QUOTED.match(value, at), _NAME.match(value, at)
    name = _QUOTED_PAIR.sub(rb"\1", quoted[1]) if quoted else plain[0] if plain else b""
    return _text(name).strip().rstrip(".").lower()


def _after_comments(value: bytes) -> int:
    """Where the blanks and comments at the start end (RFC 5322 3.2.2; they nest)."""
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
