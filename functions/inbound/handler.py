"""Inbound: SES's receipt event in, forwarded mail out. The steps are in postern_mail.forward.

The event comes from SES, or from the retry queue when it has failed before (postern_mail.intake).
"""

import os
from typing import Any

from postern_mail.aws.forward import assembly
from postern_mail.aws.mail_log import fast_log
from postern_mail.environment import InboundEnvironment

environment = InboundEnvironment.from_environment(os.environ)
log = fast_log(environment.stack)
intake = assembly.intake(environment, log)


def handler(event: object, context: Any) -> None:
    """Return when the message is settled; Lambda or SQS retries after an exception."""
    with log.invocation(context):
        intake.handle(event, assembly.last_start(context))
