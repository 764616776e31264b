"""Puts the parts of the hourly check and of the daily digest together."""

from ...errors import Misconfigured
from ...mail.address import Address, InvalidAddress
from ...owner_mail import OwnerMail
from ...settings import WatchSettings
from ...watch import Watch
from .. import clients
from ..clock import SystemClock
from ..destinations import DynamoDestinations
from ..forward.ledger import ledger
from ..forward.mailer import SesMailer
from ..mail_log import PowertoolsMailLog
from .backlog import Backlog
from .bucket import S3Bucket
from .facts import StackFacts
from .state import DynamoWatchState


def watch(settings: WatchSettings, log: PowertoolsMailLog) -> Watch:
    """The check of what fell through."""
    return Watch(
        bucket=S3Bucket(clients.s3(), settings.mail_bucket, settings.mail_prefix),
        book=DynamoWatchState(clients.dynamodb(), settings.ledger_table, keep_days=settings.ledger_days),
        clock=SystemClock(),
        log=log,
        retry_hours=settings.retry_hours,
    )


def owner_mail(settings: WatchSettings, log: PowertoolsMailLog) -> OwnerMail:
    """The daily digest. Raises Misconfigured if the owner has no mail address."""
    clock, dynamodb = SystemClock(), clients.dynamodb()
    try:
        owner = Address.parse(settings.owner)
    except InvalidAddress as fault:
        raise Misconfigured(f"POSTERN_OWNER: {fault}") from fault
    return OwnerMail(
        news=StackFacts(
            DynamoWatchState(dynamodb, settings.ledger_table, keep_days=settings.ledger_days),
            Backlog(clients.sqs(), settings.dead_letters),
            clock=clock,
            retry_hours=settings.retry_hours,
            keep_days=settings.ledger_days,
            destinations=DynamoDestinations(dynamodb, settings.destination_table, clock),
        ),
        ledger=ledger(dynamodb, settings, clock),
        mailer=SesMailer(clients.ses(), settings.configuration_set),
        clock=clock,
        log=log,
        owner=owner,
        sender=Address("postmaster", settings.domains[0]),
    )
