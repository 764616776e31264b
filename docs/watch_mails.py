"""docs/reference/watch.md: one mail of the hourly watch for each kind of finding, made by the code that makes them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from postern_mail.aws.watch import daily_test, examinations, looking, screening
from postern_mail.aws.watch.receiving import GIVEN_UP
from postern_mail.errors import Unavailable
from postern_mail.examination import Examination, Examined
from postern_mail.mail.plan import Policy
from postern_mail.telling import Known, compare
from postern_mail.watch_mail import body, subject

NOW = 1_795_724_000  # 2026-11-26 20:13 UTC
DOMAIN, STACK = "example.com", "postern"
_ID = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"
_LIST, _REGION = "bl.lists.example", "eu-west-1"
_SAID = """\
Once an hour Postern makes every check of `postern doctor` that needs no person. New findings go to the subscribers of
the alarms (`OwnerAddress`) in one mail, through Amazon SNS, so it arrives even while Amazon SES has stopped your
sending. Each finding is reported once, and once more when it is over. A quiet hour sends nothing. Until someone has
confirmed the subscription, nothing counts as reported.

Words from outside, such as a server's refusal, are in quotation marks, with their dots in brackets, so that no mail
program turns them into links.

Here is the mail for each kind of finding. Several findings in one hour share a mail."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A stack in which everything is wrong that can be."""

    settings: Mapping[str, Any] = field(default_factory=lambda: {"address": "#settings", "from_form": "whatever"})
    policy: Policy = field(default_factory=lambda: Policy(frozenset({DOMAIN, "example.net", "example.org"})))

    def __getitem__(self, thing: str) -> str:
        return {"functions": "postern-InboundFunction-1a2b,postern-LinksFunction-3c4d", "rule_set": STACK}.get(
            thing, thing
        )

    def get(self, thing: str) -> str | None:
        """Every part has a name."""
        return thing

    @property
    def rows(self) -> Any:
        """A fault in each table."""
        rows: dict[str, list[Mapping[str, Any]]] = {
            "settings": [self.settings],
            "aliases": [{"address": "info@example.com", "destinations": "jane at home.example"}],
            "senders": [{"sender": "spammer.example", "scope": "*", "action": "BOUNCE"}],
        }
        return SimpleNamespace(scan=lambda table: iter(rows.get(table, ())))

    @property
    def destinations(self) -> Any:
        """One that is suspended."""
        why = "Permanent NoEmail: 550 5.1.1 No such user here, see http://help.example/nouser"
        row = {"address": "jane@home.example", "suspended_at": Decimal(NOW - 1200), "reason": why}
        return SimpleNamespace(all=lambda: [row])

    @property
    def watch_state(self) -> Any:
        """Daily tests; nothing else of it is read: the questions to it are replaced."""
        sent = {"day": "2026-11-26", "at": NOW - 7200, "stage": "underway", "sent_at": NOW - 7200}
        elsewhere = (
            f"public DNS names mx.other.example as MX of example.org, and not inbound-smtp.{_REGION}.amazonaws.com"
        )
        tests = {
            DOMAIN: sent,
            "example.net": {**sent, "bounce": "Permanent General 550 5.1.1 Requested action not taken"},
            "example.org": {**sent, "sent_at": 0, "stage": "held", "why": elsewhere},
        }
        progress = SimpleNamespace(started_at=0.0, finished_at=NOW - 4 * 86_400)
        return SimpleNamespace(progress=lambda: progress, entries=lambda _: tests)

    def queue(self, _: str) -> Any:
        """Three messages."""
        return SimpleNamespace(count=lambda: 3)


def document() -> str:
    """The page, without its first line."""
    pieces = [f"# The mail of the hourly watch\n\n{_SAID}"]
    for name, found in mails():
        pieces.append(f"## {name[0].upper()}{name[1:]}\n\n{found}")
    return "\n\n".join(pieces) + "\n"


def mails() -> Iterator[tuple[str, str]]:
    """(what is found, the mail), for each examination, for one that AWS does not answer, and for what is over."""
    examined = [_examined(one) for one in examinations.EXAMINATIONS]
    for one in examined:
        yield one.name, _mail({}, [one])
    silent = Examination("Mail under way", "dead letters", _unavailable)
    answer = silent.run(_Trouble(), _Trouble().get)
    before = {"dead letters": {"no answer": Known(answer.findings[0].seen, NOW - 3600, told=False)}}
    yield "AWS does not answer", _mail(before, [answer])
    told = {"dead letters": {"dead_letters": Known("3 messages", NOW - 7200)}}
    yield "what is over", _mail(told, [Examined("Mail under way", "dead letters")])


def _mail(before: Mapping[str, Mapping[str, Known]], examined: list[Examined]) -> str:
    telling = compare(before, examined, NOW)
    text = "\n".join(f"    {line}".rstrip() for line in body(telling, DOMAIN, STACK).splitlines())
    return f"    Subject: {subject(telling, DOMAIN)}\n\n{text}"


def _unavailable(_: _Trouble) -> Iterator[Any]:
    raise Unavailable("SQS GetQueueAttributes: could not connect to the endpoint")


def _examined(one: Examination[Any]) -> Examined:
    """With every question to AWS answered badly."""
    identity = looking.Identity
    answers: dict[Any, dict[str, Any]] = {
        looking: {
            "active_rule_set": lambda: "another",
            "not_handed_over": lambda: {GIVEN_UP: 2},
            "identities": lambda: {
                DOMAIN: identity(verified=False, sends=False),
                "example.net": identity(verified=True, sends=False),
            },
            "may_send": lambda: False,
            "oldest": lambda _: 9_000.0,
            "counted": lambda _: looking.Counted(invocations=12, errors=9, throttles=4),
        },
        examinations: {
            "time": SimpleNamespace(time=lambda: NOW),
            "open_too_long": lambda *_: (_ID,),
            "ordered_in_vain": lambda *_: {_ID: NOW - 1800.0},
            "never_seen": lambda _: SimpleNamespace(stored_at={_ID: NOW - 20_000.0}),
        },
        daily_test: {"time": SimpleNamespace(time=lambda: NOW)},
        screening: {
            "clients": SimpleNamespace(dynamodb=lambda: None),
            "DynamoListBook": lambda *_: SimpleNamespace(
                lists=lambda: SimpleNamespace(silent={_LIST: "it answers for all"})
            ),
            "overdue": lambda *_: {_ID: ("info@example.com",)},
        },
    }
    trouble = (
        _Trouble({"address": "#settings", "dnsbl_sites": f"{_LIST}=127.0.0.2"})
        if one.name == "DNS lists"
        else _Trouble()
    )
    with ExitStack() as patched:
        for module, replaced in answers.items():
            patched.enter_context(patch.multiple(module, **replaced))
        return one.run(trouble, trouble.get)
