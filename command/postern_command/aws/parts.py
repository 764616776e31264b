"""The parts of a stack on AWS, each created when a command first uses it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from postern_mail.aws import clients, stack_keys
from postern_mail.aws.clock import SystemClock
from postern_mail.aws.destinations import DynamoDestinations
from postern_mail.aws.failures import translated
from postern_mail.aws.forward.contacts import DynamoContacts
from postern_mail.aws.forward.list_book import DynamoListBook
from postern_mail.aws.forward.mail_store import S3MailStore
from postern_mail.aws.forward.tables import DynamoTables
from postern_mail.aws.reopening import Reopening
from postern_mail.aws.watch.backlog import Backlog
from postern_mail.aws.watch.history import History
from postern_mail.aws.watch.state import DynamoWatchState
from postern_mail.aws.watch.summaries import DynamoSummaries
from postern_mail.mail.list_health import Lists
from postern_mail.mail.rows import TableName

from .deleting import Deleting
from .reach import reaching
from .table_rows import TableRows
from .tokens import Tokens

if TYPE_CHECKING:
    from ..stack import Stack


def tables(stack: "Stack") -> DynamoTables:
    """The tables for look-ups. Without a destination table, the health of destinations cannot be read."""
    names = stack["aliases"], stack["senders"], stack.get("destinations") or ""
    with reaching("DynamoDB"):
        return DynamoTables(clients.dynamodb(), *names)


def rows(stack: "Stack") -> TableRows:
    """Aliases and sender rules, to list and write."""
    names: Mapping[TableName, str] = {
        "settings": stack["aliases"],
        "whitelists": stack["aliases"],
        "aliases": stack["aliases"],
        "senders": stack["senders"],
    }
    with reaching("DynamoDB"):
        return TableRows(clients.dynamodb(), names)


def tokens(stack: "Stack") -> Tokens:
    """The API tokens in the alias table."""
    with reaching("DynamoDB"):
        return Tokens(clients.dynamodb(), stack["aliases"])


def destinations(stack: "Stack") -> DynamoDestinations:
    """The destination table, to list and write."""
    with reaching("DynamoDB"):
        return DynamoDestinations(clients.dynamodb(), stack["destinations"], SystemClock())


def ledger(stack: "Stack") -> History:
    """The ledger, to read."""
    with reaching("DynamoDB"):
        return History(clients.dynamodb(), stack["ledger"])


def summaries(stack: "Stack") -> DynamoSummaries:
    """The ledger's daily totals, to read."""
    with reaching("DynamoDB"):
        return DynamoSummaries(clients.dynamodb(), stack["ledger"])


def contacts(stack: "Stack") -> DynamoContacts:
    """The rows behind reply addresses."""
    with reaching("DynamoDB"):
        client = clients.dynamodb()
    key = stack_keys.LaterKey(client, stack["ledger"], stack_keys.REPLIES)
    return DynamoContacts(client, stack["ledger"], key, SystemClock())


def watch_state(stack: "Stack") -> DynamoWatchState:
    """The watch function's state in the ledger."""
    with reaching("DynamoDB"):
        return DynamoWatchState(clients.dynamodb(), stack["ledger"])


def reopening(stack: "Stack", by: str) -> Reopening:
    """The ledger, to reopen settled entries; `by` is recorded."""
    with reaching("DynamoDB"):
        return Reopening(clients.dynamodb(), stack["ledger"], clock=SystemClock(), by=by)


def lists(stack: "Stack") -> Lists:
    """What is remembered of DNS lists. Raises Temporary."""
    with reaching("DynamoDB"):
        return DynamoListBook(clients.dynamodb(), stack["ledger"]).lists()


def dqs_key(stack: "Stack") -> str:
    """The owner's key for Spamhaus, "" if there is none. Raises Temporary."""
    with reaching("DynamoDB"):
        return stack_keys.DqsKey(clients.dynamodb(), stack["ledger"])()


def set_dqs_key(stack: "Stack", key: str) -> None:
    """Store the owner's Spamhaus DQS key; "" removes it. Raises Temporary."""
    with reaching("DynamoDB"):
        stack_keys.set_dqs_key(clients.dynamodb(), stack["ledger"], key, SystemClock().now())


def put_whitelist(stack: "Stack", key: str, lines: list[str]) -> None:
    """Store the lines of one of Postgrey's whitelists. Raises Temporary."""
    with reaching("DynamoDB"), translated("DynamoDB PutItem (whitelist)"):
        item: Any = {"address": {"S": key}, "lines": {"L": [{"S": line} for line in lines]}}
        clients.dynamodb().put_item(TableName=stack["aliases"], Item=item)


def deleting(stack: "Stack", by: str) -> Deleting:
    """Ledger and bucket, to delete messages; `by` is recorded."""
    with reaching("DynamoDB"):
        client = clients.dynamodb()
        return Deleting(client, stack["ledger"], stack["bucket"], stack.prefix, clock=SystemClock(), by=by)


def bucket(stack: "Stack") -> S3MailStore:
    """The mail bucket, to read."""
    with reaching("S3"):
        return S3MailStore(clients.s3(), stack["bucket"], stack.prefix)


def stored(stack: "Stack", beginning: str) -> list[str]:
    """The ids of at most ten messages in the bucket that start with this. Raises Temporary."""
    bucket, key = stack["bucket"], f"{stack.prefix}{beginning}"
    with reaching(f"S3 ListObjectsV2 {bucket}"):
        found = clients.s3().list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=10)
    return [one["Key"].removeprefix(stack.prefix) for one in found.get("Contents", ())]


def queue(stack: "Stack", thing: str) -> Backlog:
    """A queue of the stack, by its name in Stack."""
    with reaching("SQS"):
        return Backlog(clients.sqs(), stack[thing])
