"""Settings: the environment of the function, read once and checked as a whole.

Each field's metadata names its variable and explains it; docs/reference/environment.md is generated from here.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self

from .errors import Misconfigured
from .mail.dsn import ANSWER_SENDERS, AUTHENTICATED
from .mail.verdicts import CHOICES

_CHOICES = {
    "answer_senders": ANSWER_SENDERS,
    **{f"{name}_action": choices for name, choices in CHOICES.items()},
}
_LEAST = {"suspend_after": 1}
_WORDS = {"true": True, "false": False}


def _setting(variable: str, meaning: str, **options: Any) -> Any:
    return field(metadata={"variable": variable, "meaning": meaning}, **options)


def _action(verdict: str) -> str:
    return (
        f"What a {verdict} FAIL of SES's leads to: {', '.join(CHOICES[verdict])}; an alias's own `verdicts` come first."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What every function is told by the stack."""

    stack: str = _setting(
        "POSTERN_STACK", "Name of the stack; its metrics have it as their dimension `service`.", default="postern"
    )
    domains: tuple[str, ...] = _setting(
        "POSTERN_DOMAINS", "Our own mail domains, separated by commas; a destination in one of them is an alias."
    )
    ledger_table: str = _setting("POSTERN_LEDGER_TABLE", "Name of the ledger table.")
    log_addresses: bool = _setting(
        "POSTERN_LOG_ADDRESSES", "Whether logs show whole addresses (`true`) or masked ones (`false`).", default=False
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read all settings; raises Misconfigured naming everything missing or wrong at once."""
        values, faults = _read_all(cls, environment)
        for name, choices in _CHOICES.items():
            if values.get(name, choices[0]) not in choices:
                faults.append(f"{_variable(cls, name)}: expected one of {', '.join(choices)}, found {values[name]!r}")
        for name, least in _LEAST.items():
            if values.get(name, least) < least:
                faults.append(f"{_variable(cls, name)}: expected a number from {least} on, found {values[name]}")
        if faults:
            raise Misconfigured("; ".join(faults))
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bucket(Shared):
    """What those are told besides that have to do with the bucket."""

    mail_bucket: str = _setting("POSTERN_MAIL_BUCKET", "Name of the bucket that SES writes messages to.")
    mail_prefix: str = _setting(
        "POSTERN_MAIL_PREFIX", "What precedes the message id in an object's key, with its slash.", default="inbound/"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claiming(_Bucket):
    """What those are told besides that send."""

    lease_seconds: int = _setting(
        "POSTERN_LEASE_SECONDS",
        "How long a claim on a sending holds, in seconds; longer than the function's timeout.",
    )
    retry_hours: int = _setting(
        "POSTERN_RETRY_HOURS",
        "How long a message is tried, in hours, and a destination while SES does not answer.",
        default=36,
    )
    ledger_days: int = _setting("POSTERN_LEDGER_DAYS", "How long ledger entries are kept, in days.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answering(Claiming):
    """What those are told besides that answer senders."""

    answer_senders: str = _setting(
        "POSTERN_ANSWER_SENDERS",
        f"Who is told that a recipient got nothing: {', '.join(ANSWER_SENDERS)} (senders whose own domain SES found"
        " authenticated).",
        default=AUTHENTICATED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(_Answering):
    """What the inbound function is told besides."""

    alias_table: str = _setting("POSTERN_ALIAS_TABLE", "Name of the alias table.")
    sender_table: str = _setting("POSTERN_SENDER_TABLE", "Name of the sender table.")
    destination_table: str = _setting("POSTERN_DESTINATION_TABLE", "Name of the table of destinations' health.")
    configuration_set: str = _setting("POSTERN_CONFIGURATION_SET", "SES configuration set that forwards are sent with.")
    stamp_secret: str = _setting("POSTERN_STAMP_SECRET", "Name or ARN of the secret that signs the loop stamp.")
    count_header_recipients: bool = _setting(
        "POSTERN_COUNT_HEADER_RECIPIENTS",
        "Whether To and Cc count towards SES's 50 recipients; if so, longer ones are renamed.",
        default=True,
    )
    parent_domain_matches_subdomains: bool = _setting(
        "POSTERN_PARENT_DOMAIN_MATCHES_SUBDOMAINS",
        "Whether a sender rule for a domain holds for its subdomains (`true`), or one with a dot before it (`false`).",
        default=True,
    )
    rate_cap: int = _setting(
        "POSTERN_RATE_CAP", "Most messages an hour from one alias to one destination; 0 for no limit.", default=300
    )
    retry_queue: str = _setting("POSTERN_RETRY_QUEUE", "URL of the retry queue.")
    spam_action: str = _setting("POSTERN_SPAM_ACTION", _action("spam"), default=CHOICES["spam"][0])
    virus_action: str = _setting("POSTERN_VIRUS_ACTION", _action("virus"), default=CHOICES["virus"][0])
    dmarc_action: str = _setting("POSTERN_DMARC_ACTION", _action("dmarc"), default=CHOICES["dmarc"][0])

    @property
    def screening(self) -> Mapping[str, str]:
        """What a FAIL of SES's leads to, by the verdict's name."""
        return {"spam": self.spam_action, "virus": self.virus_action, "dmarc": self.dmarc_action}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSettings(_Answering):
    """What the feedback function is told besides."""

    domains: tuple[str, ...] = _setting("POSTERN_DOMAINS", "Our own mail domains: they are not masked in the log.")
    destination_table: str = _setting("POSTERN_DESTINATION_TABLE", "Name of the table of destinations' health.")
    suspend_after: int = _setting(
        "POSTERN_SUSPEND_AFTER",
        "How many messages must bounce or be complained about before a destination is suspended; one is enough where"
        " the mailbox is not there.",
        default=5,
    )
    suspend_days: int = _setting("POSTERN_SUSPEND_DAYS", "Within how many days.", default=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientsSettings(_Bucket):
    """What the function that keeps the receipt rules is told besides."""

    alias_table: str = _setting("POSTERN_ALIAS_TABLE", "Name of the alias table.")
    rule_set: str = _setting("POSTERN_RULE_SET", "Name of the receipt rule set that our rules are in.")
    rule_prefix: str = _setting(
        "POSTERN_RULE_PREFIX", "What the names of the rules begin with that this function keeps."
    )
    inbound_function: str = _setting("POSTERN_INBOUND_FUNCTION", "ARN of the function that the rules invoke.")
    inbound_tls: str = _setting(
        "POSTERN_INBOUND_TLS",
        "TlsPolicy of the rules: Optional, or Require to refuse mail without TLS.",
        default="Optional",
    )
    writer_role: str = _setting(
        "POSTERN_WRITER_ROLE",
        "ARN of the role that SES writes messages by; empty where the bucket's policy lets it.",
        default="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings(Claiming):
    """What the scheduled functions are told: the check of what fell through, and the owner's digest."""

    destination_table: str = _setting(
        "POSTERN_DESTINATION_TABLE", "Name of the table of destinations' health, if there is one.", default=""
    )
    dead_letters: str = _setting("POSTERN_DEAD_LETTERS", "URL of the dead-letter queue.")
    configuration_set: str = _setting(
        "POSTERN_CONFIGURATION_SET", "SES configuration set that the digest is sent with."
    )
    owner: str = _setting(
        "POSTERN_OWNER", "Who gets the daily digest, from the first of the domains; nobody if it is empty.", default=""
    )


def _read_all(settings: Any, environment: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """(the values that are set, by field; what is missing or wrong)."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for setting in fields(settings):
        variable = setting.metadata["variable"]
        text = environment.get(variable, "").strip()
        try:
            if text:
                values[setting.name] = _read(setting.type, text)
            elif _required(setting):
                faults.append(f"{variable} is not set")
        except ValueError as fault:
            faults.append(f"{variable}: {fault}")
    return values, faults


def _variable(settings: Any, name: str) -> str:
    variable: str = settings.__dataclass_fields__[name].metadata["variable"]
    return variable


def _required(setting: Any) -> bool:
    return setting.default is MISSING


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
