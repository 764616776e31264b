"""The whole system, with its parts started in dependency order."""

import json
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from postern_command.tables.file import TablesFile
from postern_mail.mail.rows import made_itself
from postern_mail.mail.token import ROWS as TOKENS

from .bus import Bus
from .cloud import CREDENTIALS, HOST, Cloud
from .domain_setup import deploy, publish, register
from .following import Following
from .function import LAMBDA_RETRY_DELAYS, ROOT, Function
from .function_url import FunctionUrl
from .loopback import Loopback
from .queue import EventSource
from .receiving.filter_api import FilterApi
from .receiving.name_server import NameServer
from .receiving.notifications import may_publish
from .receiving.rule_api import RuleApi
from .receiving.rule_set import RuleSet
from .receiving.smtp import Receiving
from .receiving.zone import Zone
from .sending.maildirs import Maildirs
from .sending.refusals import Account, Refusal
from .sending.server import Sending
from .sending.submission import Submission
from .template import Template

STACK = "postern-local"
OWNER = "owner@dest.example"
_COMMAND_VARIABLES = (
    "POSTERN_DOMAINS",
    "POSTERN_ALIAS_TABLE",
    "POSTERN_SENDER_TABLE",
    "POSTERN_DESTINATION_TABLE",
    "POSTERN_LEDGER_TABLE",
    "POSTERN_MAIL_BUCKET",
    "POSTERN_RETRY_QUEUE",
)
_QUEUES = {
    "POSTERN_DEAD_LETTERS": "DeadLetterQueue",
    "POSTERN_FAILURES": "FailureQueue",
}


@dataclass(frozen=True)
class Ports:
    """TCP ports on 127.0.0.1; 0 takes any free port."""

    smtp: int = 0
    aws: int = 0
    ses: int = 0
    submission: int = 0


