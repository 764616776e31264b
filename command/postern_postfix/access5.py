"""access(5) for sender addresses: `pattern action`.

Source: access(5) and postmap(1). Only white space in a key can be quoted, `#` later in a line does not start a comment,
and if a key occurs twice the first counts. Actions are read as in check_table_result() of smtpd_check.c: the order of
the tests matters, and a bare code means OK.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.keys import NEITHER, no_sender, sender_key
from postern_mail.mail.senders import DOT, PARENT

from .report import Part, Report, changed, impossible, left_behind, taken, unneeded, unreadable
from .restrictions import WARN_IF_REJECT
from .source import WHITE, Line
from .targets import quoted
from .tokens import internal, scan

NULL_SENDER = "<>"
_KEY = re.compile(rf'((?:"(?:\\.|[^"\\])*"|\\.|[^{WHITE}"\\])+)[{WHITE}]+(.+)', re.DOTALL)
_WITH_TEXT = ("OK", "REJECT", "DISCARD", "HOLD", "WARN", "INFO", "DUNNO")
_CODE = re.compile(r"[45][0-9][0-9]\Z")
_HEADER = re.compile(r"[!-9;-~]+:\s*\S")
_HOLD = "HOLD keeps the message until you release it"


@dataclass(frozen=True, slots=True)
class Rule:
    """A line as a row of the sender table."""

    line: Line
    sender: str
    action: str


@dataclass(frozen=True, slots=True)
class Style:
    """How keys match: whether a domain matches its parents' keys, and which key is the null sender's."""

    parents: bool = True  # smtpd_access_maps is in parent_domain_matches_subdomains
    null_sender: str = NULL_SENDER  # smtpd_null_access_lookup_key


def pair(line: Line) -> tuple[str, str] | None:
    """Key and value as postmap(1) splits a line, None if one is missing."""
    found = _KEY.match(line.text)
    if found is None or not found[2].strip(WHITE):
        return None
    return found[1], found[2].strip(WHITE)


def rules(lines: Iterable[Line], style: Style, known: dict[str, Rule], report: Report) -> dict[str, Rule]:
    """The rules by sender; `known` are those of earlier files. Reports each line."""
    found: dict[str, Rule] = {}
    for line in lines:
        read = _read(line, style)
        if isinstance(read, Part):
            report.say(line, read)
            continue
        rule, part = read
        first = found.get(rule.sender) or known.get(rule.sender)
        if first is not None:
            says = f"{rule.sender} is already defined ({first.line.place}); Postfix uses the first"
            report.say(line, unneeded(says))
            continue
        found[rule.sender] = rule
        report.say(line, part)
        if known:
            says = "Postfix searched the earlier files first; now the most specific key wins, in whichever file"
            report.say(line, changed(says))
    return found


def warning(rule: Rule, report: Report) -> Rule:
    """A rule after warn_if_reject, which only logged: a rejecting action becomes WARN, and the report says so."""
    word, _, text = rule.action.partition(" ")
    if word != "REJECT" and not _CODE.match(word):
        return rule
    action = _joined("WARN", text)
    report.say(rule.line, changed(f"{action}: it came after {WARN_IF_REJECT}, so it rejected no mail"))
    return replace(rule, action=action)


def _read(line: Line, style: Style) -> tuple[Rule, Part] | Part:
    if line.unreadable:
        return unreadable(line)
    both = pair(line)
    if both is None:
        return left_behind("not a pair of key and action", "fix the line or remove it; Postfix ignores it")
    key = _sender(both[0], style)
    if isinstance(key, Part):
        return key
    action = _action(both[1])
    if isinstance(action, Part):
        return action
    return Rule(line, key, action[0]), replace(action[1], says=f"{key}: {action[1].says}")


def _sender(typed: str, style: Style) -> str | Part:
    """The key for the sender table, or the verdict on a key that cannot be used."""
    key = typed.lower()
    if key == style.null_sender.lower():
        return NULL_SENDER
    if key == NULL_SENDER:
        return left_behind(
            "main.cf sets another key for the null sender", "see smtpd_null_access_lookup_key in main.cf"
        )
    never = no_sender(sender_key(key), PARENT if style.parents else DOT)
    if never and never.why != NEITHER:
        return unneeded(f"it never matched: {never}")
    try:
        return _address_key(key)
    except InvalidAddress:
        return left_behind(f"{typed} is not an address, a domain or user@", "fix the key; it never matched")


def _address_key(key: str) -> str:
    local, at, domain = key.rpartition("@")
    if at and not domain:
        return f"{_local(local)}@"
    if at:
        return Address.parse(key).key
    dot = "." if key.startswith(".") else ""
    return dot + Address.parse(f"x@{key.removeprefix('.')}").domain


def _local(local: str) -> str:
    return Address.parse(f"{local}@x").local.lower()


def _action(typed: str) -> tuple[str, Part] | Part:
    """The action for the sender table with its verdict, or only a verdict."""
    first, *rest = re.split(f"[{WHITE}]+", typed)
    word, text = first.upper(), " ".join(rest)
    if typed.isascii() and typed.isdigit():
        instead = f"write `{typed} text` to refuse, or OK"
        return impossible("Postfix takes a code without text as OK, which was probably not intended", instead)
    if word in _WITH_TEXT:
        return _joined(word, text), taken(f"{word} {text}".strip())
    if word in ("RELAY", "PERMIT", "PERMIT_AUTH_DESTINATION") and not text:
        return "OK", changed(f"{word} as OK, which is how Postfix treats it")
    if _CODE.match(word) and text:
        return _code(word, text)
    return _with_argument(word, text) or _no_action(typed, word)


def _code(code: str, text: str) -> tuple[str, Part]:
    if code.startswith("5"):
        return f"{code} {text}", taken(f"{code} {text}")
    says = "SES has already accepted, so the sender cannot be asked to retry; Postern defers the message and retries"
    return f"{code} {text}", changed(f"{code} {text}: {says}")


def _with_argument(word: str, text: str) -> tuple[str, Part] | Part | None:
    """REDIRECT, BCC and PREPEND, which need an argument; None for other words."""
    if word in ("REDIRECT", "BCC"):
        address = _one_address(text)
        if address is None:
            return impossible(f"{word} needs a mail address", "fix the address")
        return f"{word} {address}", taken(f"{word} {address}")
    if word == "PREPEND":
        if not _HEADER.match(text):
            return impossible("PREPEND needs a header field", "write PREPEND Name: value")
        return f"{word} {text}", taken(f"{word} {text}")
    return None


def _no_action(typed: str, word: str) -> Part:
    if _CODE.match(word):
        return impossible("a code needs a text", "write the code and a text")
    if word in ("DEFER", "DEFER_IF_PERMIT", "DEFER_IF_REJECT"):
        return impossible(f"{word}: SES has already accepted, so the sender cannot be asked to retry", _HOLD)
    if word == "FILTER":
        return impossible("there is no content filter to pass mail to", _HOLD)
    if ":" in typed:
        return impossible("a value with a colon names a table, which Postfix refuses here", "write the action itself")
    return impossible(
        f"{word} is a restriction or a class of them", "write the action itself: OK, REJECT, DUNNO or HOLD"
    )


def _one_address(text: str) -> str | None:
    local, _, domain = internal(scan(text)).rpartition("@")
    try:
        return str(quoted(local, domain))
    except InvalidAddress:
        return None


def _joined(word: str, text: str) -> str:
    return f"{word} {text}" if text else word
