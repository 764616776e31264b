"""Puts the keeping of the receipt rules together, once for each container."""

import time
from typing import Any

from ..recipients.keep import Keeper
from ..recipients.ports import RecipientsLog
from ..settings import RecipientsSettings
from . import clients
from .assembly import SystemClock
from .lease import DynamoLease
from .receipt_rules import SesReceiptRules
from .tables import DynamoAliasTable


def actions(settings: RecipientsSettings) -> list[dict[str, Any]]:
    """What each rule does, as the template's own rule does it: store, then invoke."""
    return [
        {"S3Action": {"BucketName": settings.mail_bucket, "ObjectKeyPrefix": settings.mail_prefix}},
        {"LambdaAction": {"FunctionArn": settings.inbound_function, "InvocationType": "Event"}},
    ]


def keeper(settings: RecipientsSettings, log: RecipientsLog) -> Keeper:
    """The rules and the table on real AWS."""
    clock = SystemClock()
    dynamodb = clients.dynamodb()
    return Keeper(
        domains=settings.domains,
        prefix=settings.rule_prefix,
        rules=SesReceiptRules(
            clients.receipt_rules(), settings.rule_set, settings.rule_prefix, actions(settings), clock=clock
        ),
        table=DynamoAliasTable(dynamodb, settings.alias_table),
        lease=DynamoLease(dynamodb, settings.ledger_table, clock=clock),
        clock=clock,
        log=log,
        pause=time.sleep,
    )
