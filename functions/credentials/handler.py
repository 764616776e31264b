"""Credentials: one step of a rotation of the relay's SMTP password (postern_mail.relay.rotation).

CloudFormation calls it too, when the stack is deleted: IAM does not delete a user that has keys.
"""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws.relay import assembly
from postern_mail.aws.relay.log import PowertoolsStepLog
from postern_mail.custom_resource import Deadline, Request, answered
from postern_mail.relay.environment import RelayEnvironment

environment = RelayEnvironment.from_environment(os.environ)
log = PowertoolsStepLog()
rotation = assembly.rotation(environment, log)
keys = assembly.user_keys(environment)


@log.logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Carry out one step. Return when it is done; after an exception, Secrets Manager repeats the rotation."""
    if "RequestType" not in event:
        rotation.handle(event)
        return
    request = Request.from_event(event)

    def work() -> str:
        return keys.remove_all() if request.kind == "Delete" else "nothing to do"

    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    log.logger.info(answered(request, work, name=f"keys-of-{environment.user}", deadline=deadline))
