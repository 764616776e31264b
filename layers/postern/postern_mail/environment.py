"""The environment of the functions, read once and checked as a whole.

Variables that several functions share form a group: a class of its own, and a field in the environment of each. The
metadata of every other field names its variable and explains it; docs/reference/environment.md is generated from it.
What the owner changes without a deployment is in `mail.settings`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from .errors import Misconfigured
from .mail.records import MISSING, Field, dataclass, field, fields

_CHOICES = {"aws_client": ("own", "boto3")}
_WORDS = {"true": True, "false": False}


def _env(variable: str, meaning: str, **options: Any) -> Any:
    return field(metadata={"variable": variable, "meaning": meaning}, **options)


class Environment:
    """The environment of one function: groups and variables."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read all variables. Raises Misconfigured, which names everything missing or wrong at once."""
        faults: list[str] = []
        found = _read_all(cls, environment, faults)
        if faults:
            raise Misconfigured("; ".join(faults))
        return cls(**found)


def groups(kind: Any) -> dict[str, type[Any]]:
    """The groups among the fields of an environment, by field name."""
    return {one.name: one.type for one in fields(kind) if isinstance(one.type, type) and "variable" not in one.metadata}


def variables(kind: Any) -> Iterator[Field[Any]]:
    """Every field that is a variable, including those in groups."""
    for one in fields(kind):
        if "variable" in one.metadata:
            yield one
        else:
            yield from variables(one.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Facts about the stack."""

    name: str = _env(
        "POSTERN_STACK", "Name of the stack; its metrics have it as their dimension `service`.", default="postern"
    )
    domains: tuple[str, ...] = _env(
        "POSTERN_DOMAINS", "Our own mail domains, separated by commas; a destination in one of them is an alias."
    )
    ledger_table: str = _env("POSTERN_LEDGER_TABLE", "Name of the ledger table.")
    log_addresses: bool = _env(
        "POSTERN_LOG_ADDRESSES", "Whether logs show whole addresses (`true`) or masked ones (`false`).", default=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where the messages are."""

    name: str = _env("POSTERN_MAIL_BUCKET", "Name of the bucket that SES writes messages to.")
    prefix: str = _env(
        "POSTERN_MAIL_PREFIX", "Prefix of the message id in an object's key, with its slash.", default="inbound/"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """How long a message is retried, and how long its entries are kept."""

    lease_seconds: int = _env(
        "POSTERN_LEASE_SECONDS",
        "How long a claim on a sending holds, in seconds; longer than the function's timeout.",
    )
    ledger_days: int = _env("POSTERN_LEDGER_DAYS", "How long ledger entries are kept, in days.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How sender rules and screening judge mail."""

    parent_domain_matches_subdomains: bool = _env(
        "POSTERN_PARENT_DOMAIN_MATCHES_SUBDOMAINS",
        "Whether a sender rule for a domain also applies to its subdomains (`true`), or only a rule for `.domain` does"
        " (`false`).",
        default=True,
    )
    nameserver: str = _env(
        "POSTERN_NAMESERVER",
        "Address and port of the DNS resolver that screening asks; empty for the system's.",
        default="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEnvironment(Environment):
    """Environment of the inbound function."""

    stack: Stack
    bucket: Bucket
    ledger: Ledger
    rules: Rules
    alias_table: str = _env("POSTERN_ALIAS_TABLE", "Name of the alias table.")
    sender_table: str = _env("POSTERN_SENDER_TABLE", "Name of the sender table.")
    destination_table: str = _env("POSTERN_DESTINATION_TABLE", "Name of the table of destinations' health.")
    configuration_set: str = _env("POSTERN_CONFIGURATION_SET", "SES configuration set that forwards are sent with.")
    retry_queue: str = _env("POSTERN_RETRY_QUEUE", "URL of the retry queue.")
    links_url: str = _env("POSTERN_LINKS_URL", "Base URL of signed links; empty if there are none.", default="")
    aws_client: str = _env(
        "POSTERN_AWS_CLIENT",
        "Client for S3, DynamoDB and SES: `own`, or `boto3`, which takes five times the time and three times the"
        " memory. Where only boto3 will do, as with a proxy, it is used in any case.",
        default="own",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackEnvironment(Environment):
    """Environment of the feedback function."""

    stack: Stack
    bucket: Bucket
    ledger: Ledger
    configuration_set: str = _env(
        "POSTERN_CONFIGURATION_SET", "SES configuration set that mail about mail sent as an alias is sent with."
    )
    alias_table: str = _env("POSTERN_ALIAS_TABLE", "Name of the alias table.")
    destination_table: str = _env("POSTERN_DESTINATION_TABLE", "Name of the table of destinations' health.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientsEnvironment(Environment):
    """Environment of the function that keeps the receipt rules."""

    stack: Stack
    bucket: Bucket
    alias_table: str = _env("POSTERN_ALIAS_TABLE", "Name of the alias table.")
    rule_set: str = _env("POSTERN_RULE_SET", "Name of the receipt rule set that our rules are in.")
    rule_prefix: str = _env("POSTERN_RULE_PREFIX", "Prefix of the names of the rules that this function keeps.")
    inbound_function: str = _env("POSTERN_INBOUND_FUNCTION", "ARN of the function that the rules invoke.")
    inbound_tls: str = _env(
        "POSTERN_INBOUND_TLS",
        "TlsPolicy of the rules: Optional, or Require to refuse mail without TLS.",
        default="Optional",
    )
    writer_role: str = _env(
        "POSTERN_WRITER_ROLE",
        "ARN of the role with which SES writes messages; empty if the bucket's policy allows SES to.",
        default="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledEnvironment(Environment):
    """Environment of the functions that run on a schedule."""

    stack: Stack
    bucket: Bucket
    ledger: Ledger
    destination_table: str = _env(
        "POSTERN_DESTINATION_TABLE", "Name of the table of destinations' health, if there is one.", default=""
    )
    dead_letters: str = _env("POSTERN_DEAD_LETTERS", "URL of the dead-letter queue.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestEnvironment(ScheduledEnvironment):
    """Environment of the owner's digest and the daily test."""

    configuration_set: str = _env("POSTERN_CONFIGURATION_SET", "SES configuration set that both are sent with.")
    owner: str = _env(
        "POSTERN_OWNER",
        "Recipient of the daily digest, which is sent from the first of the domains; empty for no digest.",
        default="",
    )
    alias_table: str = _env("POSTERN_ALIAS_TABLE", "Name of the alias table.")
    links_url: str = _env("POSTERN_LINKS_URL", "Base URL of signed links; empty if there are none.", default="")
    nameserver: str = _env(
        "POSTERN_NAMESERVER",
        "Address and port of the DNS resolver that the daily test asks; empty for the system's.",
        default="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEnvironment(ScheduledEnvironment):
    """Environment of the hourly watch."""

    rules: Rules
    alias_table: str = _env("POSTERN_ALIAS_TABLE", "Name of the alias table.")
    sender_table: str = _env("POSTERN_SENDER_TABLE", "Name of the sender table.")
    retry_queue: str = _env("POSTERN_RETRY_QUEUE", "URL of the retry queue.")
    failures: str = _env("POSTERN_FAILURES", "URL of the queue of events that functions gave up.")
    rule_set: str = _env("POSTERN_RULE_SET", "Name of the receipt rule set that our rules are in.")
    alarm_topic: str = _env("POSTERN_ALARM_TOPIC", "ARN of the topic that sends people alarms and the watch's news.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksEnvironment(Environment):
    """Environment of the function behind signed links."""

    stack: Stack
    bucket: Bucket
    ledger: Ledger
    alias_table: str = _env("POSTERN_ALIAS_TABLE", "Name of the alias table.")
    sender_table: str = _env("POSTERN_SENDER_TABLE", "Name of the sender table.")
    destination_table: str = _env("POSTERN_DESTINATION_TABLE", "Name of the table of destinations' health.")
    retry_queue: str = _env("POSTERN_RETRY_QUEUE", "URL of the retry queue.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiEnvironment(Environment):
    """Environment of the function for password managers."""

    stack: Stack
    alias_table: str = _env("POSTERN_ALIAS_TABLE", "Name of the alias table.")


def _read_all(kind: Any, environment: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    """The values that are set, by field; missing and wrong variables are added to `faults`."""
    found: dict[str, Any] = {}
    inner = groups(kind)
    for one in fields(kind):
        before = len(faults)
        if one.name in inner:
            values = _read_all(inner[one.name], environment, faults)
            if len(faults) == before:
                found[one.name] = inner[one.name](**values)
            continue
        variable = one.metadata["variable"]
        text = environment.get(variable, "").strip()
        try:
            if text:
                found[one.name] = _allowed(one.name, _read(one.type, text))
            elif _required(one):
                faults.append(f"{variable} is not set")
        except ValueError as fault:
            faults.append(f"{variable}: {fault}")
    return found


def _allowed(name: str, value: Any) -> Any:
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"expected one of {', '.join(_CHOICES[name])}, found {value!r}")
    return value


def _required(one: Any) -> bool:
    return one.default is MISSING


def _read(kind: Any, text: str) -> Any:
    if kind is int:
        number = int(text)
        if number < 0:
            raise ValueError(f"expected a number from 0 on, found {text!r}")
        return number
    if kind is bool:
        if text.lower() not in _WORDS:
            raise ValueError(f"expected true or false, found {text!r}")
        return _WORDS[text.lower()]
    if kind is str:
        return text
    names = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not names:
        raise ValueError(f"expected names, found {text!r}")
    return names
