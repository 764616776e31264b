"""Feedback: records what SES reports about sent forwards, through EventBridge. The steps are in
postern_mail.feedback."""

import os

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws.feedback import assembly
from postern_mail.aws.mail_log import mail_log
from postern_mail.environment import FeedbackEnvironment

environment = FeedbackEnvironment.from_environment(os.environ)
log = mail_log(environment.stack)
listener = assembly.listener(environment, log)


@log.metrics.log_metrics
@log.logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> None:
    """Return when everything is recorded; Lambda retries after an exception, then keeps the event in the on-failure
    queue."""
    del context
    with log.leaving():
        listener.handle(event)
