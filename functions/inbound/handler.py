"""Inbound: SES's receipt event in, forwarded mail out. The way itself is in postern_mail.forward.

The event comes from SES, or from the retry queue when it has failed before (postern_mail.intake).
"""

import os

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws.forward import assembly
from postern_mail.aws.mail_log import mail_log
from postern_mail.environment import InboundEnvironment

environment = InboundEnvironment.from_environment(os.environ)
log = mail_log(environment.stack)
intake = assembly.intake(environment, log)


@log.metrics.log_metrics
@log.logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> None:
    """Returns nothing when the message is settled; whatever it raises, Lambda or SQS tries again."""
    with log.leaving():
        intake.handle(event, assembly.last_start(context))
