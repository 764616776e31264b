"""Puts together what answers senders, for each function that does."""

from typing import TYPE_CHECKING

from ...answer_senders import Answering
from ...ports.answers import AnswerLog
from ...ports.clock import Clock
from .. import clients
from .answer_limits import DynamoAnswerLimits
from .answerer import SesAnswerer
from .ledger import DynamoLedger
from .tables import DynamoTables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def answering(
    client: "DynamoDBClient", book: DynamoLedger, alias_table: str, clock: Clock, log: AnswerLog, setting: str
) -> Answering:
    """What answers senders on real AWS; `setting` is one of dsn.ANSWER_SENDERS."""
    return Answering(
        ledger=book,
        answerer=SesAnswerer(clients.bounces(), clock),
        limits=DynamoAnswerLimits(client, book.table, tables=DynamoTables(client, alias_table, ""), clock=clock),
        clock=clock,
        log=log,
        setting=setting,
    )
