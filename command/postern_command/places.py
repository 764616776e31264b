"""Where the command finds what the tables do not hold: ledger, mail bucket, queues, rule set.

As for the tables (`live`): `--stack` first, then the variables that name things, then POSTERN_STACK
and samconfig.toml. A command asks for what it needs and for no more.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .live import stack_name
from .status import WrongUse

# The variable that names each thing, and the output of template.yaml.
_NAMES = {
    "ledger": ("POSTERN_LEDGER_TABLE", "LedgerTableName"),
    "bucket": ("POSTERN_MAIL_BUCKET", "MailBucketName"),
    "retry_queue": ("POSTERN_RETRY_QUEUE", "RetryQueueUrl"),
    "dead_letters": ("POSTERN_DEAD_LETTERS", "DeadLetterQueueUrl"),
    "feedback_failures": ("POSTERN_FEEDBACK_FAILURES", "FeedbackFailureQueueUrl"),
    "watch_failures": ("POSTERN_WATCH_FAILURES", "WatchFailuresUrl"),
    "rule_set": ("POSTERN_RULE_SET", "RuleSetName"),
    "destinations": ("POSTERN_DESTINATION_TABLE", "DestinationTableName"),
    "alarm_topic": ("POSTERN_ALARM_TOPIC", "AlarmTopicArn"),
    "owner": ("POSTERN_OWNER", "OwnerAddress"),  # this and the following are parameters of the stack
    "alarm_address": ("POSTERN_ALARM_ADDRESS", "AlarmAddress"),
    "retry_hours": ("POSTERN_RETRY_HOURS", "RetryHours"),
}
DEFAULT_PREFIX = "inbound/"


@dataclass(frozen=True, slots=True)
class Places:
    """Names by what they are for; see _NAMES."""

    known: Mapping[str, str]
    prefix: str = DEFAULT_PREFIX

    def __getitem__(self, thing: str) -> str:
        """The name of a thing. Raises WrongUse, saying how to name it, if nobody did."""
        if thing not in self.known:
            variable, output = _NAMES[thing]
            raise WrongUse(f"where? Say --stack NAME, or set {variable} (the stack's {output})")
        return self.known[thing]

    def get(self, thing: str) -> str | None:
        """The name of a thing, None if nobody named it."""
        return self.known.get(thing)


def places(stack: str | None) -> Places:
    """What the stack, or the environment, names. Raises WrongUse, Temporary."""
    prefix = os.environ.get("POSTERN_MAIL_PREFIX") or DEFAULT_PREFIX
    named = {thing: value for thing, (variable, _) in _NAMES.items() if (value := os.environ.get(variable, "").strip())}
    if "ledger" in named and not stack:
        return Places(named, prefix)
    name = stack_name(stack)
    if not name:
        raise WrongUse(
            "which ledger? Say --stack NAME or set POSTERN_STACK; set POSTERN_LEDGER_TABLE; or work where a"
            " samconfig.toml with a stack_name is"
        )
    from .aws import stack as stacks  # noqa: PLC0415 (boto3 takes half a second)

    outputs, parameters = stacks.described(name)
    told = {**parameters, **outputs}
    return Places({thing: told[output] for thing, (_, output) in _NAMES.items() if told.get(output)}, prefix)
