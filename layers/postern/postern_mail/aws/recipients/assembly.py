"""Puts the keeping of the receipt rules together, once for each container."""

import time
from typing import Any

from ...recipients.keep import Keeper
from ...recipients.ports import RecipientsLog
from ...settings import RecipientsSettings
from .. import clients
from ..clock import SystemClock
from .alias_table import DynamoAliasTable
from .lease import DynamoLease
from .receipt_rules import SesReceiptRules


def manner(settings: RecipientsSettings) -> dict[str, Any]:
    """What all our rules have in common, and the template's rule with them: store, then invoke."""
    store = {"BucketName": settings.mail_bucket, "ObjectKeyPrefix": settings.mail_prefix}
    if settings.writer_role:
        store["IamRoleArn"] = settings.writer_role
    invoke = {"FunctionArn": settings.inbound_function, "InvocationType": "Event"}
    return {
        "Enabled": True,
        "ScanEnabled": True,
        "TlsPolicy": settings.inbound_tls,
        "Actions": [{"S3Action": store}, {"LambdaAction": invoke}],
    }


def keeper(settings: RecipientsSettings, log: RecipientsLog) -> Keeper:
    """The rules and the table on real AWS."""
    clock = SystemClock()
    dynamodb, ses = clients.dynamodb(), clients.receipt_rules()

    def rules_in(rule_set: str) -> SesReceiptRules:
        return SesReceiptRules(ses, rule_set, settings.rule_prefix, manner(settings), clock=clock)

    return Keeper(
        domains=settings.domains,
        prefix=settings.rule_prefix,
        rule_set=settings.rule_set,
        rules_in=rules_in,
        table=DynamoAliasTable(dynamodb, settings.alias_table),
        lease=DynamoLease(dynamodb, settings.ledger_table, clock=clock),
        clock=clock,
        log=log,
        pause=time.sleep,
    )
