"""Inbound: SES's receipt event in, forwarded mail out. The way itself is in postern.forward."""

import os

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern.aws import assembly
from postern.settings import Settings

settings = Settings.from_environment(os.environ)
log = assembly.mail_log(settings)
forwarder = assembly.forwarder(settings, log)


@log.metrics.log_metrics
@log.logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> None:
    """Returns nothing when the message is settled; whatever it raises, Lambda tries again."""
    forwarder.handle(event)
