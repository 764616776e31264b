"""Watch: on a schedule, what is open too long and what no invocation ever saw (postern_mail.watch), the answers to
senders that had to wait (late_answers), grey holds that nothing woke (held), whether DNS lists can be believed
(list_tests), the days that are over, added up (daily_summaries), and what people should know (teller)."""

import os
from contextlib import ExitStack

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws.mail_log import mail_log
from postern_mail.aws.watch import assembly
from postern_mail.environment import WatchEnvironment

environment = WatchEnvironment.from_environment(os.environ)
log = mail_log(environment.stack)
watch = assembly.watch(environment, log)
late_answers = assembly.late_answers(environment, log)
held = assembly.held(environment)
list_tests = assembly.list_tests(environment, log)
daily_summaries = assembly.daily_summaries(environment)


@log.metrics.log_metrics
@log.logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> None:
    """Returns nothing; what it found is in the log, the metrics and the ledger. One that fails holds back no other."""
    with ExitStack() as each:
        telling = assembly.teller(environment, log, event)
        for one in (telling, daily_summaries, list_tests, late_answers, held):
            each.callback(one.run)
        watch.run()
