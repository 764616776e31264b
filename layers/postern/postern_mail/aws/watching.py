"""Puts the parts of the hourly check together.

Not in `assembly`: what a function imports is what its role is held against (tests/template/test_permissions.py).
"""

from ..settings import WatchSettings
from ..watch import Watch
from . import clients
from .clock import SystemClock
from .mail_log import PowertoolsMailLog
from .watchbook import DynamoWatchbook, S3Bucket


def mail_log(settings: WatchSettings) -> PowertoolsMailLog:
    """The log of a scheduled function."""
    return PowertoolsMailLog(own_domains=settings.domains, log_addresses=settings.log_addresses, stack=settings.stack)


def watch(settings: WatchSettings, log: PowertoolsMailLog) -> Watch:
    """The check of what fell through."""
    return Watch(
        bucket=S3Bucket(clients.s3(), settings.mail_bucket, settings.mail_prefix),
        book=DynamoWatchbook(clients.dynamodb(), settings.ledger_table, keep_days=settings.ledger_days),
        clock=SystemClock(),
        log=log,
        retry_hours=settings.retry_hours,
    )
