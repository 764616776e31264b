"""Assembles the feedback function, once for each container."""

from functools import partial
from typing import TYPE_CHECKING

from ...environment import FeedbackEnvironment
from ...feedback import Listener
from ...mail.send_as import user_name
from .. import choice, clients
from ..clock import SystemClock
from ..daily_test import DynamoDailyBook
from ..destinations import DynamoDestinations
from ..forward.answering import answering
from ..forward.ledger import ledger
from ..forward.mail_store import S3MailStore
from ..forward.owner_settings import DynamoOwnerSettings
from ..mail_log import CloudWatchMailLog
from ..stack_keys import TAGS, stack_keys
from .ledger import DynamoFeedbackLedger

if TYPE_CHECKING:
    from ...ports.clock import Clock
    from ...returned import Returned
    from ..forward.ledger import DynamoLedger


def listener(environment: FeedbackEnvironment, log: CloudWatchMailLog) -> Listener:
    """The handler of SES sending events, on real AWS."""
    clock, dynamodb = SystemClock(), clients.dynamodb()
    book = ledger(dynamodb, environment.stack.ledger_table, environment.ledger, clock)
    (key,) = stack_keys(dynamodb, environment.stack.ledger_table, TAGS)
    return Listener(
        domains=environment.stack.domains,
        user_of=partial(user_name, environment.stack.name, dynamodb.meta.region_name),
        settings=DynamoOwnerSettings(dynamodb, environment.alias_table),
        ledger=DynamoFeedbackLedger(dynamodb, environment.stack.ledger_table, clock, key),
        health=DynamoDestinations(dynamodb, environment.destination_table, clock),
        headers=S3MailStore(clients.s3(), environment.bucket.name, environment.bucket.prefix),
        answering=answering(dynamodb, book, environment.alias_table, clock, log),
        tests=DynamoDailyBook(dynamodb, environment.stack.ledger_table, clock),
        returned=choice.Later(lambda: _returned(environment, book, key, clock, log)),
        log=log,
    )


def _returned(
    environment: FeedbackEnvironment, book: "DynamoLedger", key: bytes, clock: "Clock", log: CloudWatchMailLog
) -> "Returned":
    from .returned import returned  # noqa: PLC0415 (few events are about such mail)

    return returned(environment, book, key, clock, log)
