"""Puts the parts of the feedback function together, once for each container."""

from ...answer_senders import Answering
from ...feedback import Listener
from ...mail.health import Rule
from ...settings import FeedbackSettings
from .. import clients
from ..clock import SystemClock
from ..destinations import DynamoDestinations
from ..forward.answerer import SesAnswerer
from ..forward.ledger import ledger
from ..forward.mail_store import S3MailStore
from ..mail_log import PowertoolsMailLog
from .ledger import DynamoFeedbackLedger


def listener(settings: FeedbackSettings, log: PowertoolsMailLog) -> Listener:
    """What takes the events of SES sending."""
    clock, dynamodb = SystemClock(), clients.dynamodb()
    book = ledger(dynamodb, settings, clock)
    answerer = SesAnswerer(clients.bounces(), clock)
    return Listener(
        domains=settings.domains,
        rule=Rule(settings.suspend_after, settings.suspend_days),
        ledger=DynamoFeedbackLedger(dynamodb, settings.ledger_table, clock),
        health=DynamoDestinations(dynamodb, settings.destination_table, clock),
        headers=S3MailStore(clients.s3(), settings.mail_bucket, settings.mail_prefix),
        answering=Answering(ledger=book, answerer=answerer, clock=clock, log=log, setting=settings.answer_senders),
        log=log,
    )
