"""The log of a rotation."""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

if TYPE_CHECKING:
    pass


class PowertoolsStepLog:
    """JSON lines. Of a key its last four characters are shown, enough to tell two of them apart."""

    def __init__(self) -> None:
        self.logger = Logger(service="postern")

    def done(self, what: str, **about: str) -> None:
        """One line."""
        self.logger.info(what, extra={name: value[-4:] if name == "key" else value for name, value in about.items()})
