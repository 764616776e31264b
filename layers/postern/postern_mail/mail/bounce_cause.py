"""The cause of a mailbox's refusal: the mailbox does not exist, the message or its sender is unwelcome, or neither.

Servers choose their words and codes freely, so both are read: first RFC 3463's code, then the text, if the code says
nothing or the text contradicts it. A text about a rate, content, policy or the sender is never about the mailbox,
whatever its code: strangers choose all of these. The texts this was tested against, with their sources, are in
tests/bounces/answers.tsv.
"""

import re
from enum import StrEnum

MOST_TEXT = 2000  # characters that are read


class Cause(StrEnum):
    """The cause of a refusal."""

    GONE = "gone"  # the mailbox or its domain does not exist
    MESSAGE = "message"  # content, size, policy, a rate or the sender: says nothing of the mailbox
    MAILBOX = "mailbox"  # anything else: full, locked, unclear


# Codes of RFC 3463 (3.2 to 3.8): the mailbox or its domain does not exist.
_GONE = re.compile(r"5\.(?:1\.(?:1|2|3|6|10)|2\.1)\Z")
# Security and policy; content; size and features; the sender's address; delivery by time or rate.
_MESSAGE = re.compile(r"[245]\.(?:7\.\d+|6\.\d+|3\.4|2\.3|1\.[789]|4\.5|5\.3)\Z")
# Codes that say only that it failed; 5.4.1 is Exchange Online's for an address that does not exist.
_SAYS_NOTHING = re.compile(r"(?:5\.(?:0\.\d+|1\.0|2\.0|3\.0|4\.[014]|5\.[01]))?\Z")

_RATE = (
    r"\brate\b|receivingrate|too (?:quickly|fast|many)|throttl|exceed|quota|slow(?:er| down)|unusual|volume"
    r"|gr[ae]y-?list|temporar|again|\blater\b|plus tard|deferred|\bbusy\b|daily|\bretry|local error|in processing"
    r"|low priority"
)
_CONTENT = (
    r"spam|junk|virus|malware|phish|content|attachment|unsolicited|\bbulk\b|suspicious|malformed|compliant|headers?\b"
    r"|too (?:big|large|long)|\bsize\b|subject|image|\bhops?\b|\bloops?\b|tls|pipelin|syntax error|protocol"
    r"|filtered|advertis|\brfc ?\d|\bmx records|see <url"
)
_POLICY = (
    r"polic|block(?:ed|ing| ?list)|black-?list|deny ?list|white-?list|allow-?list|listed (?:in|at|as|on|by)"
    r"|dnsbl|\brbl\b|spamhaus|spamcop|barracuda|reputation|prohibit|authori[sz]|not permitted|not allowed|access denied"
    r"|denied|forbidden|security|preference|\brules?\b|restrict|only accept|will not accept|does not accept"
    r"|do(?:es)?(?: not|n'?t) (?:accept|want)|refuses? (?:to|this)|user reject|members?\b|subscrib|rcpthosts"
    r"|relay(?:ing)? (?:access |is |mail )?(?:denied|not|prohibit|to\b)|(?:to|as a|no|open|mail|not|cannot|can't) relay"
    r"|open proxy|go away|complaints?|abus|protected by|captcha|backscatter|\bauthors?\b|dsns?\b|third-party|settings"
    r"|not accepting any|is not accepting|allow list|returned mail|recipients from|verified|verification|\bblocks?\b"
)
_SENDER = (
    r"\bsenders?\b|sending|senderguidelines|mail ?from|\bfrom[: ]+(?:address|header|domain|field|your|the|an? |ip)"
    r"|\bfrom:|return[- ]path|envelope[- ]from|emetteur|\bhelo\b|\behlo\b|\bptr\b|reverse dns|\bspf\b|\bdkim\b"
    r"|\bdmarc\b|\barc\b|\bbatv\b|authenticat|\bip\b|\bips\b|client host|your (?:ip|server|network|host|domain|isp"
    r"|provider|access)|originat|connect"
)
_FULL = r"\bfull\b|pleine|(?:disk|mailbox|storage|of|enough|user's|no) space|storage|suspend|lock|frozen|archiv"
_NOT_THE_MAILBOX = re.compile("|".join((_RATE, _CONTENT, _POLICY, _SENDER)))
_NOT_FOR_GOOD = re.compile(_FULL)

