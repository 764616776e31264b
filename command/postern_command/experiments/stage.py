"""The AWS resources of a run: receipt rules before all others, the topics they publish to, and a queue.

The rules have reserved recipients only, `postern-verify-...` at the domain and some at `postern-verify.DOMAIN`, and
end with a Stop action, so that no other mail matches them and none of theirs reaches the stack's own rules.
"""

import json
import time
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from postern_mail.aws import clients
from postern_mail.aws.failures import translated
from postern_mail.errors import Misconfigured

from .cleaning import clean, pace, prefix, rule_set
from .experiment import Received

MARK = "X-Postern-Verify"  # the header field that names the run and the experiment
RULES = ("first", "second")
SIMULATOR = "success@simulator.amazonses.com"  # docs.aws.amazon.com/ses, "Using the mailbox simulator"
_STOP: dict[str, Any] = {"StopAction": {"Scope": "RuleSet"}}
_POLL = 5  # seconds of one long poll of the queue


@dataclass(frozen=True, slots=True)
class Names:
    """The addresses of one run. `run`, its id, has lower-case letters and digits."""

    domain: str
    run: str

    def address(self, what: str) -> str:
        """A reserved address at the domain, whose public MX leads to SES."""
        return f"postern-verify-{self.run}-{what}@{self.domain}"

    @property
    def sender(self) -> str:
        """The sender of the run's messages."""
        return self.address("sender")

    @property
    def case(self) -> str:
        """The spelling in the first rule."""
        return self.address("case")

    @property
    def case_written(self) -> str:
        """The spelling that mail is sent to, and that is in the second rule."""
        return f"Postern-Verify-{self.run.upper()}-CASE@{self.domain}"

    @property
    def tag_written(self) -> str:
        """The address with a tag; the first rule has it without the tag, the second with it."""
        return self.address("tag+x")

    @property
    def null(self) -> str:
        """The recipient for the null-sender experiment by SMTP; its domain has no MX."""
        return f"null-{self.run}@postern-verify.{self.domain}"

    @property
    def half(self) -> str:
        """A recipient for SMTP that a rule matches."""
        return f"half-{self.run}@postern-verify.{self.domain}"

    @property
    def other(self) -> str:
        """A recipient for SMTP that no rule matches."""
        return f"other-{self.run}@postern-verify.{self.domain}"

    def letter(self, experiment: str, to: str, more: str = "", body: str = "A test of `postern verify`.") -> bytes:
        """The bytes of a message of this run; `more` are further header lines."""
        header = f"From: {self.sender}\r\nTo: {to}\r\nSubject: postern verify\r\n{MARK}: {self.run} {experiment}\r\n"
        return f"{header}{more}\r\n{body}\r\n".encode("ascii")


