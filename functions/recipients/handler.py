"""Recipients: makes the receipt rules match the alias table. How is in postern_mail.recipients.keep."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws.recipients.assembly import keeper
from postern_mail.aws.recipients.log import PowertoolsRecipientsLog
from postern_mail.environment import RecipientsEnvironment

environment = RecipientsEnvironment.from_environment(os.environ)
log = PowertoolsRecipientsLog(own_domains=environment.stack.domains, stack=environment.stack.name)
keep = keeper(environment, log)


@log.metrics.log_metrics
@log.logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Take events of the table's stream, of the schedule and of CloudFormation; the sender retries after an
    exception."""
    keep.handle(event, lambda: context.get_remaining_time_in_millis() / 1000)
