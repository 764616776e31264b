"""A stack on ministack: the real `sam` and `postern` commands, SMTP in front of it, and Maildirs behind."""

import os
import platform
import re
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TypeVar

from emulator.account import REGION
from emulator.cloud import HOST
from emulator.function import ROOT
from emulator.receiving.name_server import NameServer
from emulator.receiving.smtp import Receiving
from emulator.receiving.zone import Zone
from emulator.sending.maildirs import Maildirs
from emulator.sending.refusals import Account
from emulator.sending.server import Sending
from tests.deploy import alias_api, first_day
from tests.deploy.cloud import Ministack
from tests.deploy.deployed import STACK, Deployed
from tests.deploy.doors import Doors
from tests.deploy.names import HostedZones
from tests.deploy.receipt import ActiveRules, EventDestinations, InboundFunction
from tests.password_managers import Asked

DOMAIN, OWNER = "example.com", "ops@owner.example"
AUTHOR = "betsy@sender.example"
DEADLINE = 60.0  # seconds for anything to happen; nothing is measured against it
COMMAND_DEADLINE = 300.0  # seconds for one command; SES is asked once a second for each new domain
_BUILD = ROOT / ".aws-sam" / "deploy"  # of its own: `make sam` builds for the template's processor, this for the host's
_TEMPLATE = _BUILD / "build" / "template.yaml"
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
ARCHITECTURE = _MACHINES[platform.machine()]

_T = TypeVar("_T")