@dataclass
class Stage:
    """A run on AWS; `patience` is how many seconds to wait for a message."""

    names: Names
    stack: str
    bucket: str
    patience: float
    _seen: list[Received] = field(default_factory=list)
    _topics: dict[str, str] = field(default_factory=dict)
    _queue: str = ""
    _rule_set: str = ""

    def send(self, to: str, raw: bytes) -> str:
        """Send a message: returns "" if SES accepts it, else its refusal. Raises Temporary."""
        client = clients.ses()
        with translated("SES SendEmail"):
            try:
                client.send_email(
                    FromEmailAddress=self.names.sender,
                    Destination={"ToAddresses": [to]},
                    Content={"Raw": {"Data": raw}},
                )
            except (client.exceptions.BadRequestException, client.exceptions.MessageRejected) as refusal:
                said = refusal.response["Error"]
                return f"{said.get('Code', '')}: {said.get('Message', '')}"
        return ""

    def arrived(self, experiment: str) -> Received | None:
        """The message of an experiment, None if it did not arrive in time. Raises Temporary."""
        mark = f"{MARK}: {self.names.run} {experiment}\r\n".encode()
        until = time.monotonic() + self.patience
        while True:
            found = next((one for one in self._seen if mark in one.content), None)
            if found is not None or time.monotonic() >= until:
                return found
            self._seen.extend(self._listen())

    def may_write(self, name: str) -> str:
        """Create a rule that writes to the stack's bucket but is not named in the bucket policy: returns "" if SES
        accepts it, else its refusal. Raises Temporary."""
        action = {"S3Action": {"BucketName": self.bucket, "ObjectKeyPrefix": f"{name}/"}}
        try:
            self._make_rule(name, [self.names.address("bucket")], [action, _STOP])
        except Misconfigured as refusal:
            return str(refusal)
        return ""

    def _listen(self) -> Iterator[Received]:
        with translated("SQS ReceiveMessage"):
            got = clients.sqs().receive_message(
                QueueUrl=self._queue,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=max(0, min(_POLL, int(self.patience))),
            )
        for message in got.get("Messages", ()):
            told = json.loads(message["Body"])
            topic = told["receipt"]["action"]["topicArn"]
            rule = next(name for name, arn in self._topics.items() if arn == topic)
            mail = told["mail"]
            content = b64decode(told["content"])
            yield Received(rule, mail.get("source"), tuple(told["receipt"]["recipients"]), content)

    def _make_rule(self, name: str, recipients: Sequence[str], actions: list[dict[str, Any]]) -> None:
        rules = clients.receipt_rules()
        rule = {"Name": name, "Enabled": True, "ScanEnabled": False, "Recipients": recipients, "Actions": actions}
        pace()
        with translated("SES CreateReceiptRule"):
            try:
                rules.create_receipt_rule(RuleSetName=self._rule_set, Rule=rule)
            except rules.exceptions.InvalidS3ConfigurationException as refusal:
                raise Misconfigured(refusal.response["Error"]["Message"]) from refusal

    def build(self) -> None:
        """Create the queue, topics and rules. Raises Temporary."""
        self._rule_set, _ = rule_set()
        with translated("STS GetCallerIdentity"):
            account = clients.sts().get_caller_identity()["Account"]
        topics = {name: f"{prefix(self.stack)}{self.names.run}-{name}" for name in RULES}
        with translated("SQS and SNS, for the time of the run"):
            sqs, sns = clients.sqs(), clients.sns()
            self._queue = sqs.create_queue(QueueName=f"{prefix(self.stack)}{self.names.run}")["QueueUrl"]
            asked = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
            queue = asked["Attributes"]["QueueArn"]
            for rule, name in topics.items():
                self._topics[rule] = sns.create_topic(Name=name)["TopicArn"]
            policy = _policy(
                "sns", "sqs:SendMessage", queue, {"ArnLike": {"aws:SourceArn": f"arn:*:sns:*:{account}:*"}}
            )
            sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
            for arn in self._topics.values():
                policy = _policy("ses", "sns:Publish", arn, {"StringEquals": {"AWS:SourceAccount": account}})
                sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
                sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
        names = self.names
        recipients = {
            "first": [names.case, names.address("tag"), names.address("long"), names.sender, names.null, names.half],
            "second": [names.case_written, names.tag_written],
        }
        for rule in reversed(RULES):  # each is put first
            action = {"SNSAction": {"TopicArn": self._topics[rule], "Encoding": "Base64"}}
            self._make_rule(f"{prefix(self.stack)}{names.run}-{rule}", recipients[rule], [action, _STOP])


def region() -> str:
    """The region of the run. Raises Temporary if none is set."""
    with translated("SES"):
        return str(clients.receipt_rules().meta.region_name)


@contextmanager
def built(stage: Stage) -> Iterator[Stage]:
    """Build the stage, and always remove it afterwards. Raises Temporary; Misconfigured if the receipt rules are then
    not the same as before."""
    _, before = rule_set()
    try:
        stage.build()
        yield stage
    finally:
        clean(stage.stack)
        pace()
        _, left = rule_set()
    if left != [one for one in before if not one["Name"].startswith(prefix(stage.stack))]:
        raise Misconfigured("the receipt rules are not the same as before: compare them in the SES console")


def _policy(service: str, action: str, arn: str, condition: dict[str, dict[str, str]]) -> str:
    """A policy that lets an AWS service do this, for this account only."""
    return json.dumps({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": action,
                "Resource": arn,
                "Condition": condition,
            }
        ],
    })  # fmt: skip
