"""Puts together what answers senders, for each function that does."""

from typing import TYPE_CHECKING, Any

from ...answer_senders import Answering
from ...ports.answers import AnswerLog
from ...ports.clock import Clock
from .. import choice
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
        answerer=SesAnswerer(choice.Later(_bounces), clock),
        limits=DynamoAnswerLimits(client, book.table, tables=DynamoTables(client, alias_table, ""), clock=clock),
        clock=clock,
        log=log,
        setting=setting,
    )


def _bounces() -> Any:
    from .. import clients  # noqa: PLC0415 (most messages have no answer)

    return clients.bounces()
