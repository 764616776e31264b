"""Puts the real parts together, once for each container."""

import time

from ..forward import Forwarder
from ..mail.plan import Policy
from ..mail.rewrite import Style
from ..mail.senders import DOT, PARENT
from ..settings import Settings
from . import clients
from .failures import translated
from .ledger import DynamoLedger
from .mail_log import PowertoolsMailLog
from .mail_store import S3MailStore
from .mailer import SesMailer
from .tables import DynamoTables


class SystemClock:
    """The time of this machine."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()


def mail_log(settings: Settings) -> PowertoolsMailLog:
    """The log of a function."""
    return PowertoolsMailLog(own_domains=settings.domains, log_addresses=settings.log_addresses, stack=settings.stack)


def style(settings: Settings) -> Style:
    """How forwarded mail looks; reads the stamp's key. Raises Temporary if it cannot be read."""
    with translated("Secrets Manager GetSecretValue"):
        secret = clients.secrets().get_secret_value(SecretId=settings.stamp_secret)["SecretString"]
    return Style(
        from_form=settings.from_form,
        subject_tag=settings.subject_tag,
        stamp_key=secret.encode(),
        count_header_recipients=settings.count_header_recipients,
    )


def forwarder(settings: Settings, log: PowertoolsMailLog) -> Forwarder:
    """The way of a message on real AWS."""
    clock = SystemClock()
    dynamodb = clients.dynamodb()
    return Forwarder(
        policy=Policy(
            own_domains=frozenset(settings.domains),
            parent_style=PARENT if settings.parent_domain_matches_subdomains else DOT,
        ),
        style=style(settings),
        store=S3MailStore(
            clients.s3(),
            settings.mail_bucket,
            settings.mail_prefix,
            link_seconds=clients.lifetime(settings.link_hours * 3600),
            clock=clock,
        ),
        tables=DynamoTables(dynamodb, settings.alias_table, settings.sender_table),
        ledger=DynamoLedger(
            dynamodb,
            settings.ledger_table,
            clock=clock,
            lease_seconds=settings.lease_seconds,
            keep_days=settings.ledger_days,
        ),
        mailer=SesMailer(clients.ses(), settings.configuration_set),
        clock=clock,
        log=log,
    )
