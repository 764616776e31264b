"""A stack on ministack: the real `sam` and `postern` commands, SMTP in front of it, and Maildirs behind."""

import json
import os
import platform
import re
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import boto3

from emulator.cloud import HOST
from emulator.function import ROOT
from emulator.receiving.smtp import Receiving
from emulator.receiving.zone import Zone
from emulator.sending.maildirs import Maildirs
from emulator.sending.refusals import Account
from emulator.sending.server import Sending
from emulator.template import REGION
from tests.deploy.cloud import Ministack
from tests.deploy.receipt import ActiveRules, InboundFunction

STACK = "gate"
DOMAIN = "example.com"
DEADLINE = 60.0  # seconds for anything to happen; nothing is measured against it
COMMAND_DEADLINE = 150.0  # seconds for one command
_BUILD = ROOT / ".aws-sam" / "deploy"  # of its own: `make sam` builds for the template's processor, this for the host's
_TEMPLATE = _BUILD / "build" / "template.yaml"
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
ARCHITECTURE = _MACHINES[platform.machine()]

# Lists of what a stack makes: service, call, where the list is in the answer, and what an entry is called.
KINDS = (
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_layers", "Layers", "LayerName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "EventSourceArn"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("ses", "list_receipt_rule_sets", "RuleSets", "Name"),
    ("sesv2", "list_email_identities", "EmailIdentities", "IdentityName"),
    ("sesv2", "list_configuration_sets", "ConfigurationSets", ""),
)

_T = TypeVar("_T")


