"""Watch: on a schedule, what is open too long and what no invocation ever saw (postern_mail.watch), and the answers to
senders that had to wait (postern_mail.late_answers)."""

import os

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws.mail_log import mail_log
from postern_mail.aws.watch import assembly
from postern_mail.environment import WatchEnvironment

environment = WatchEnvironment.from_environment(os.environ)
log = mail_log(environment.stack)
watch = assembly.watch(environment, log)
late_answers = assembly.late_answers(environment, log)


@log.metrics.log_metrics
@log.logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> None:
    """Returns nothing; what it found is in the log, the metrics and the ledger."""
    try:
        watch.run()
    finally:
        late_answers.run()
