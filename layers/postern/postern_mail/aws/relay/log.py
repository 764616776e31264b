"""The log of a rotation."""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

if TYPE_CHECKING:
    pass


class PowertoolsStepLog:
    """Writes JSON lines. Of a key only its last four characters are shown, enough to distinguish two."""

    def __init__(self) -> None:
        self.logger = Logger(service="postern")

    def done(self, what: str, **about: str) -> None:
        """Log a line."""
        self.logger.info(what, extra={name: value[-4:] if name == "key" else value for name, value in about.items()})
