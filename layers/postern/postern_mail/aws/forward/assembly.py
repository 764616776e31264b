"""Puts the real parts together, once for each container."""

import time
from typing import Protocol

from ...answer_senders import Answering
from ...deliver import Deliverer
from ...forward import Forwarder
from ...intake import Intake
from ...mail.plan import Policy
from ...mail.rewrite import Style
from ...mail.senders import DOT, PARENT
from ...settings import Settings
from .. import clients
from ..clock import SystemClock
from ..failures import translated
from ..mail_log import PowertoolsMailLog
from .answerer import SesAnswerer
from .ledger import ledger
from .mail_store import S3MailStore
from .mailer import SesMailer
from .queue import SqsQueue
from .rates import DynamoRates
from .tables import DynamoTables


def style(settings: Settings) -> Style:
    """How forwarded mail looks; reads the stamp's key. Raises Temporary if it cannot be read."""
    with translated("Secrets Manager GetSecretValue"):
        secret = clients.secrets().get_secret_value(SecretId=settings.stamp_secret)["SecretString"]
    return Style(
        stamp_key=secret.encode(),
        count_header_recipients=settings.count_header_recipients,
        stack=settings.stack,
    )


class Remaining(Protocol):
    """Lambda's context, as far as it is asked."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


def last_start(context: Remaining) -> float:
    """Until when a sending may be begun, epoch seconds: SES is given its time to answer."""
    return time.time() + context.get_remaining_time_in_millis() / 1000 - clients.SES_SECONDS


def intake(settings: Settings, log: PowertoolsMailLog) -> Intake:
    """What takes the events of the inbound function."""
    return Intake(forwarder=forwarder(settings, log), queue=SqsQueue(clients.sqs(), settings.retry_queue))


def forwarder(settings: Settings, log: PowertoolsMailLog) -> Forwarder:
    """The way of a message on real AWS."""
    clock, look = SystemClock(), style(settings)
    dynamodb = clients.dynamodb()
    book = ledger(dynamodb, settings, clock)
    store = S3MailStore(clients.s3(), settings.mail_bucket, settings.mail_prefix)
    answerer = SesAnswerer(clients.bounces(), clock)
    return Forwarder(
        policy=Policy(
            own_domains=frozenset(settings.domains),
            parent_style=PARENT if settings.parent_domain_matches_subdomains else DOT,
            stamp_key=look.stamp_key,
            screening=settings.screening,
        ),
        store=store,
        tables=DynamoTables(dynamodb, settings.alias_table, settings.sender_table, settings.destination_table),
        ledger=book,
        deliverer=Deliverer(
            style=look,
            store=store,
            ledger=book,
            rates=DynamoRates(dynamodb, settings.ledger_table, clock=clock, cap=settings.rate_cap),
            mailer=SesMailer(clients.ses(), settings.configuration_set),
            clock=clock,
            log=log,
        ),
        clock=clock,
        log=log,
        answering=Answering(ledger=book, answerer=answerer, clock=clock, log=log, setting=settings.answer_senders),
    )
