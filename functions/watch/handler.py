"""Watch: on a schedule, finds messages that have been open too long and objects that no invocation saw
(postern_mail.watch), sends delayed answers to senders (late_answers), wakes overdue grey holds (held), tests the DNS
lists (list_tests), adds up completed days (daily_summaries), and tells people what is new (teller)."""

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
    """Run each task; its findings are in the log, the metrics and the ledger. If one fails, the others still run."""
    with ExitStack() as each:
        telling = assembly.teller(environment, log, event)
        for one in (telling, daily_summaries, list_tests, late_answers, held):
            each.callback(one.run)
        watch.run()
