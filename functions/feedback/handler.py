"""Feedback: what SES says of forwards it has sent, by EventBridge. The way of an event is in postern_mail.feedback."""

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
    """Returns nothing when all is written down; whatever it raises, Lambda tries again, and then the queue has it."""
    del context
    with log.leaving():
        listener.handle(event)
