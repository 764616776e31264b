"""A real forwarder, listener and order with the ledger in DynamoDB: each write and each sending is a step."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from postern_command.reruns import Reruns
from postern_mail.aws.feedback.ledger import DynamoFeedbackLedger
from postern_mail.aws.forward.grey_rows import FIRST, DynamoGreyBook
from postern_mail.aws.reopening import Reopening
from postern_mail.aws.watch.history import History
from postern_mail.feedback import Listener
from postern_mail.mail.address import Address
from postern_mail.mail.dns import Answers, Question
from postern_mail.mail.greylist import RECIPIENTS_KEY, triplet
from postern_mail.mail.list_health import Lists
from postern_mail.mail.orders import replay
from postern_mail.mail.settings import KEY
from postern_mail.screening import Screening

from emulator.template import Template
from tests.builders import TAG_KEY, bounce, event, stored
from tests.contract.test_ledger import in_dynamodb
from tests.daily_fakes import FakeDailyBook
from tests.fakes import FakeAnswerer, FakeFeedbackLog, FakeHealth, FakeMailer, FakeOwnerSettings, FakeQueue, FakeTeller
from tests.forwarding_world import RAW, World

# Part of an UpdateExpression -> what the model calls it; the first that is found.
VERBS = {
    "ADD recipients": "open", "lease_until": "claim", "refusals": "settle", "recorded_at": "record",
    "checked_at": "pending", "REMOVE #open": "shut", "losses": "lost", "ADD noted": "note", "= :said": "bounced",
    "ADD messages": "messages", "SET answer = :due": "due", "SET answer = ": "answer", "#owner = :owner, expires_at": "later",
}  # fmt: skip


SOURCE = "x{}@sender.example"  # so that no other test had such mail


def verb(update: str) -> str:
    """What a write does."""
    return next((name for part, name in VERBS.items() if part in update), "")


def short(address: str) -> str:
    """A name as the model wants it."""
    return address.partition("@")[0]


class _Nobody:
    """DNS and list book of a stack that asks no list."""

    def ask(self, questions: Collection[Question], seconds: float) -> Answers:
        raise AssertionError((questions, seconds))

    def lists(self) -> Lists:
        raise AssertionError

    def note_clients(self, before: Lists, after: Lists) -> None:
        raise AssertionError((before, after))


class Recorded(World):
    """One stack; a@ and others lead where `leads` says."""

    def __init__(self, client: Any, template: Template, leads: dict[str, tuple[str, ...]], message_id: str) -> None:
        super().__init__()
        self.steps: list[str] = []
        self.client, self.template, self.leads, self.message_id = client, template, leads, message_id
        self.tables.aliases = {
            f"{who}@example.com": {"destinations": [f"{one}@example.org" for one in there]}
            for who, there in leads.items()
            if there
        }
        self.mailer: FakeMailer = FakeMailer(before=lambda one: self.steps.append(f"send {short(one)}"))
        self.answerer: FakeAnswerer = FakeAnswerer(before=lambda: self.steps.append("answer 1"))
        client.meta.events.register("before-parameter-build.dynamodb.UpdateItem", self._written)
        client.meta.events.register("before-parameter-build.dynamodb.TransactWriteItems", self._transacted)
        self.ledger = in_dynamodb(client, template, self.clock)  # type: ignore[assignment]
        self.store.messages[message_id] = stored(RAW, source=SOURCE.format(message_id), message_id=message_id)
        self.queue.wake = self._woken  # type: ignore[method-assign]
        self.words: dict[str, str] = {}

    def arrive(self) -> None:
        """The message comes in."""
        at = datetime.fromtimestamp(self.clock.time, UTC).isoformat()
        recipients = [f"{who}@example.com" for who in self.leads]
        source = SOURCE.format(self.message_id)
        self.handle(event(*recipients, source=source, message_id=self.message_id, timestamp=at))

    def holds(self, *held: str) -> None:
        """Mail for these is held, and for no others."""
        never = [f"{who}@example.com" for who in self.leads if who not in held]
        self.tables.aliases |= {
            KEY: {"greylist": True, "greylist_auto_whitelist_clients": 0}, RECIPIENTS_KEY: {"lines": never},
        }  # fmt: skip
        self.words = {
            triplet("192.0.2.9", SOURCE.format(self.message_id), Address.parse(f"{who}@example.com")): who
            for who in held
        }
        book = DynamoGreyBook(self.client, self.template.name("LedgerTable"))
        self.screening = Screening(resolver=_Nobody(), book=_Nobody(), grey=book, key=str)

    def wakes(self) -> None:
        """What is held comes back."""
        ((made, _),) = self.queue.woken
        self.handle(made)

    def bounces(self, destination: str) -> None:
        """A mailbox gives it back."""
        said = bounce(
            "Permanent", "General", "5.7.1", destination=f"{destination}@example.org", message_id=self.message_id
        )
        said["detail"]["mail"]["messageId"] = "ses-1"  # FakeMailer's
        Listener(
            settings=FakeOwnerSettings(), domains=["example.com"], health=FakeHealth(self.clock), headers=self.store,
            ledger=DynamoFeedbackLedger(self.client, self.template.name("LedgerTable"), self.clock, TAG_KEY),
            answering=self.answering, tests=FakeDailyBook(), user_of=str, returned=FakeTeller(), log=FakeFeedbackLog(),
        ).handle(said)  # fmt: skip

    def replays(self) -> None:
        """A person orders what failed to run again."""
        table = self.template.name("LedgerTable")
        history = History(self.client, table)
        orders = Reruns(
            history, cast("Any", self.store), Reopening(self.client, table, clock=self.clock, by="me"),
            cast("Any", self), "me", dry_run=False,
        )  # fmt: skip
        found = history.entries(self.message_id)
        orders.carry_out(self.message_id, found, replay(found, (), again=False, failed=True))

    def _woken(self, event: Mapping[str, Any], release_at: float, now: float) -> None:
        self.steps.append("wake")
        FakeQueue.wake(self.queue, event, release_at, now)

    def put_event(self, made: Any, by: str) -> None:
        """The retry queue."""
        self.steps.append("order event")

    def _written(self, params: dict[str, Any], **_: Any) -> None:
        kind, _, about = params["Key"]["entry"]["S"].partition(":")
        update = params["UpdateExpression"]
        if params["Key"]["message_id"]["S"].startswith(FIRST):
            self.steps.append(f"grey {self.words[params['Key']['message_id']['S'].removeprefix(FIRST)]}")
        elif params["Key"]["message_id"]["S"].startswith("#answers"):
            self.steps.append(f"#answers {verb(update)}")
        elif "reopened" in update:
            self.steps.append(f"order destination {short(about)}")
        elif params["Key"]["message_id"]["S"] == self.message_id:
            self.steps.append(f"{kind}:{short(about)} {verb(update)}" if about else f"{kind} {verb(update)}")

    def _transacted(self, params: dict[str, Any], **_: Any) -> None:
        changes = [one["Update"] for one in params["TransactItems"]]
        names = [
            short(one["Key"]["entry"]["S"].partition(":")[2])
            for one in changes
            if one["Key"]["message_id"]["S"] == self.message_id
        ]
        verbs = {verb(one["UpdateExpression"]) for one in changes if "reopened" not in one["UpdateExpression"]}
        if "pending" in verbs:
            self.steps.append("close")
        elif verbs & {"claim", "settle"}:
            (what,) = verbs - {"messages"}
            self.steps.append(f"{what} {','.join(names)}" if len(names) > 1 else f"via:{names[0]} {what}")
        else:
            opened = sorted(map(short, changes[0]["ExpressionAttributeValues"][":opened"]["SS"]))
            self.steps.append(f"order open {','.join(opened)}:{','.join(names[1:])}")
