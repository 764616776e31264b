"""Puts the parts of the daily digest together."""

from ..errors import Misconfigured
from ..mail.address import Address, InvalidAddress
from ..owner_mail import OwnerMail
from ..settings import WatchSettings
from . import clients
from .backlog import Backlog
from .clock import SystemClock
from .ledger import ledger
from .mail_log import PowertoolsMailLog
from .mailer import SesMailer
from .news import StackNews
from .watchbook import DynamoWatchbook


def owner_mail(settings: WatchSettings, log: PowertoolsMailLog) -> OwnerMail:
    """The daily digest. Raises Misconfigured if the owner has no mail address."""
    clock, dynamodb = SystemClock(), clients.dynamodb()
    try:
        owner = Address.parse(settings.owner)
    except InvalidAddress as fault:
        raise Misconfigured(f"POSTERN_OWNER: {fault}") from fault
    return OwnerMail(
        news=StackNews(
            dynamodb,
            DynamoWatchbook(dynamodb, settings.ledger_table, keep_days=settings.ledger_days),
            Backlog(clients.sqs(), settings.dead_letters),
            clock=clock,
            retry_hours=settings.retry_hours,
            keep_days=settings.ledger_days,
            destination_table=settings.destination_table,
        ),
        ledger=ledger(dynamodb, settings, clock),
        mailer=SesMailer(clients.ses(), settings.configuration_set),
        clock=clock,
        log=log,
        owner=owner,
        sender=Address("postmaster", settings.domains[0]),
    )
