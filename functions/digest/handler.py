"""Digest: once a day, mails the owner the digest (postern_mail.owner_mail) and sends the daily test message, which
proves that mail comes in (daily_test)."""

import os
from contextlib import ExitStack

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws.mail_log import mail_log
from postern_mail.aws.watch import assembly
from postern_mail.environment import DigestEnvironment

environment = DigestEnvironment.from_environment(os.environ)
log = mail_log(environment.stack)
owner_mail = assembly.owner_mail(environment, log)
daily_test = assembly.daily_test(environment, log)


@log.metrics.log_metrics
@log.logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> None:
    """Return when each digest is sent and the test is on its way; Lambda retries after an exception. If one of the two
    fails, the other still runs."""
    with log.leaving(), ExitStack() as each:
        each.callback(daily_test.run)
        owner_mail.run()
