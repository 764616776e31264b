"""Assembles the function that keeps the receipt rules, once for each container."""

import time
from typing import Any

from ...environment import RecipientsEnvironment
from ...recipients.keep import Keeper
from ...recipients.ports import RecipientsLog
from .. import clients
from ..clock import SystemClock
from .alias_table import DynamoAliasTable
from .lease import DynamoLease
from .receipt_rules import SesReceiptRules


def shared_properties(environment: RecipientsEnvironment) -> dict[str, Any]:
    """The properties that all our rules and the template's rule share: store the message, then invoke the function."""
    store = {"BucketName": environment.bucket.name, "ObjectKeyPrefix": environment.bucket.prefix}
    if environment.writer_role:
        store["IamRoleArn"] = environment.writer_role
    invoke = {"FunctionArn": environment.inbound_function, "InvocationType": "Event"}
    return {
        "Enabled": True,
        "ScanEnabled": True,
        "TlsPolicy": environment.inbound_tls,
        "Actions": [{"S3Action": store}, {"LambdaAction": invoke}],
    }


def keeper(environment: RecipientsEnvironment, log: RecipientsLog) -> Keeper:
    """The keeper of the rules, on real AWS."""
    clock = SystemClock()
    dynamodb, ses = clients.dynamodb(), clients.receipt_rules()

    def rules_in(rule_set: str) -> SesReceiptRules:
        return SesReceiptRules(ses, rule_set, environment.rule_prefix, shared_properties(environment), clock=clock)

    return Keeper(
        domains=environment.stack.domains,
        prefix=environment.rule_prefix,
        rule_set=environment.rule_set,
        rules_in=rules_in,
        table=DynamoAliasTable(dynamodb, environment.alias_table),
        lease=DynamoLease(dynamodb, environment.stack.ledger_table, clock=clock),
        clock=clock,
        log=log,
        pause=time.sleep,
    )