# Exchange Online's words for an address that does not exist (learn.microsoft.com, "Fix NDR error 550 5.4.1").
_EXCHANGE = re.compile(r"recipient address(?:es)? rejected: access denied")
_WHO = (
    r"(?:user|recipient|mailbox|address|account|person|destination|alias|login|local[- ]part|domain|host|e-?mail|name"
    r"|rcpt)s?"
)
_ABSENT = (
    rf"(?:no such|unknown|invalid|bad|non-?existent|incorrect) (?:[\w-]+ ){{0,2}}{_WHO}\b",
    rf"{_WHO}\b[^.;]{{0,60}}? (?:is |are |was |were |has been )?(?:unknown|not found|not known|not exist|invalid"
    r"|not valid|not active|non-?existent|not present|terminated|deactivated|inactive|disabled|closed"
    r"|discontinued|deleted)",
    rf"{_WHO}\b[^.;]{{0,60}}? (?:does not|doesn'?t|do not|may not) exist",
    r"(?:could not|couldn'?t|cannot|can'?t|wasn'?t|was not) (?:be )?found",
    r"\bnot found\b|\bdoes not exist\b|\bnosuchuser\b|userunknown|can'?t accept user|recipnotfound|recipientnotfound",
    r"(?:is )?not an? (?:known|valid|local|active|existing) (?:user|mailbox|recipient|address|account)",
    r"\bno (?:mailbox|mail ?box|account|user|one|recipient|valid recipient)s?\b",
    r"(?:mailbox|account|address|user) (?:is )?unava[il]+able",
    r"no longer (?:valid|active|available|exists|accepts|in use|in service|works|with)",
    r"(?:is )?(?:inactive|invalid|deactivated|disabled) (?:account|user|mailbox)|(?:invalid|deactivated)/inactive user",
    r"a deactivated mailbox|user missing home|doesn'?t have an? \S* ?account|nobody (?:here )?by that name",
    r"unrout(?:e)?able address|has (?:been )?(?:moved|replaced)|badrcptto|badrecipientto|validrcptto",
    r"not (?:in|present in) (?:the )?(?:directory|name directory)|not our customer|not ok\b|undeliverable address",
    r"utilisateur inconnu|destinataire inconnu|destinataire invalide|nessun utente|no existe|usuario desconocido"
    r"|empf(?:ä|ae?)nger (?:unbekannt|existiert nicht)|unbekannter (?:empf|benutz)"
    r"|usu[aá]rio (?:inexistente|desconhecido)",
)  # fmt: skip
_IS_GONE = re.compile("|".join(_ABSENT))

_REPLY = re.compile(r"\s*(?:smtp;\s*)?(?:\S+ said: )?([245])\d\d[ -]")
_URL = re.compile(r"https?://\S+")
_ADDRESS = re.compile(r"<?[^\s<>()]+@[^\s<>()]+>?")
_HOST = re.compile(r"\b(?!resolver\.)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b(?:\[[^\]]*\])?")


def has_reply(text: str) -> bool:
    """Whether the text quotes another server's SMTP reply: an out-of-office message never does."""
    return _REPLY.match(text) is not None or re.search(r"\b[45]\d\d[ -][45]\.\d{1,3}\.\d{1,3}\b", text) is not None


def cause(status: str, text: str, *, no_mailbox: bool = False) -> Cause:
    """The cause of a refusal. `status` is RFC 3463's code or ""; `text` the other server's words; `no_mailbox` says
    that SES itself reports a mailbox that does not exist."""
    plain = _plain(text)
    if status.startswith("4.4."):  # the network, or no answer before the timeout, whatever the text says
        return Cause.MAILBOX
    if _EXCHANGE.search(plain) and status in ("", "5.4.1"):
        return Cause.GONE
    if _NOT_THE_MAILBOX.search(plain):
        return Cause.MAILBOX if _only_full(status, plain) else Cause.MESSAGE
    if _NOT_FOR_GOOD.search(plain):
        return Cause.MAILBOX
    if no_mailbox or _GONE.match(status):
        return Cause.GONE
    if _MESSAGE.match(status):
        return Cause.MESSAGE
    reply = _REPLY.match(text)
    for_now = reply is not None and reply[1] == "4"
    return Cause.GONE if _SAYS_NOTHING.match(status) and not for_now and _IS_GONE.search(plain) else Cause.MAILBOX


def _only_full(status: str, plain: str) -> bool:
    """Whether the mailbox is full, so that words about a quota do not mean a rate limit."""
    return status.endswith(".2.2") or re.search(r"quota|mailbox (?:is )?full|out of storage", plain) is not None


def _plain(text: str) -> str:
    """The words alone, in lower case: addresses and host names could contain any of the words searched for."""
    lower = text[:MOST_TEXT].lower().replace("\u2019", "'")
    words = _HOST.sub(" ", _ADDRESS.sub(" ", _URL.sub(_words_of_url, lower)))
    return " ".join(words.split())


def _words_of_url(found: re.Match[str]) -> str:
    """The name of a page that explains the refusal."""
    path = found[0].partition("//")[2].partition("/")[2]
    return path if re.search(r"receivingrate|senderguidelines", path) else " "
