"""The stack that a command works on, and its parts. It is the first of these:

1. `--stack NAME`
2. the variables that name its parts, POSTERN_ALIAS_TABLE and the others in _PARTS, as the functions use them;
   `make local` writes them to `.local/env`. If one is set, all parts come from variables
3. POSTERN_STACK
4. samconfig.toml in the working directory, as `sam deploy` reads it, with its region and profile;
   POSTERN_ENV selects an environment other than `default`

Only the parts that a command uses must have a name.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postern_mail.errors import Misconfigured
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.keys import with_domain
from postern_mail.mail.plan import Policy
from postern_mail.mail.senders import DOT, PARENT

from .samconfig import SamConfig, environment
from .status import UsageError
from .where import Where

if TYPE_CHECKING:
    from postern_mail.aws.destinations import DynamoDestinations
    from postern_mail.aws.forward.contacts import DynamoContacts
    from postern_mail.aws.forward.mail_store import S3MailStore
    from postern_mail.aws.forward.tables import DynamoTables
    from postern_mail.aws.watch.backlog import Backlog
    from postern_mail.aws.watch.history import History
    from postern_mail.aws.watch.state import DynamoWatchState
    from postern_mail.aws.watch.summaries import DynamoSummaries

    from .aws.table_rows import TableRows
    from .aws.tokens import Tokens

DEFAULT_PREFIX = "inbound/"

# The parts of a stack: the variable that names each, and its output in template.yaml.
_PARTS = {
    "aliases": ("POSTERN_ALIAS_TABLE", "AliasTableName"),
    "senders": ("POSTERN_SENDER_TABLE", "SenderTableName"),
    "destinations": ("POSTERN_DESTINATION_TABLE", "DestinationTableName"),
    "ledger": ("POSTERN_LEDGER_TABLE", "LedgerTableName"),
    "bucket": ("POSTERN_MAIL_BUCKET", "MailBucketName"),
    "retry_queue": ("POSTERN_RETRY_QUEUE", "RetryQueueUrl"),
    "dead_letters": ("POSTERN_DEAD_LETTERS", "DeadLetterQueueUrl"),
    "failures": ("POSTERN_FAILURES", "FailureQueueUrl"),
    "rule_set": ("POSTERN_RULE_SET", "RuleSetName"),
    "alarm_topic": ("POSTERN_ALARM_TOPIC", "AlarmTopicArn"),
    "functions": ("POSTERN_FUNCTIONS", "FunctionNames"),
    "version": ("POSTERN_VERSION", "CodeVersion"),
    "alias_api_url": ("POSTERN_ALIAS_API_URL", "AliasApiUrl"),
}
# The stack's parameters: the variable for each, and its name in template.yaml.
_CHOSEN = {
    "owner": ("POSTERN_OWNER", "OwnerAddress"),
    "zones": ("POSTERN_HOSTED_ZONES", "HostedZones"),
    "records": ("POSTERN_RECORDS", "Records"),
    "mail_from_label": ("POSTERN_MAIL_FROM_LABEL", "MailFromLabel"),
    "dmarc_policy": ("POSTERN_DMARC_POLICY", "DmarcPolicy"),
    "parent_domains": ("POSTERN_PARENT_DOMAIN_MATCHES_SUBDOMAINS", "ParentDomainMatchesSubdomains"),
}
_DOMAINS = ("POSTERN_DOMAINS", "Domains")
_NAMES = {**_PARTS, **_CHOSEN, "domains": _DOMAINS}


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack: `known` has the names of its parts and the values of its parameters.

    `deployed` is its name, "" if environment variables name its parts.
    """

    known: Mapping[str, str]
    deployed: str = ""

    @classmethod
    def find(cls, option: str | None) -> "Stack":
        """The stack to use. Raises UsageError if nothing says which, Temporary if AWS does not answer."""
        told = {name: os.environ.get(variable, "").strip() for name, (variable, _) in _NAMES.items()}
        told = {name: value for name, value in told.items() if value}
        if told.keys() & _PARTS.keys() and not option:
            select(Where.typed)
            return cls(told)
        name = stack_name(option)
        if not name:
            raise UsageError(
                "which stack? Give --stack NAME or set POSTERN_STACK; or work in a folder whose samconfig.toml has a"
                " stack_name; or set POSTERN_ALIAS_TABLE, POSTERN_SENDER_TABLE, POSTERN_DOMAINS and what else it needs"
            )
        return cls(_described(name), name)

    def __getitem__(self, thing: str) -> str:
        """The name of a part. If there is none, raises UsageError, or Misconfigured for a deployed stack."""
        if thing in self.known:
            return self.known[thing]
        variable, output = _NAMES[thing]
        if self.deployed:
            raise Misconfigured(
                f"stack {self.deployed} is not a complete Postern stack: it has no output or parameter {output}"
            )
        there = next(one for name, (one, _) in _PARTS.items() if name in self.known)
        raise UsageError(
            f"{variable} is not set, but {there} is: set it too (the stack's {output}), or use --stack NAME"
        )

    def get(self, thing: str) -> str | None:
        """The name of a part, None if it has none."""
        return self.known.get(thing)

    @property
    def domains(self) -> frozenset[str]:
        """Our own domains, in lower case and as A-labels. Raises UsageError if the value is not a list of domains."""
        typed = self["domains"]
        try:
            return frozenset(Address.parse(f"x@{domain.strip()}").domain for domain in typed.split(","))
        except InvalidAddress as fault:
            raise UsageError(f"POSTERN_DOMAINS is not a list of domains: {typed!r}") from fault

    def with_domain(self, text: str) -> str:
        """A bare name with the domain added, if there is only one. Raises UsageError as `domains` does."""
        return with_domain(text, self.domains) if "domains" in self.known else text

    @property
    def policy(self) -> Policy:
        """The stack's policy for all mail, apart from the settings. Raises UsageError as `domains` does."""
        style = DOT if self.known.get("parent_domains", "").lower() == "false" else PARENT
        return Policy(self.domains, style)

    @property
    def prefix(self) -> str:
        """The prefix of message keys in the bucket."""
        return os.environ.get("POSTERN_MAIL_PREFIX") or DEFAULT_PREFIX

    # Its parts on AWS. Each raises UsageError or Misconfigured without a name, Temporary without a region.
    # boto3 takes half a second to import, so that waits until a part is first used.

    @property
    def tables(self) -> "DynamoTables":
        """The tables, read by key."""
        from .aws import parts  # noqa: PLC0415

        return parts.tables(self)

    @property
    def rows(self) -> "TableRows":
        """Aliases and sender rules, to list and write."""
        from .aws import parts  # noqa: PLC0415

        return parts.rows(self)

    @property
    def tokens(self) -> "Tokens":
        """Password managers' tokens, to list and write."""
        from .aws import parts  # noqa: PLC0415

        return parts.tokens(self)

    @property
    def destinations(self) -> "DynamoDestinations":
        """The health of destinations, to list and resume."""
        from .aws import parts  # noqa: PLC0415

        return parts.destinations(self)

    @property
    def ledger(self) -> "History":
        """The ledger: what happened to each message."""
        from .aws import parts  # noqa: PLC0415

        return parts.ledger(self)

    @property
    def contacts(self) -> "DynamoContacts":
        """The rows behind reply addresses."""
        from .aws import parts  # noqa: PLC0415

        return parts.contacts(self)

    @property
    def watch_state(self) -> "DynamoWatchState":
        """The state that the watch function keeps in the ledger."""
        from .aws import parts  # noqa: PLC0415

        return parts.watch_state(self)

    @property
    def summaries(self) -> "DynamoSummaries":
        """The ledger's daily totals."""
        from .aws import parts  # noqa: PLC0415

        return parts.summaries(self)

    @property
    def bucket(self) -> "S3MailStore":
        """The stored messages."""
        from .aws import parts  # noqa: PLC0415

        return parts.bucket(self)

    def queue(self, thing: str) -> "Backlog":
        """One of its queues."""
        from .aws import parts  # noqa: PLC0415

        return parts.queue(self, thing)


