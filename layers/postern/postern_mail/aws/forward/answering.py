"""Assembles the part that answers senders, for each function that does."""

from typing import TYPE_CHECKING, Any

from ...answer_senders import Answering
from ...ports.answers import AnswerLog
from ...ports.clock import Clock
from .. import choice
from .answer_limits import DynamoAnswerLimits
from .answerer import SesAnswerer
from .ledger import DynamoLedger
from .owner_settings import DynamoOwnerSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def answering(
    client: "DynamoDBClient", book: DynamoLedger, alias_table: str, clock: Clock, log: AnswerLog
) -> Answering:
    """The part that answers senders, on real AWS."""
    settings = DynamoOwnerSettings(client, alias_table)
    return Answering(
        ledger=book,
        answerer=SesAnswerer(choice.Later(_bounces), clock),
        limits=DynamoAnswerLimits(client, book.table, settings=settings, clock=clock),
        clock=clock,
        log=log,
        settings=settings,
    )


def _bounces() -> Any:
    from .. import clients  # noqa: PLC0415 (most messages have no answer)

    return clients.bounces()
