"""Assembles the parts of the hourly watch and of the daily digest."""

from collections.abc import Collection, Mapping

from ...daily_summaries import DailySummaries
from ...daily_test import DailyTest
from ...endings import Endings
from ...environment import DigestEnvironment, WatchEnvironment
from ...errors import Misconfigured
from ...held import Held
from ...late_answers import LateAnswers
from ...list_tests import ListTests
from ...mail.address import Address, InvalidAddress
from ...mail.days import RETRY_HOURS
from ...mail.dns import Answers, Question
from ...mail.link import Door
from ...mail.link_lines import LinkLines
from ...mail.plan import Policy
from ...mail.senders import DOT, PARENT
from ...owner_mail import OwnerMail
from ...teller import Teller
from ...watch import Watch
from .. import clients
from ..clock import SystemClock
from ..daily_test import DynamoDailyBook
from ..destinations import DynamoDestinations
from ..forward.answering import answering
from ..forward.ledger import ledger
from ..forward.list_book import DynamoListBook
from ..forward.mailer import SesMailer
from ..forward.owner_settings import DynamoOwnerSettings
from ..forward.tables import DynamoTables
from ..mail_log import CloudWatchMailLog
from ..stack_keys import LINKS, TAGS, DqsKey, stack_keys
from . import looking
from .backlog import Backlog
from .bucket import S3Bucket
from .endings import DynamoEndings
from .examinations import EXAMINATIONS, Site
from .facts import StackFacts
from .site import OwnSite
from .state import DynamoWatchState
from .summaries import DynamoSummaries
from .told import DynamoToldBook, SnsTopic


def watch(environment: WatchEnvironment, log: CloudWatchMailLog) -> Watch:
    """The search for what was overlooked."""
    return Watch(
        bucket=S3Bucket(clients.s3(), environment.bucket.name, environment.bucket.prefix),
        book=DynamoWatchState(
            clients.dynamodb(), environment.stack.ledger_table, keep_days=environment.ledger.ledger_days
        ),
        clock=SystemClock(),
        log=log,
        retry_hours=RETRY_HOURS,
    )


def teller(environment: WatchEnvironment, log: CloudWatchMailLog, event: object) -> Teller[Site]:
    """The part that examines everything and tells people; the schedule's event names the other functions."""
    stack, style = environment.stack, PARENT if environment.rules.parent_domain_matches_subdomains else DOT
    known = {
        "aliases": environment.alias_table,
        "senders": environment.sender_table,
        "destinations": environment.destination_table,
        "ledger": stack.ledger_table,
        "retry_queue": environment.retry_queue,
        "dead_letters": environment.dead_letters,
        "failures": environment.failures,
        "rule_set": environment.rule_set,
        "functions": str(event.get("functions", "")) if isinstance(event, Mapping) else "",
        "domains": ",".join(stack.domains),
    }
    return Teller(
        examinations=EXAMINATIONS,
        where=OwnSite(known, Policy(frozenset(stack.domains), style)),
        book=DynamoToldBook(clients.dynamodb(), stack.ledger_table),
        post=SnsTopic(clients.sns(), environment.alarm_topic),
        clock=SystemClock(),
        log=log,
        domain=stack.domains[0],
        stack=stack.name,
    )


def held(environment: WatchEnvironment) -> Held:
    """The part that wakes overdue grey holds."""
    book = DynamoWatchState(
        clients.dynamodb(), environment.stack.ledger_table, keep_days=environment.ledger.ledger_days
    )
    return Held(book=book, queue=Backlog(clients.sqs(), environment.retry_queue), clock=SystemClock())


def daily_summaries(environment: WatchEnvironment) -> DailySummaries:
    """The part that adds up completed days."""
    dynamodb, clock, ledger_table = clients.dynamodb(), SystemClock(), environment.stack.ledger_table
    endings = Endings(book=DynamoEndings(dynamodb, ledger_table, environment.alias_table, clock))
    return DailySummaries(book=DynamoSummaries(dynamodb, ledger_table), clock=clock, endings=endings)