class Emulator:
    """One stack of template.yaml for one mail domain; a context manager.

    The Maildirs and the function's log are in `folder`, or in a temporary folder that is removed at the end. Several in
    one process need different stack names, since moto has one account. With `first_day` the account is empty until
    `create`, and public DNS has no record of the domain.
    """

    def __init__(  # noqa: PLR0913 (each is one thing that a test or a person chooses)
        self,
        domain: str,
        folder: Path | None = None,
        *,
        ports: Ports = Ports(),
        retry_delays: tuple[float, ...] = LAMBDA_RETRY_DELAYS,
        zone: Zone | None = None,
        stack: str = STACK,
        parameters: Mapping[str, str] = MappingProxyType({}),
        first_day: bool = False,
    ) -> None:
        self._stack = ExitStack()
        self.folder = folder or Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="postern-")))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.template = Template.load(
            ROOT / "template.yaml", stack, {"Domains": domain, "OwnerAddress": OWNER, **parameters}
        )
        self.doors = {name: FunctionUrl(cors=one.get("Cors")) for name, one in self.template.doors().items()}
        for door in self.doors.values():
            self._stack.callback(door.stop)
        self.template = replace(self.template, urls={f"{name}Url": door.url for name, door in self.doors.items()})
        self.zone = zone or Zone.load(ROOT / "emulator" / "zone.toml")
        self.maildirs = Maildirs(self.folder / "maildirs")
        self.function_log = self.folder / "function.log"
        self.feedback_log = self.folder / "feedback.log"
        self.cloud = Cloud(self.template, ports.aws)
        sets = self.template.resources("AWS::SES::ConfigurationSet").values()
        account = Account(identities={domain}, configuration_sets={one["Name"] for one in sets})
        self.loopback = Loopback(domain, self.maildirs.deliver)
        self.sending = Sending(account, self.loopback.deliver, ports.ses)
        self.submission = Submission(self.sending, self.template.resource("ConfigurationSet")["Name"], ports.submission)
        self.rule_set = RuleSet.of(self.template)  # its `readings` may be set before the start
        self.rule_set.publishes = partial(may_publish, self.cloud)
        self.rule_api = RuleApi(self.rule_set)
        self.sending.operations |= self.rule_api.operations | {"DescribeStacks": no_such_stack}
        self.following: Following | None = None
        self._domain = domain
        self._ports = ports
        self._retry_delays = retry_delays
        self.names = NameServer(Zone())  # public DNS, as `postern dns` asks it
        register(self.names.zone, domain)
        self._first_day = first_day
        self.rule_set.active = not first_day
        if not first_day:
            self.publish()
        self.nameserver = ""  # the DNS server for functions instead of `names`, `address:port`; set before the start

    def __enter__(self) -> Self:
        """Start everything; returns when it accepts mail."""
        with self._stack as starting:
            starting.enter_context(self.names)
            self.cloud.listen()
            starting.callback(self.cloud.stop)
            if not self._first_day:
                self.cloud.declare()
            self.sending.start()
            starting.callback(self.sending.stop)
            self.submission.start()
            starting.callback(self.submission.stop)
            self.function = self._function("InboundFunction", self.function_log, starting)
            self.feedback = self._function("FeedbackFunction", self.feedback_log, starting)
            self.bus = Bus(self.template, {self.feedback.arn: self.feedback})
            self.sending.publish = self.bus.publish
            self.retries = EventSource(self.template, "RetryQueue", self.function, self.cloud)
            starting.callback(self.retries.stop)
            self._follow_the_table(starting)
            self.receiving = Receiving(
                self.rule_set,
                self.cloud,
                self.function,
                self.zone,
                self._ports.smtp,
                self.rule_set.readings,
                received=self.sending.bouncing.receive,
            )
            self.sending.operations |= FilterApi(self.receiving).operations
            self.receiving.start()
            starting.callback(self.receiving.stop)
            self.loopback.port = self.receiving.port
            for name, door in self.doors.items():
                door.call = self._function(name, self.function_log, starting).call
                door.start()
            self._stack = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything, last started first."""
        self._stack.close()

    def create(self) -> None:
        """On the first day, create what the template declares; SES then waits for the domain's DNS records."""
        self.cloud.declare()
        self.rule_set.active = True
        self._identify(verified=False)

    def publish(self) -> None:
        """Publish the domain's DNS records, which SES then sees."""
        publish(self.names.zone, self._domain)
        self._identify(verified=True)

    def _identify(self, *, verified: bool) -> None:
        configuration_set = self.template.resource("ConfigurationSet")["Name"]
        deploy(self.sending.standing, self._domain, configuration_set, verified=verified)

    @property
    def endpoints(self) -> dict[str, str]:
        """The variables that make any AWS SDK or CLI use this emulator."""
        ses = self.sending.endpoint
        return {
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_ENDPOINT_URL_SESV2": ses,
            "AWS_ENDPOINT_URL_SES": ses,
            "AWS_ENDPOINT_URL_CLOUDFORMATION": ses,
            "POSTERN_NAMESERVER": self.nameserver or self.names.address,
        }

    @property
    def environment(self) -> dict[str, str]:
        """`endpoints`, their credentials, and the variables of the `postern` command."""
        variables = self.template.resource("InboundFunction")["Environment"]["Variables"]
        named = {name: variables[name] for name in _COMMAND_VARIABLES}
        queues = {name: self.template.resolve({"Ref": queue}) for name, queue in _QUEUES.items()}
        ours = {
            "POSTERN_RULE_SET": self.rule_set.name,
            "POSTERN_RESOLVERS": self.names.address,
            "POSTERN_STACK": self.template.stack,
            "POSTERN_SUBMISSION": f"{HOST}:{self.submission.port}",
        }
        ours |= {"POSTERN_ALIAS_API_URL": self.doors["ApiFunction"].url} if "ApiFunction" in self.doors else {}
        return {**CREDENTIALS, **self.endpoints, **named, **queues, **ours}

    def load(self, tables: TablesFile) -> None:
        """Make the tables match a tables file as `apply` does: rows that Postern added stay, and so do tokens."""
        if tables.domains != {self._domain}:
            raise ValueError(f"this stack has the domain {self._domain}, the tables have {sorted(tables.domains)}")
        self._make_equal(
            "AliasTable",
            ("address",),
            [tables.all_settings, *(tables.whitelists or {}).values(), *tables.aliases.values()],
        )
        self._make_equal("SenderTable", ("sender", "scope"), tables.senders.values())

    def _make_equal(self, table: str, key: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> None:
        """Write only the differences: a table with thousands of rows is loaded again at each edit."""
        live = {tuple(row[name] for name in key): row for row in self.cloud.rows(table)}
        wanted = {tuple(row[name] for name in key): row for row in rows}
        self.cloud.put(table, (row for one, row in wanted.items() if live.get(one) != row))
        kept = (one for one, row in live.items() if made_itself(row) or one[0].startswith(TOKENS))
        gone = live.keys() - wanted.keys() - set(kept)
        self.cloud.delete(table, (dict(zip(key, one, strict=True)) for one in gone))

    def run_scheduled(self, logical_id: str, ahead: float = 0) -> dict[str, Any] | None:
        """Run a scheduled function once, as its schedule would in `ahead` seconds. Returns None, or the error."""
        scheduled = Function(
            self.template, logical_id, self.cloud, endpoints=self.endpoints, log_file=self.function_log, ahead=ahead
        )
        try:
            return scheduled.run(_told_by_schedule(self.template, logical_id))
        finally:
            scheduled.stop()

    def settle(self, timeout: float = 60) -> None:
        """Wait until every event has succeeded or is on the queue, and the receipt rules match the table.

        Raises TimeoutError.
        """
        self.follow()
        self.function.wait_until_idle(timeout)
        self.feedback.wait_until_idle(timeout)

    def follow(self) -> None:
        """Update the receipt rules from the alias table, if unknown recipients are refused."""
        if self.following is not None:
            self.following.follow()

    def _function(self, logical_id: str, log_file: Path, starting: ExitStack) -> Function:
        function = Function(
            self.template,
            logical_id,
            self.cloud,
            endpoints=self.endpoints,
            log_file=log_file,
            retry_delays=self._retry_delays,
        )
        starting.callback(function.stop)
        return function

    def _follow_the_table(self, starting: ExitStack) -> None:
        """Set up the function that refuses unknown recipients, as CloudFormation would."""
        if not self.template.resources("Custom::RecipientRules"):
            return
        function = self._function("RecipientsFunction", self.function_log, starting)
        self.following = Following(self.template, self.cloud, function)
        answer = self.following.ask("Create")
        if answer["Status"] != "SUCCESS":
            raise RuntimeError(f"RecipientRules: {answer['Reason']}")


def no_such_stack(form: Mapping[str, str]) -> Mapping[str, Any]:
    """Answer CloudFormation's DescribeStacks at SES's address: the resources exist without a stack. Raises Refusal."""
    raise Refusal("ValidationError", 400, f"Stack with id {form.get('StackName')} does not exist")


def _told_by_schedule(template: Template, logical_id: str) -> dict[str, Any]:
    """The event of a function's schedule: its Input, or EventBridge's default."""
    for event in template.resource(logical_id)["Events"].values():
        if "Input" in event["Properties"]:
            found: dict[str, Any] = json.loads(event["Properties"]["Input"])
            return found
    return {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
