"""Assembles the real parts, once for each container."""

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from ...deliver import Deliverer
from ...environment import InboundEnvironment
from ...forward import Forwarder
from ...intake import Intake
from ...mail.days import LEDGER_LONGER
from ...mail.plan import Policy
from ...mail.rewrite import Style
from ...mail.senders import DOT, PARENT
from .. import choice
from ..clock import SystemClock
from ..mail_log import CloudWatchMailLog
from ..stack_keys import LINKS, REPLIES, STAMP, TAGS, DqsKey, LaterKey, stack_keys
from .answering import answering
from .ledger import ledger
from .mail_store import S3MailStore
from .mailer import SesMailer
from .queue import SqsQueue
from .rates import DynamoRates
from .tables import DynamoTables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from ...ports.daily_test import Arrivals
    from ...ports.learning import Learner
    from ...ports.replies import Contacts
    from ...ports.uses import Uses
    from ...replying import Replying
    from ...screening import Screening

SES_SECONDS = 67  # seconds that one sending may take at most, with pauses before it and writes after it


def style(environment: InboundEnvironment, stamp_key: bytes) -> Style:
    """The style of forwarded mail."""
    return Style(
        stamp_key=stamp_key,
        stack=environment.stack.name,
    )


class Remaining(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function times out."""


def last_start(context: Remaining) -> float:
    """The last time to start a sending, in epoch seconds, so that SES has time to answer."""
    return time.time() + context.get_remaining_time_in_millis() / 1000 - SES_SECONDS


def intake(environment: InboundEnvironment, log: CloudWatchMailLog) -> Intake:
    """The handler of the inbound function's events."""
    return Intake(forwarder=forwarder(environment, log), queue=queue(environment))


def queue(environment: InboundEnvironment) -> SqsQueue:
    """The retry queue."""
    return SqsQueue(cast("SQSClient", choice.Later(_sqs)), environment.retry_queue)


def _sqs() -> Any:
    from .. import clients  # noqa: PLC0415 (most messages never come to the queue)

    return clients.sqs()


def forwarder(environment: InboundEnvironment, log: CloudWatchMailLog) -> Forwarder:
    """The forwarder, on real AWS."""
    clients = choice.clients(environment.aws_client)
    clock, dynamodb = SystemClock(), clients.dynamodb()
    purposes = (STAMP, TAGS, LINKS) if environment.links_url else (STAMP, TAGS)
    stamp_key, tag_key, *more = stack_keys(dynamodb, environment.stack.ledger_table, *purposes)
    look = style(environment, stamp_key)
    book = ledger(dynamodb, environment.stack.ledger_table, environment.ledger, clock)
    store = S3MailStore(clients.s3(), environment.bucket.name, environment.bucket.prefix)
    rules, tables = policy(environment, look), rows(environment, dynamodb)
    known = contacts(environment, dynamodb)
    deliverer = Deliverer(
        style=look,
        store=store,
        ledger=book,
        rates=DynamoRates(dynamodb, environment.stack.ledger_table, clock=clock),
        mailer=SesMailer(clients.ses(), environment.configuration_set, tag_key),
        clock=clock,
        log=log,
        fetching=fetching(environment.links_url, *more) if more else None,
        mail_days=environment.ledger.ledger_days - LEDGER_LONGER,
        contacts=known,
    )
    return Forwarder(
        policy=rules,
        store=store,
        tables=tables,
        ledger=book,
        deliverer=deliverer,
        clock=clock,
        log=log,
        screening=screening(environment, dynamodb),
        arrivals=arrivals(environment, dynamodb, tag_key),
        replying=replying(known, tables, deliverer, rules),
        learner=learner(environment, dynamodb),
        uses=uses(environment, dynamodb),
        queue=queue(environment),
        answering=answering(dynamodb, book, environment.alias_table, clock, log),
    )


def fetching(url: str, key: bytes) -> Callable[[str, str, float], str]:
    """A function that makes the link in a notice; its module is imported on first use."""

    def link(message_id: str, who: str, until: float) -> str:
        from ...mail.link import Deed, Door  # noqa: PLC0415

        return Door(url, key).to(Deed.FETCH, message_id, who, until)

    return link


def policy(environment: InboundEnvironment, look: Style) -> Policy:
    """The rules for all mail of the stack."""
    return Policy(
        own_domains=frozenset(environment.stack.domains),
        parent_style=PARENT if environment.rules.parent_domain_matches_subdomains else DOT,
        stamp_key=look.stamp_key,
    )


def rows(environment: InboundEnvironment, dynamodb: "DynamoDBClient") -> DynamoTables:
    """The tables."""
    return DynamoTables(dynamodb, environment.alias_table, environment.sender_table, environment.destination_table)


def contacts(environment: InboundEnvironment, dynamodb: "DynamoDBClient") -> "Callable[[], Contacts]":
    """A function that creates the rows behind reply addresses, for aliases that take replies."""

    @cache
    def made() -> "Contacts":
        from .contacts import DynamoContacts  # noqa: PLC0415

        table = environment.stack.ledger_table
        return DynamoContacts(dynamodb, table, LaterKey(dynamodb, table, REPLIES), SystemClock())

    return made


def replying(
    known: "Callable[[], Contacts]", tables: DynamoTables, deliverer: Deliverer, rules: Policy
) -> "Callable[[], Replying]":
    """A function that creates the handler of replies when the first one comes."""

    @cache
    def made() -> "Replying":
        from ...replying import Replying  # noqa: PLC0415

        return Replying(contacts=known(), tables=tables, deliverer=deliverer, policy=rules)

    return made


def learner(environment: InboundEnvironment, dynamodb: "DynamoDBClient") -> "Callable[[], Learner]":
    """A function that creates the writer of learned rows when a catch-all first learns a name."""

    @cache
    def made() -> "Learner":
        from .learned import DynamoLearner  # noqa: PLC0415

        return DynamoLearner(dynamodb, environment.stack.ledger_table, environment.alias_table, SystemClock())

    return made


def uses(environment: InboundEnvironment, dynamodb: "DynamoDBClient") -> "Callable[[], Uses]":
    """A function that creates the counter of messages for the first alias that ends after so many."""

    @cache
    def made() -> "Uses":
        from .uses import DynamoUses  # noqa: PLC0415

        return DynamoUses(dynamodb, environment.stack.ledger_table, SystemClock())

    return made


def arrivals(environment: InboundEnvironment, dynamodb: "DynamoDBClient", tag_key: bytes) -> "Callable[[], Arrivals]":
    """A function that creates the recogniser of daily tests when mail comes to their address."""

    @cache
    def made() -> "Arrivals":
        from ..daily_test import DynamoArrivals, DynamoDailyBook  # noqa: PLC0415

        return DynamoArrivals(DynamoDailyBook(dynamodb, environment.stack.ledger_table, SystemClock()), tag_key)

    return made


def screening(environment: InboundEnvironment, dynamodb: "DynamoDBClient") -> "Callable[[], Screening]":
    """A function that creates the screening on first use: a stack that screens nothing pays nothing for it."""

    @cache
    def made() -> "Screening":
        from ...resolver import DnsResolver  # noqa: PLC0415
        from ...screening import Screening  # noqa: PLC0415
        from .grey_rows import DynamoGreyBook  # noqa: PLC0415
        from .list_book import DynamoListBook  # noqa: PLC0415

        return Screening(
            resolver=DnsResolver(environment.rules.nameserver),
            book=DynamoListBook(dynamodb, environment.stack.ledger_table),
            grey=DynamoGreyBook(dynamodb, environment.stack.ledger_table),
            key=DqsKey(dynamodb, environment.stack.ledger_table),
        )

    return made
