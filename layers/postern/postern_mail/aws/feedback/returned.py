"""Assembles the mail about messages sent as an alias; imported only for an event about one."""

from typing import TYPE_CHECKING

from ...environment import FeedbackEnvironment
from ...errors import OverCap
from ...mail.send_as import MOST_AN_HOUR, SentAs
from ...ports.clock import Clock
from ...ports.feedback import ReturnedLog
from ...returned import Returned
from .. import clients
from ..forward.ledger import DynamoLedger
from ..forward.mailer import SesMailer
from ..forward.tables import DynamoTables
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_HOUR = 3600
_KEPT = 48 * _HOUR  # seconds a count is kept, for inspection


class DynamoReturnedLimits:
    """The events of an hour and alias, by SES's clock: a set, so that a retried event counts once."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._items = Items(client, table)
        self._clock = clock

    def admit(self, mail: SentAs) -> None:
        """Count an event. Raises OverCap if the hour's limit is reached, Temporary."""
        admitted, _ = self._items.update(
            "DynamoDB UpdateItem (returned)",
            {"message_id": f"returned:{mail.address.key}", "entry": str(mail.at // _HOUR * _HOUR)},
            "SET expires_at = :expires_at ADD told :ids",
            {
                ":ids": {mail.message_id}, ":id": mail.message_id, ":most": MOST_AN_HOUR,
                ":expires_at": int(self._clock.now()) + _KEPT,
            },
            condition="attribute_not_exists(told) OR contains(told, :id) OR size(told) < :most",
        )  # fmt: skip
        if not admitted:
            raise OverCap(f"those who get the mail of {mail.address} were told {MOST_AN_HOUR} times within this hour")


def returned(
    environment: FeedbackEnvironment, book: DynamoLedger, tag_key: bytes, clock: Clock, log: ReturnedLog
) -> Returned:
    """The mail's sender, on real AWS."""
    dynamodb = clients.dynamodb()
    return Returned(
        stack=environment.stack.name,
        tables=DynamoTables(dynamodb, environment.alias_table, "", environment.destination_table),
        domains=environment.stack.domains,
        ledger=book,
        mailer=SesMailer(clients.ses(), environment.configuration_set, tag_key),
        limits=DynamoReturnedLimits(dynamodb, environment.stack.ledger_table, clock),
        clock=clock,
        log=log,
    )
