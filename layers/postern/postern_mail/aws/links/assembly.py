"""Assembles the function behind signed links."""

from ...environment import LinksEnvironment
from ...links import Links
from .. import clients
from ..clock import SystemClock
from ..forward.mail_store import S3MailStore
from ..mail_log import CloudWatchMailLog
from ..stack_keys import LINKS, stack_keys
from ..watch.backlog import Backlog
from .book import DynamoLinkBook
from .deeds import AwsDeeds


def links(environment: LinksEnvironment, log: CloudWatchMailLog) -> Links:
    """The handler of requests, on real AWS. Raises Temporary."""
    clock, dynamodb, ledger = SystemClock(), clients.dynamodb(), environment.stack.ledger_table
    (key,) = stack_keys(dynamodb, ledger, LINKS)
    tables = {
        "ledger": ledger,
        "aliases": environment.alias_table,
        "senders": environment.sender_table,
        "destinations": environment.destination_table,
    }
    return Links(
        key=key,
        book=DynamoLinkBook(dynamodb, ledger, clock=clock, keep_days=environment.ledger.ledger_days),
        deeds=AwsDeeds(
            dynamodb,
            tables,
            store=S3MailStore(clients.s3(), environment.bucket.name, environment.bucket.prefix),
            retries=Backlog(clients.sqs(), environment.retry_queue),
            clock=clock,
        ),
        clock=clock,
        log=log,
    )
