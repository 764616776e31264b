"""The owner's settings, read from the alias table alone."""

from typing import TYPE_CHECKING

from ...errors import Misconfigured
from ...mail.settings import KEY, BadSettings, Settings
from .tables import DynamoTables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoOwnerSettings:
    """One read for each call: callers are rare."""

    def __init__(self, client: "DynamoDBClient", alias_table: str) -> None:
        self._tables = DynamoTables(client, alias_table, "")

    def read(self) -> Settings:
        """The settings in force. Raises Misconfigured, Temporary."""
        try:
            return Settings.of(self._tables.read([KEY], ()))
        except BadSettings as fault:
            raise Misconfigured(str(fault)) from fault
