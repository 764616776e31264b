"""The stack that a command works on, and what it is made of. The first of these that is there:

1. `--stack NAME`
2. the variables that name its parts, POSTERN_ALIAS_TABLE and the others in _PARTS, as the functions have them;
   `make local` writes them to `.local/env`. With one of them set, no part is looked for elsewhere
3. POSTERN_STACK
4. samconfig.toml in the working directory, as `sam deploy` reads it, with its region and profile;
   POSTERN_ENV names another environment than `default`

A command asks for the parts it needs, and only those must have a name.
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
from .status import WrongUse
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

# What has a name of its own in each stack: its variable, and its output of template.yaml.
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
# What was chosen for it: the variable, and the parameter of template.yaml.
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
    """What is known of a stack: the names of its parts and what was chosen for it, by what they are for.

    `deployed` is its name, "" where the environment names its parts.
    """

    known: Mapping[str, str]
    deployed: str = ""

    @classmethod
    def find(cls, option: str | None) -> "Stack":
        """The stack that is meant. Raises WrongUse if nothing says which, Temporary if AWS cannot be asked."""
        told = {name: os.environ.get(variable, "").strip() for name, (variable, _) in _NAMES.items()}
        told = {name: value for name, value in told.items() if value}
        if told.keys() & _PARTS.keys() and not option:
            be_in(Where.typed)
            return cls(told)
        name = stack_name(option)
        if not name:
            raise WrongUse(
                "which stack? Say --stack NAME or set POSTERN_STACK; set POSTERN_ALIAS_TABLE, POSTERN_SENDER_TABLE,"
                " POSTERN_DOMAINS and what else the command needs; or work where a samconfig.toml with a stack_name is"
            )
        return cls(_described(name), name)

    def __getitem__(self, thing: str) -> str:
        """The name of a part. Raises WrongUse, or Misconfigured for a stack, if it has none."""
        if thing in self.known:
            return self.known[thing]
        variable, output = _NAMES[thing]
        if self.deployed:
            raise Misconfigured(
                f"stack {self.deployed} is not Postern's, or was not deployed whole: it has no {output}"
            )
        there = next(one for name, (one, _) in _PARTS.items() if name in self.known)
        raise WrongUse(f"{variable} is not set, but {there} is: set it too (the stack's {output}), or say --stack NAME")

    def get(self, thing: str) -> str | None:
        """The name of a part, None if it has none."""
        return self.known.get(thing)

    @property
    def domains(self) -> frozenset[str]:
        """Our own, in lower case and as A-labels. Raises WrongUse for what is no list of domains."""
        typed = self["domains"]
        try:
            return frozenset(Address.parse(f"x@{domain.strip()}").domain for domain in typed.split(","))
        except InvalidAddress as fault:
            raise WrongUse(f"POSTERN_DOMAINS is no list of domains: {typed!r}") from fault

    def with_domain(self, text: str) -> str:
        """A bare name with the domain, where it is known that there is only one. Raises WrongUse as `domains` does."""
        return with_domain(text, self.domains) if "domains" in self.known else text

    @property
    def policy(self) -> Policy:
        """What the stack says for all mail, beside the settings. Raises WrongUse for what is no list of domains."""
        style = DOT if self.known.get("parent_domains", "").lower() == "false" else PARENT
        return Policy(self.domains, style)

    @property
    def prefix(self) -> str:
        """What precedes a message's id in the bucket."""
        return os.environ.get("POSTERN_MAIL_PREFIX") or DEFAULT_PREFIX

    # Its parts, on AWS. Each raises WrongUse or Misconfigured without a name, Temporary without a region.
    # boto3 takes half a second, so it is imported where a part is first asked for.

    @property
    def tables(self) -> "DynamoTables":
        """The tables, read by key."""
        from .aws import parts  # noqa: PLC0415

        return parts.tables(self)

    @property
    def rows(self) -> "TableRows":
        """Aliases and sender rules as a whole, to list and to write."""
        from .aws import parts  # noqa: PLC0415

        return parts.rows(self)

    @property
    def tokens(self) -> "Tokens":
        """Tokens of password managers, to list and to write."""
        from .aws import parts  # noqa: PLC0415

        return parts.tokens(self)

    @property
    def destinations(self) -> "DynamoDestinations":
        """The health of destinations, to list and to resume."""
        from .aws import parts  # noqa: PLC0415

        return parts.destinations(self)

    @property
    def ledger(self) -> "History":
        """What became of messages."""
        from .aws import parts  # noqa: PLC0415

        return parts.ledger(self)

    @property
    def contacts(self) -> "DynamoContacts":
        """The rows behind reply addresses."""
        from .aws import parts  # noqa: PLC0415

        return parts.contacts(self)

    @property
    def watch_state(self) -> "DynamoWatchState":
        """What the scheduled check keeps in the ledger."""
        from .aws import parts  # noqa: PLC0415

        return parts.watch_state(self)

    @property
    def summaries(self) -> "DynamoSummaries":
        """Days of the ledger, added up."""
        from .aws import parts  # noqa: PLC0415

        return parts.summaries(self)

    @property
    def bucket(self) -> "S3MailStore":
        """The messages themselves."""
        from .aws import parts  # noqa: PLC0415

        return parts.bucket(self)

    def queue(self, thing: str) -> "Backlog":
        """One of its queues."""
        from .aws import parts  # noqa: PLC0415

        return parts.queue(self, thing)


def _described(name: str) -> dict[str, str]:
    """What a deployed stack says of itself. Raises Temporary, Misconfigured if it is none of Postern's."""
    from .aws import reach  # noqa: PLC0415 (boto3 takes half a second; offline commands do without)

    outputs, parameters = reach.described(name)
    if _PARTS["aliases"][1] not in outputs or _DOMAINS[1] not in parameters:
        missing = _PARTS["aliases"][1] if _PARTS["aliases"][1] not in outputs else _DOMAINS[1]
        raise Misconfigured(f"stack {name} is not Postern's, or was not deployed whole: it has no {missing}")
    told = {**parameters, **outputs}
    return {thing: told[output] for thing, (_, output) in _NAMES.items() if told.get(output)}


def stack_name(option: str | None) -> str | None:
    """The stack by option, variable or samconfig.toml; in the last case AWS is asked where it is.

    Raises WrongUse for a samconfig.toml that cannot be read, Temporary for a profile that is not there.
    """
    sam = SamConfig.load(environment())
    name = option or os.environ.get("POSTERN_STACK") or sam.stack
    known = sam if name == sam.stack else SamConfig()
    be_in(Where(Where.typed.region or known.region, Where.typed.profile or known.profile))
    return name


def be_in(where: Where) -> None:
    """All calls from now on go there. Raises Temporary for a profile that is not there."""
    if where.region or where.profile:
        from .aws import reach  # noqa: PLC0415 (boto3 takes half a second; offline commands do without)

        reach.be_in(where.region, where.profile)