class Deployment:
    """ministack and all that stands around it; a context manager. `folder` is for what they write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.maildirs = Maildirs(folder / "maildirs")
        self.account = Account(identities={DOMAIN}, configuration_sets={f"{STACK}-forward"})
        self.sending = Sending(self.account, self.maildirs.deliver)

    def __enter__(self) -> Self:
        """Start everything; the stack is not deployed yet."""
        with self._stack as starting:
            self.sending.start()
            starting.callback(self.sending.stop)
            self._ministack = starting.enter_context(Ministack(self._folder, self.sending.endpoint))
            self.endpoint = self._ministack.endpoint
            self.wait_for("ministack", self._ministack.healthy)
            self._receiving = Receiving(
                ActiveRules(self),
                self,
                InboundFunction(self),
                Zone.load(ROOT / "emulator" / "zone.toml"),
                received=self.sending.bouncing.receive,
            )
            self._receiving.start()
            starting.callback(self._receiving.stop)
            self._stack = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, last started first."""
        self._stack.close()

    def wait_for(self, what: str, condition: Callable[[], _T | None]) -> _T:
        """What the condition says as soon as it says something; fails after DEADLINE, or if IAM denies a call."""
        end = time.monotonic() + DEADLINE
        while not (found := condition()):
            assert self._ministack.denials() == []
            assert time.monotonic() < end, f"{what}: not within {DEADLINE} seconds; see {self._ministack.log}"
            time.sleep(0.1)
        return found

    # --- the commands that a user types -----------------------------------------------------------------

    def build(self) -> None:
        """`sam build` for this host's processor."""
        self._sam("build", *_overrides(), "--build-dir", str(_BUILD / "build"), "--cache-dir", str(_BUILD / "cache"))

    def deploy(self, **parameters: str) -> str:
        """`sam deploy`; returns what it said."""
        options = ["--config-file", str(ROOT / "samconfig.toml"), "--no-confirm-changeset", "--no-progressbar"]
        wanted = _overrides(Domain=DOMAIN, OwnerAddress="ops@owner.example", **parameters)
        return self._sam("deploy", "--template-file", str(_TEMPLATE), "--stack-name", STACK, *options, *wanted)

    def delete(self) -> None:
        """What `sam delete` does with the stack; its own waiting looks every 30 seconds only."""
        client = self.client("cloudformation")
        (stack,) = client.describe_stacks(StackName=STACK)["Stacks"]
        client.delete_stack(StackName=STACK)
        by_id = stack["StackId"]  # by its name a stack that is gone is not found

        def status() -> str:
            return str(client.describe_stacks(StackName=by_id)["Stacks"][0]["StackStatus"])

        self.wait_for("deletion", lambda: status() != "DELETE_IN_PROGRESS")
        assert status() == "DELETE_COMPLETE", client.describe_stack_events(StackName=by_id)["StackEvents"]

    def postern(self, *arguments: str) -> str:
        """The `postern` command on this stack."""
        return self._run([str(Path(sys.executable).parent / "postern"), *arguments, "--stack", STACK])

    # --- mail ---------------------------------------------------------------------------------------------

    def write(self, *recipients: str, subject: str = "Hello") -> str:
        """Send a message over SMTP; returns SES's message id. Raises smtplib's errors."""
        text = f"From: Betsy <betsy@sender.example>\r\nTo: {recipients[0]}\r\nSubject: {subject}\r\n\r\nThe body.\r\n"
        with smtplib.SMTP(HOST, self._receiving.port, timeout=DEADLINE) as client:
            client.ehlo("mx.sender.example")
            client.mail("betsy@sender.example")
            for recipient in recipients:
                code, answer = client.rcpt(recipient)
                if code != 250:
                    raise smtplib.SMTPRecipientsRefused({recipient: (code, answer)})
            code, answer = client.data(text.encode("ascii"))
        found = re.fullmatch(rb"Ok (\w+)", answer)
        assert found, answer
        return found[1].decode("ascii")

    def arrived(self, destination: str, number: int = 1) -> bytes:
        """The newest message of a destination, when it has that many."""
        messages = self.wait_for(
            f"{number} messages for {destination}",
            lambda: found if len(found := self.maildirs.messages(destination)) >= number else None,
        )
        assert len(messages) == number
        return messages[-1]

    # --- what can be seen of the stack -----------------------------------------------------------------------

    @property
    def s3(self) -> Any:
        """A client, also for the S3 action of the receiving double."""
        return self.client("s3")

    def client(self, service: Any) -> Any:
        """A boto3 client of ministack, as the account's owner."""
        return self._session.client(service, endpoint_url=self.endpoint)

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def ledger(self, message_id: str) -> dict[str, dict[str, Any]]:
        """The ledger's entries of a message, by their sort key."""
        table = self._session.resource("dynamodb", endpoint_url=self.endpoint).Table(f"{STACK}-ledger")
        rows = table.query(KeyConditionExpression="message_id = :id", ExpressionAttributeValues={":id": message_id})[
            "Items"
        ]
        return {str(row["entry"]): row for row in rows}

    def settled(self, message_id: str) -> dict[str, dict[str, Any]]:
        """The ledger's entries of a message, when it is closed."""

        def closed() -> dict[str, dict[str, Any]] | None:
            entries = self.ledger(message_id)
            return entries if "message" in entries and "open" not in entries["message"] else None

        return self.wait_for(f"the ledger closing {message_id}", closed)

    def read_retries(self, wanted: bool) -> None:
        """Let the function read the retry queue, or not."""
        client = self.client("lambda")
        (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=wanted)

    def waiting(self, number: int) -> list[dict[str, Any]]:
        """What is on the retry queue, when it is so much; it stays there."""
        client, url = self.client("sqs"), self.outputs()["RetryQueueUrl"]
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

        def reached() -> bool:
            attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=list(counts))["Attributes"]
            return sum(int(attributes[count]) for count in counts) == number

        self.wait_for(f"{number} messages on the retry queue", reached)
        found = client.receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages", ()) if number else ()
        return [json.loads(message["Body"]) for message in found]

    def left(self) -> list[str]:
        """Everything there is that a stack may have made, but for what `sam deploy` keeps for itself."""
        found = [f"table {name}" for name in sorted(self.client("dynamodb").list_tables()["TableNames"])]
        buckets = [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]
        found += [f"bucket {name}" for name in buckets if not name.startswith("aws-sam-cli")]
        for service, call, key, name in KINDS:
            page = getattr(self.client(service), call)()
            found += [f"{call} {one[name] if name else one}" for one in page.get(key, ())]
        return found

    def log_lines(self, group: str) -> list[dict[str, Any]]:
        """The lines of JSON in a log group."""
        events = self.client("logs").filter_log_events(logGroupName=f"/postern/{STACK}/{group}")["events"]
        texts = [event["message"].strip() for event in events]
        return [json.loads(text) for text in texts if text.startswith("{")]

    def measured(self, metric: str) -> float:
        """The sum of a metric, from the lines that CloudWatch makes metrics of (embedded metric format)."""
        values = [line[metric] for line in self.log_lines("inbound") if "_aws" in line and metric in line]
        return sum(sum(value) if isinstance(value, list) else value for value in values)

    def denied(self) -> list[str]:
        """The calls that IAM refused so far."""
        return self._ministack.denials()

    # --- starting, running ------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """For every command: where AWS is, and who we are."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        own = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_TELEMETRY": "0",
            "MACHINE": {"arm64": "aarch64"}.get(ARCHITECTURE, ARCHITECTURE),
        }
        return {**kept, **own}

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)

    def _sam(self, *arguments: str) -> str:
        return self._run([str(ROOT / ".venv-sam" / "bin" / "sam"), *arguments])

    def _run(self, command: list[str]) -> str:
        """What the command said; fails with it if it does not end well."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_DEADLINE,
            check=False,
        )
        assert done.returncode == 0, "\n".join([" ".join(command), done.stdout, *self.denied()])
        return done.stdout


def _overrides(**parameters: str) -> list[str]:
    wanted = {"Architecture": ARCHITECTURE, **parameters}
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in wanted.items())]
