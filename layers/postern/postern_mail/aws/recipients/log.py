"""The log and the metrics of the function that keeps the receipt rules."""

import warnings
from collections.abc import Collection

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from ...errors import Misconfigured
from ...mail.address import mask
from ...recipients.ports import Progress
from ..mail_log import NAMESPACE, NEEDS_SOMEBODY

LATE = 600  # seconds behind the table: more than one run takes; meanwhile mail to new aliases is refused


class PowertoolsRecipientsLog:
    """Writes a line for each comparison with the table. Only our own addresses are shown in full.

    The name of the stack is the dimension `service` of the count: several stacks share the namespace.
    """

    def __init__(self, *, own_domains: Collection[str], stack: str = "postern") -> None:
        self.logger = Logger(service=stack)
        self.metrics = Metrics(namespace=NAMESPACE, service=stack)
        warnings.filterwarnings("ignore", "No application metrics to publish")
        self._own_domains = own_domains

    def progress(self, progress: Progress) -> None:
        """Log what was done, and what did not fit into the time."""
        self.logger.info(
            "looked at the alias table and the receipt rules",
            calls=progress.done,
            left=progress.left,
            recipients=progress.recipients,
            whole_domains=dict(progress.whole),
        )

    def lag(self, seconds: float) -> None:
        """Log an error, counted as NeedsSomebody, if the rules are late."""
        if seconds > LATE:
            self._needs_somebody()
            self.logger.error("the receipt rules are behind the alias table", seconds=round(seconds))

    def left_to_another(self) -> None:
        """Log a line; the other invocation logs the numbers."""
        self.logger.info("another invocation writes the rules and will look at the table once more")

    def answered(self, said: str) -> None:
        """Log the answer to CloudFormation."""
        self.logger.info(said)

    def failure(self, error: Exception) -> None:
        """Log a failure, counted as NeedsSomebody if waiting alone does not cure it; Lambda counts the others."""
        if isinstance(error, Misconfigured):
            self._needs_somebody()
        self.logger.error(mask(str(error), self._own_domains), error=type(error).__name__)

    def _needs_somebody(self) -> None:
        self.metrics.add_metric(name=NEEDS_SOMEBODY, unit=MetricUnit.Count, value=1)
        self.metrics.flush_metrics()