class Deployment:
    """ministack and all that stands around it; a context manager. `folder` is for what they write.

    `stack` is what AWS shows of it; `received` are the ids of the messages that were taken in SMTP.
    """

    here: Path  # where the commands of the first day are typed
    zone: str  # the domain's hosted zone, once there is ministack

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.maildirs = Maildirs(folder / "maildirs")
        self.account = Account(identities={DOMAIN}, configuration_sets={f"{STACK}-forward"})
        self.sending = Sending(self.account, self.maildirs.deliver)
        self.received: list[str] = []
        self._parameters = {"Architecture": ARCHITECTURE, "Domains": DOMAIN, "OwnerAddress": OWNER}

    def __enter__(self) -> Self:
        """Start everything; the stack is not deployed yet."""
        with self._stack as starting:
            self.sending.start()
            starting.callback(self.sending.stop)
            self._ministack = starting.enter_context(Ministack(self._folder, self.sending.endpoint))
            self.stack = Deployed(self._ministack.endpoint)
            self.doors = Doors(self.stack, self._ministack.endpoint)
            self.sending.publish = EventDestinations(self.stack).publish
            self.wait_for("ministack", self._ministack.healthy)
            self.zone = self.stack.make_zone(DOMAIN)
            self._receiving = Receiving(
                ActiveRules(self.stack),
                self.stack,
                InboundFunction(self.stack),
                Zone.load(ROOT / "emulator" / "zone.toml"),
                received=self.sending.bouncing.receive,
            )
            self._receiving.start()
            self._names = starting.enter_context(NameServer(HostedZones(self.stack.client)))
            starting.callback(self._receiving.stop)
            self._stack = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, last started first."""
        self._stack.close()

    def wait_for(self, what: str, condition: Callable[[], _T | None], seconds: float = DEADLINE) -> _T:
        """What the condition says as soon as it says something; fails after so long, or if IAM denies a call."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            self.assert_nothing_denied()
            assert time.monotonic() < end, f"{what}: not within {seconds} seconds; see {self._ministack.log}"
            time.sleep(0.1)
        return found

    def assert_nothing_denied(self) -> None:
        """Fails with all that IAM refused so far."""
        denied = self._ministack.denials()
        assert not denied, "\n".join(denied)

    def denied_meanwhile(self, work: Callable[[], None]) -> int:
        """How many calls IAM refused while this was done; they are on the list no longer."""
        self.assert_nothing_denied()
        work()
        found = len(self._ministack.denials())
        self._ministack.forget_denials()
        return found

    def let_time_pass(self) -> None:
        """Make every schedule due."""
        self._ministack.let_time_pass()

    # --- the commands that a user types -----------------------------------------------------------------

    def clone(self, release: str = "") -> Path:
        """A fresh clone, where the commands of `first_day` are typed; of the stack of a release, if one is given."""
        self.here = first_day.clone(self._folder, release)
        return self.here

    def type(self, command: str, folder: Path, *answers: str) -> str:
        """A command as a document has it, in a clone, with a line typed for each question."""
        given = "".join(f"{answer}\n" for answer in answers)
        return first_day.typed(command, folder, self.environment, given, seconds=COMMAND_DEADLINE * 2)

    def deploy(self, **parameters: str) -> None:
        """`sam deploy` with these parameters and those of before; fails if it changed nothing, or without any if it
        changed something."""
        self._parameters |= parameters
        options = ["--config-file", str(ROOT / "samconfig.toml"), "--no-confirm-changeset", "--no-progressbar"]
        options += ["--no-fail-on-empty-changeset"]
        options += ["--parameter-overrides", *(f"{name}={value}" for name, value in self._parameters.items())]
        said = self._sam("deploy", "--template-file", str(_TEMPLATE), "--stack-name", STACK, *options)
        assert ("Successfully created/updated stack" in said) == bool(parameters), said

    def delete(self) -> None:
        """What `sam delete` does with the stack; its own waiting looks every 30 seconds only."""
        client = self.stack.client("cloudformation")
        (stack,) = client.describe_stacks(StackName=STACK)["Stacks"]
        client.delete_stack(StackName=STACK)
        by_id = stack["StackId"]  # by its name a stack that is gone is not found

        def status() -> str:
            return str(client.describe_stacks(StackName=by_id)["Stacks"][0]["StackStatus"])

        self.wait_for("deletion", lambda: status() != "DELETE_IN_PROGRESS", COMMAND_DEADLINE)
        assert status() == "DELETE_COMPLETE", client.describe_stack_events(StackName=by_id)["StackEvents"]

    def postern(self, *arguments: str, status: int = 0) -> str:
        """What the `postern` command says on this stack; it ends with this status."""
        return self._run([str(Path(sys.executable).parent / "postern"), *arguments, "--stack", STACK], status)

    def ask_for(self, said: Mapping[str, Any], asked: Asked) -> tuple[int, str]:
        """What the door for password managers answers, with what `postern token add --json` said: (status, body)."""
        return alias_api.ask(self._ministack.endpoint, said["url"], asked, said["token"])

    # --- mail ---------------------------------------------------------------------------------------------

    def answers(self, *recipients: str) -> list[int]:
        """What SMTP says to each recipient; no message is sent."""
        with smtplib.SMTP(HOST, self._receiving.port, timeout=DEADLINE) as client:
            client.ehlo("mx.sender.example")
            client.mail(AUTHOR)
            return [client.rcpt(recipient)[0] for recipient in recipients]

    def write(self, *recipients: str, subject: str = "Hello") -> str:
        """Send a message over SMTP to recipients that are all taken; returns SES's message id."""
        text = f"From: Betsy <{AUTHOR}>\r\nTo: {recipients[0]}\r\nSubject: {subject}\r\n\r\nThe body.\r\n"
        with smtplib.SMTP(HOST, self._receiving.port, timeout=DEADLINE) as client:
            client.ehlo("mx.sender.example")
            client.mail(AUTHOR)
            assert [client.rcpt(recipient)[0] for recipient in recipients] == [250] * len(recipients)
            _, answer = client.data(text.encode("ascii"))
        found = re.fullmatch(rb"OK (\w+)", answer)
        assert found, answer
        self.received.append(found[1].decode("ascii"))
        return self.received[-1]

    def arrived(self, destination: str, number: int = 1) -> bytes:
        """The newest message of a destination, when it has that many."""
        messages = self.wait_for(
            f"{number} messages for {destination}",
            lambda: found if len(found := self.maildirs.messages(destination)) >= number else None,
        )
        assert len(messages) == number
        return messages[-1]

    def settled(self, message_id: str) -> dict[str, dict[str, Any]]:
        """The ledger's entries of a message, when it is closed."""

        def closed() -> dict[str, dict[str, Any]] | None:
            entries = self.stack.ledger(message_id)
            return entries if "message" in entries and "open" not in entries["message"] else None

        return self.wait_for(f"the ledger closing {message_id}", closed)

    # --- running ------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """For every command: where AWS is, and who we are."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        own = {
            "AWS_ENDPOINT_URL": self._ministack.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_TELEMETRY": "0",
            "POSTERN_RESOLVERS": self._names.address,
            "MACHINE": {"arm64": "aarch64"}.get(ARCHITECTURE, ARCHITECTURE),
        }
        return {**kept, **own}

    def _sam(self, *arguments: str) -> str:
        return self._run([str(ROOT / ".venv-sam" / "bin" / "sam"), *arguments])

    def _run(self, command: list[str], status: int = 0) -> str:
        """What the command said; fails with it if it does not end with this status."""
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
        assert done.returncode == status, "\n".join([" ".join(command), done.stdout, *self._ministack.denials()])
        return done.stdout
