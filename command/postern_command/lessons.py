"""What `postern quarantine learn` proposes: rules that let such mail through, or refuse it, from now on."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from postern_mail.mail.envelope import NULL_SENDER
from postern_mail.mail.keys import sender_key
from postern_mail.mail.message import MAX_HEADER, Message
from postern_mail.mail.outcomes import State
from postern_mail.mail.row_faults import rule_numbers
from postern_mail.mail.rows import LAST_RULE, MOST_RULES, Row
from postern_mail.mail.visible import visible

_STEP = 10  # between the numbers of header rules, so that others fit in between
_LIST_ID = re.compile(rb"<([A-Za-z0-9._-]{1,255})>[^<>]*\Z|\A([A-Za-z0-9._-]{1,255})\Z")
Entries = Mapping[str, Mapping[str, Any]]


def sender_proposals(entries: Entries) -> Iterator[tuple[str, str]]:
    """(a command, what it does) for each sender rule that would fit a message."""
    message = entries.get("message", {})
    source = str(message.get("source", ""))
    verdicts = message.get("verdicts", {})
    sender = sender_key(source)
    if source in ("", NULL_SENDER) or "@" not in sender or sender != visible(sender):
        return
    proven = "PASS" in (verdicts.get("spf"), verdicts.get("dmarc"))
    doubt = "" if proven else "; SPF and DMARC did not pass, so anyone can forge this sender"
    kept = [name.removeprefix("to:") for name, one in sorted(entries.items()) if _is_kept(name, one)]
    for who in kept:
        yield _add(sender, "OK", who), f"accept mail from {sender} to {who}{doubt}"
    yield _add(sender, "REJECT"), f"reject all mail from {sender}"
    domain = sender.rpartition("@")[2]
    yield _add(domain, "REJECT"), f"reject all mail from {domain} and its subdomains"


def list_proposals(raw: bytes, asked: Row | None) -> Iterator[tuple[str, str]]:
    """The same for list mail: a header rule by the name in List-Id, numbered after those in the settings."""
    for field in Message.split(raw, MAX_HEADER).named("list-id")[:1]:
        found = _LIST_ID.search(field.value)
        numbers = rule_numbers(asked)
        number = (max(numbers, default=0) // _STEP + 1) * _STEP
        if found and len(numbers) < MOST_RULES and number <= LAST_RULE:
            name = (found[1] or found[2]).decode("ascii")
            command = f"postern rule add {number} REJECT --list-id {shlex.quote(f'equals {name}')}"
            yield command, f"reject all mail from the list {name}"


def _add(sender: str, action: str, scope: str = "") -> str:
    where = f" --scope {shlex.quote(scope)}" if scope else ""
    return f"postern sender add {shlex.quote(sender)} {action}{where}"


def _is_kept(name: str, entry: Mapping[str, Any]) -> bool:
    return name.startswith("to:") and State.of(entry) is State.QUARANTINED
