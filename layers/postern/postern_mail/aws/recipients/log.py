"""The log and the metrics of keeping the receipt rules."""

from collections.abc import Collection

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from ...mail.address import mask
from ...recipients.ports import Progress
from ..mail_log import NAMESPACE


class PowertoolsRecipientsLog:
    """A line and numbers for each look at the table. Only addresses of our own are ever shown whole.

    The name of the stack is the dimension `service` of the numbers: several stacks share the namespace.
    """

    def __init__(self, *, own_domains: Collection[str], stack: str = "postern") -> None:
        self.logger = Logger(service=stack)
        self.metrics = Metrics(namespace=NAMESPACE, service=stack)
        self._own_domains = own_domains

    def progress(self, progress: Progress) -> None:
        """RecipientsCalls is what was done, RecipientsLeft what did not fit into the time."""
        self._add("RecipientsCalls", MetricUnit.Count, progress.done)
        self._add("RecipientsLeft", MetricUnit.Count, progress.left)
        self.logger.info(
            "looked at the alias table and the receipt rules",
            calls=progress.done,
            left=progress.left,
            recipients=progress.recipients,
            whole_domains=dict(progress.whole),
        )

    def lag(self, seconds: float) -> None:
        """RecipientsLag, in seconds."""
        self._add("RecipientsLag", MetricUnit.Seconds, max(0.0, seconds))

    def left_to_another(self) -> None:
        """No number: the other one has them."""
        self.logger.info("another invocation writes the rules and will look at the table once more")

    def answered(self, said: str) -> None:
        """As CloudFormation got it."""
        self.logger.info(said)

    def failure(self, error: Exception) -> None:
        """Counted as Errors and under the name of its class."""
        self._add("Errors", MetricUnit.Count, 1)
        self._add(type(error).__name__, MetricUnit.Count, 1)
        self.logger.error(mask(str(error), self._own_domains), error=type(error).__name__)

    def _add(self, name: str, unit: MetricUnit, value: float) -> None:
        self.metrics.add_metric(name=name, unit=unit, value=value)