def _described(name: str) -> dict[str, str]:
    """The parts and parameters of a deployed stack. Raises Temporary, Misconfigured if it is not a Postern stack."""
    from .aws import reach  # noqa: PLC0415 (boto3 takes half a second; offline commands do without)

    outputs, parameters = reach.described(name)
    if _PARTS["aliases"][1] not in outputs or _DOMAINS[1] not in parameters:
        missing = _PARTS["aliases"][1] if _PARTS["aliases"][1] not in outputs else _DOMAINS[1]
        raise Misconfigured(f"stack {name} is not a complete Postern stack: it has no output or parameter {missing}")
    told = {**parameters, **outputs}
    return {thing: told[output] for thing, (_, output) in _NAMES.items() if told.get(output)}


def stack_name(option: str | None) -> str | None:
    """The stack's name by option, variable or samconfig.toml, None if nothing names one. It also selects the region
    and profile for all calls.

    Raises UsageError for a samconfig.toml that cannot be read, Temporary for a profile that does not exist.
    """
    sam = SamConfig.load(environment())
    name = option or os.environ.get("POSTERN_STACK") or sam.stack
    known = sam if name == sam.stack else SamConfig()
    select(Where(Where.typed.region or known.region, Where.typed.profile or known.profile))
    return name


def select(where: Where) -> None:
    """Use this region and profile for all calls from now on. Raises Temporary for a profile that does not exist."""
    if where.region or where.profile:
        from .aws import reach  # noqa: PLC0415 (boto3 takes half a second; offline commands do without)

        reach.select(where.region, where.profile)
