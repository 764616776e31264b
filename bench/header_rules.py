"""Fifty header rules of all kinds: the CPU of this process that they add to a message, against one rule."""

import sys
import time
from typing import Any

from postern_mail.mail import settings
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.header_rules import HeaderRules
from postern_mail.mail.rows import Row, Rows, SenderKey, rule_key
from postern_mail.mail.score import Score
from postern_mail.mail.senders import EVERYWHERE
from postern_mail.mail.verdicts import Verdicts

MESSAGES = 300
MOST_CPU = 3.0  # ms a message with 50 rules, none of which holds: all are asked
KINDS: tuple[dict[str, Any], ...] = (
    {"subject": {"contains": ["casino {0}", "lottery {0}"]}},
    {"from": {"equals": "sales{0}@spam.example"}},
    {"to": {"not_contains": "@example.com"}, "cc": {"not_matches": "example"}},
    {"list_id": {"equals": "news{0}.list.example"}, "larger_than": 1000},
    {"subject": {"matches": "^(win|won) [0-9]+ {0}"}, "verdicts": {"spam": "GRAY"}},
)
LONG = ", ".join(f'"Person {number}" <person{number}@sender.example>' for number in range(100))
MAIL = (
    f"From: =?utf-8?q?Betsy_Sm=C3=AFth?= <betsy@sender.example>\r\nTo: info@example.com, {LONG}\r\nCc: {LONG}\r\n"
    "Subject: =?utf-8?b?QSBsZXR0ZXIgYWJvdXQgdGhlIG5leHQgbWVldGluZw==?=\r\n"
    "List-Id: The list <other.list.example>\r\n\r\nbody"
).encode()


def rules(count: int) -> Rows:
    """So many rules, as they are read from the tables."""
    keys = [(rule_key(number), EVERYWHERE) for number in range(1, count + 1)]
    senders: dict[SenderKey, Row | None] = {key: _row(key, at) for at, key in enumerate(keys)}
    found = Rows(senders=senders)
    found.aliases[settings.KEY] = {"header_rules": ", ".join(str(number) for number in range(1, count + 1))}
    return found


def _row(key: SenderKey, at: int) -> Row:
    kind = {name: _named(value, at) for name, value in KINDS[at % len(KINDS)].items()}
    return {"sender": key[0], "scope": key[1], "action": "HOLD", **kind}


def _named(value: Any, at: int) -> Any:
    if isinstance(value, dict):
        return {name: _named(one, at) for name, one in value.items()}
    if isinstance(value, list):
        return [_named(one, at) for one in value]
    return value.format(at) if isinstance(value, str) else value


def spent(count: int) -> float:
    """ms of CPU a message; the rows are parsed again for each, as its own reading has them."""
    envelope = Envelope.offline("betsy@sender.example", (), Verdicts())
    HeaderRules(envelope, Header.of(MAIL), rules(count)).judged(EVERYWHERE)  # compiles the patterns, once a process
    read = [rules(count) for _ in range(MESSAGES)]
    headers = [Header.of(MAIL) for _ in range(MESSAGES)]
    started = time.process_time()
    for rows, header in zip(read, headers, strict=True):
        assert HeaderRules(envelope, header, rows, Score(asked=True)).judged(EVERYWHERE) == ()
    return (time.process_time() - started) / MESSAGES * 1000


def main() -> int:
    """Print the figures. Returns 0 if the goal is met."""
    one, fifty = spent(1), spent(50)
    word = "pass" if fifty < MOST_CPU else "FAIL"
    print(f"header rules: 1 takes {one:.2f} ms of CPU, 50 take {fifty:.2f} ms of {MOST_CPU:.0f}: {word}")
    return 0 if fifty < MOST_CPU else 1


if __name__ == "__main__":
    sys.exit(main())
