"""A stack's ledger, bucket and queues, and the command run on them by a person who is asked for a message."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.forward.ledger import DynamoLedger
from postern_mail.mail.address import Address
from postern_mail.mail.claims import Claim
from postern_mail.mail.outcomes import ClaimState, State
from postern_mail.ports.forward import Outcome

from emulator.cloud import Cloud
from emulator.template import Template
from tests.builders import ROOT, envelope
from tests.cloud_here import CloudHere, enter
from tests.command import Done, run
from tests.fakes import LEASE_SECONDS, RETRY_HOURS, FakeClock
from tests.world import World


@dataclass
class Office:
    """One stack, and what happened in it."""

    cloud: Cloud
    template: Template
    clock: FakeClock = field(default_factory=lambda: FakeClock(time.time() - 600))

    @property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(
            clients.dynamodb(),
            self.template.name("LedgerTable"),
            clock=self.clock,
            lease_seconds=LEASE_SECONDS,
            keep_days=37,
            retry_hours=RETRY_HOURS,
        )

    def run(self, *arguments: object, **environment: str) -> Done:
        """Run the command in this process: a traceback is raised here."""
        return run(*arguments, **environment)

    def happened(self, *outcomes: tuple[str, str, str], message_id: str = "", **options: Any) -> str:
        """A message with these outcomes: (recipient, state, reason); `pending` means no outcome yet. Returns its id."""
        message_id = message_id or uuid.uuid4().hex
        made = envelope(*(who for who, _, _ in outcomes), message_id=message_id, **options)
        self.ledger.open(made)
        settled = [
            Outcome(Address.parse(who), State(word), why, row=str(Address.parse(who).untagged))
            for who, word, why in outcomes
            if word != State.PENDING
        ]
        recipients = tuple(outcome.recipient for outcome in settled)
        self.ledger.close(made.without({r.key for r in made.recipients} - {r.key for r in recipients}), settled, 1234)
        return message_id

    def sent(
        self, message_id: str, destination: str, recipient: str, state: str = ClaimState.SENT, detail: str = "ses-1"
    ) -> None:
        """A destination that was sent to for a recipient, and how that ended."""
        claim = self.ledger.claim(message_id, Address.parse(destination), Address.parse(recipient))
        assert isinstance(claim, Claim)
        self.ledger.settle(claim, ClaimState(state), detail)

    def store(self, message_id: str, raw: bytes = b"Subject: s\r\n\r\nbody\r\n") -> None:
        """The message's object, as SES puts it."""
        self.cloud.s3.put_object(Bucket=self.template.name("MailBucket"), Key=f"inbound/{message_id}", Body=raw)

    def entries(self, message_id: str) -> dict[str, dict[str, Any]]:
        return {row["entry"]: row for row in self.cloud.partition("LedgerTable", message_id=message_id)}

    def queued(self, queue: str = "RetryQueue") -> list[dict[str, Any]]:
        """What is on a queue; it is taken from there."""
        return self.cloud.messages(queue)

    def url(self, queue: str) -> str:
        return self.cloud.sqs.get_queue_url(QueueName=self.template.name(queue))["QueueUrl"]

    def enter(self, monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
        """Set the environment in which the command finds this stack, and these variables."""
        variables = {
            "POSTERN_DOMAINS": "example.com",
            "POSTERN_ALIAS_TABLE": self.template.name("AliasTable"),
            "POSTERN_SENDER_TABLE": self.template.name("SenderTable"),
            "POSTERN_LEDGER_TABLE": self.template.name("LedgerTable"),
            "POSTERN_MAIL_BUCKET": self.template.name("MailBucket"),
            "POSTERN_RETRY_QUEUE": self.url("RetryQueue"),
            "POSTERN_DEAD_LETTERS": self.url("DeadLetterQueue"),
        }
        enter(self.cloud, monkeypatch, **variables, **more)

    def clear(self) -> None:
        rows = self.cloud.rows("LedgerTable")
        self.cloud.delete("LedgerTable", ({"message_id": row["message_id"], "entry": row["entry"]} for row in rows))
        for queue in map(self.url, ("RetryQueue", "DeadLetterQueue")):
            while batch := self.cloud.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
                for message in batch:
                    self.cloud.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        bucket = self.template.name("MailBucket")
        for found in self.cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
            self.cloud.s3.delete_object(Bucket=bucket, Key=found["Key"])


@pytest.fixture(scope="session")
def _started() -> Iterator[tuple[Cloud, Template]]:
    template = Template.load(ROOT / "template.yaml", "postern-office", {"Domains": "example.com"})
    cloud = CloudHere(template)
    cloud.start()
    yield cloud, template
    cloud.stop()


@pytest.fixture
def office(_started: tuple[Cloud, Template], world: World, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office(*_started)
    made.enter(monkeypatch)
    made.clear()
    return made
