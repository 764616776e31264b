"""A stack on ministack: the real `sam` and `postern` commands, SMTP in front of it, and Maildirs behind."""

import json
import os
import platform
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import boto3

from emulator.cloud import HOST
from emulator.function import ROOT
from emulator.receiving.rules import Rule
from emulator.receiving.smtp import Receiving
from emulator.receiving.zone import Zone
from emulator.sending.maildirs import Maildirs
from emulator.sending.refusals import Account
from emulator.sending.server import Sending
from emulator.template import ACCOUNT, REGION

STACK = "gate"
DOMAIN = "example.com"
DEADLINE = 60.0  # seconds for anything to happen; nothing is measured against it
COMMAND_DEADLINE = 150.0  # seconds for one command
_BUILD = ROOT / ".aws-sam" / "deploy"  # of its own: `make sam` builds for the template's processor, this for the host's
_TEMPLATE = _BUILD / "build" / "template.yaml"
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
ARCHITECTURE = _MACHINES[platform.machine()]

_T = TypeVar("_T")


def wait_for(what: str, condition: Callable[[], _T]) -> _T:
    """What the condition says as soon as it says something; fails after DEADLINE."""
    end = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what}: not within {DEADLINE} seconds"
        time.sleep(0.1)
    return found


class Deployment:
    """ministack and all that stands around it; a context manager. `folder` is for what they write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.maildirs = Maildirs(folder / "maildirs")
        self.account = Account(identities={DOMAIN}, configuration_sets={f"{STACK}-forward"})
        self.sending = Sending(self.account, self.maildirs.deliver)
        self.denials = folder / "denials"
        self.log = folder / "ministack.log"

    def __enter__(self) -> Self:
        """Start everything; the stack is not deployed yet."""
        with self._stack as starting:
            self.sending.start()
            starting.callback(self.sending.stop)
            self._start_ministack(starting)
            self._receiving = Receiving(ActiveRules(self), self, InboundFunction(self), _zone())
            self._receiving.start()
            starting.callback(self._receiving.stop)
            self._stack = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, last started first."""
        self._stack.close()

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

        wait_for("deletion", lambda: status() != "DELETE_IN_PROGRESS")
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
        messages = wait_for(
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
        return {row["entry"]: row for row in rows}

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
        return self.denials.read_text(encoding="utf-8").splitlines() if self.denials.exists() else []

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

    def _start_ministack(self, starting: ExitStack) -> None:
        port = _free_port()
        self.endpoint = f"http://localhost:{port}"
        variables = {
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "IOT_MTLS_ENABLED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self._folder),
            "POSTERN_SENDING": self.sending.endpoint,
            "POSTERN_DENIALS": str(self.denials),
        }
        process = subprocess.Popen(
            [str(ROOT / ".venv-ministack" / "bin" / "python"), str(Path(__file__).parent / "launcher.py")],
            env={"PATH": os.environ["PATH"], **variables},
            stdout=starting.enter_context(self.log.open("wb")),
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its functions are children of its own, and end with it
        )
        starting.callback(_stop, process)
        wait_for("ministack", lambda: self._healthy(process))

    def _healthy(self, process: "subprocess.Popen[bytes]") -> bool:
        assert process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=DEADLINE) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

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


class ActiveRules(Iterable[Rule]):
    """The rules of the rule set that is active at this moment, as SES has them."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def __iter__(self) -> Iterator[Rule]:
        for rule in self._deployment.client("ses").describe_active_receipt_rule_set().get("Rules", ()):
            if rule["Enabled"]:
                actions = tuple(next(iter(action.items())) for action in rule["Actions"])
                yield Rule(rule["Name"], tuple(rule.get("Recipients", ())), rule["ScanEnabled"], actions)


class InboundFunction:
    """The deployed function, invoked as SES does."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    @property
    def arn(self) -> str:
        """What the active rule's Lambda action names."""
        actions = [action for rule in ActiveRules(self._deployment) for action in rule.actions]
        return str(dict(actions)["LambdaAction"]["FunctionArn"])

    def invoke(self, event: object) -> None:
        """InvocationType Event."""
        payload = json.dumps(event).encode()
        answer = self._deployment.client("lambda").invoke(
            FunctionName=self.arn, InvocationType="Event", Payload=payload
        )
        assert answer["StatusCode"] == 202, answer


def _zone() -> Zone:
    return Zone.load(ROOT / "emulator" / "zone.toml")


def _overrides(**parameters: str) -> list[str]:
    wanted = {"Architecture": ARCHITECTURE, **parameters}
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in wanted.items())]


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        port: int = listening.getsockname()[1]
        return port


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its children, by the session that it was started in."""
    for number in (signal.SIGTERM, signal.SIGKILL):  # the second for children that outlive it
        with suppress(ProcessLookupError):  # nobody is left
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
