"""Puts the parts of the feedback function together, once for each container."""

from ..feedback import Listener
from ..mail.health import Rule
from ..settings import FeedbackSettings
from . import clients
from .clock import SystemClock
from .feedback_ledger import DynamoFeedbackLedger
from .health import DynamoHealth
from .mail_log import PowertoolsMailLog


def mail_log(settings: FeedbackSettings) -> PowertoolsMailLog:
    """The log of the function."""
    return PowertoolsMailLog(own_domains=settings.domains, log_addresses=settings.log_addresses, stack=settings.stack)


def listener(settings: FeedbackSettings, log: PowertoolsMailLog) -> Listener:
    """What takes the events of SES sending."""
    dynamodb = clients.dynamodb()
    return Listener(
        rule=Rule(settings.suspend_after, settings.suspend_days),
        ledger=DynamoFeedbackLedger(dynamodb, settings.ledger_table),
        health=DynamoHealth(dynamodb, settings.destination_table, SystemClock()),
        log=log,
    )