def list_tests(environment: WatchEnvironment, log: CloudWatchMailLog) -> ListTests:
    """The test of DNS lists; dnspython is imported only if there are any."""
    dynamodb = clients.dynamodb()
    return ListTests(
        tables=DynamoTables(dynamodb, environment.alias_table, ""),
        resolver=LaterResolver(environment.rules.nameserver),
        book=DynamoListBook(dynamodb, environment.stack.ledger_table),
        key=DqsKey(dynamodb, environment.stack.ledger_table),
        log=log,
    )


class LaterResolver:
    """A DNS resolver, created on first use."""

    def __init__(self, server: str) -> None:
        self._server = server

    def ask(self, questions: Collection[Question], seconds: float) -> Answers:
        """See DnsResolver.ask."""
        from ...resolver import DnsResolver  # noqa: PLC0415 (for who has lists only)

        return DnsResolver(self._server).ask(questions, seconds)


def late_answers(environment: WatchEnvironment, log: CloudWatchMailLog) -> LateAnswers:
    """The answers to senders that had to wait. They were decided before, whatever the setting is now."""
    clock, dynamodb = SystemClock(), clients.dynamodb()
    book = ledger(dynamodb, environment.stack.ledger_table, environment.ledger, clock)
    mine = answering(dynamodb, book, environment.alias_table, clock, log)
    return LateAnswers(ledger=book, answering=mine, clock=clock)


def daily_test(environment: DigestEnvironment, log: CloudWatchMailLog) -> DailyTest:
    """The part that sends the daily test."""
    clock, dynamodb, table = SystemClock(), clients.dynamodb(), environment.stack.ledger_table
    (tag_key,), ses = stack_keys(dynamodb, table, TAGS), clients.ses()
    return DailyTest(
        domains=environment.stack.domains,
        host=f"inbound-smtp.{ses.meta.region_name}.amazonaws.com",
        settings=DynamoOwnerSettings(dynamodb, environment.alias_table),
        account=looking.account,
        resolver=LaterResolver(environment.nameserver),
        book=DynamoDailyBook(dynamodb, table, clock),
        mailer=SesMailer(ses, environment.configuration_set, tag_key),
        clock=clock,
        log=log,
        tag_key=tag_key,
        lease=environment.ledger.lease_seconds,
    )


def owner_mail(environment: DigestEnvironment, log: CloudWatchMailLog) -> OwnerMail:
    """The daily digest. Raises Misconfigured if the owner has no mail address."""
    clock, dynamodb = SystemClock(), clients.dynamodb()
    try:
        owner = Address.parse(environment.owner)
    except InvalidAddress as fault:
        raise Misconfigured(f"POSTERN_OWNER: {fault}") from fault
    purposes = (TAGS, LINKS) if environment.links_url else (TAGS,)
    tag_key, *more = stack_keys(dynamodb, environment.stack.ledger_table, *purposes)
    links = LinkLines(Door(environment.links_url, *more), environment.stack.domains) if more else None
    return OwnerMail(
        news=StackFacts(
            DynamoWatchState(dynamodb, environment.stack.ledger_table, keep_days=environment.ledger.ledger_days),
            Backlog(clients.sqs(), environment.dead_letters),
            clock=clock,
            retry_hours=RETRY_HOURS,
            keep_days=environment.ledger.ledger_days,
            destinations=DynamoDestinations(dynamodb, environment.destination_table, clock),
            links=links,
            summaries=DynamoSummaries(dynamodb, environment.stack.ledger_table),
            stack=environment.stack.name,
        ),
        ledger=ledger(dynamodb, environment.stack.ledger_table, environment.ledger, clock),
        mailer=SesMailer(clients.ses(), environment.configuration_set, tag_key),
        clock=clock,
        log=log,
        owner=owner,
        sender=Address("postmaster", environment.stack.domains[0]),
        links=links,
        stack=environment.stack.name,
    )
