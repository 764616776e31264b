"""Assembles the API for password managers."""

import secrets

from ...alias_api import AliasApi
from ...environment import ApiEnvironment
from .. import clients
from ..clock import SystemClock
from ..mail_log import CloudWatchMailLog
from .book import DynamoTokenBook


def alias_api(environment: ApiEnvironment, log: CloudWatchMailLog) -> AliasApi:
    """The API, on real AWS."""
    clock, stack = SystemClock(), environment.stack
    book = DynamoTokenBook(clients.dynamodb(), aliases=environment.alias_table, ledger=stack.ledger_table, clock=clock)
    return AliasApi(book=book, own_domains=stack.domains, clock=clock, choose=secrets.choice, log=log)
