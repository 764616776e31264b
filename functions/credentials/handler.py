"""Credentials: one step of a rotation of the relay's SMTP password (postern.relay.rotation).

CloudFormation calls it too, as the stack goes: IAM does not delete a user that has keys.
"""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern.aws import custom_resource, relay
from postern.relay.settings import RelaySettings

settings = RelaySettings.from_environment(os.environ)
log = relay.PowertoolsStepLog()
rotation = relay.rotation(settings, log)
keys = relay.user_keys(settings)


def remove_all_keys() -> None:
    """The stack goes, and the user with it."""
    for key_id in keys.ids():
        keys.remove(key_id)


@log.logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Returns nothing when the step is done; whatever it raises, Secrets Manager tries the rotation again."""
    if "RequestType" in event:
        custom_resource.answered(event, f"keys-of-{settings.user}", remove_all_keys)
    else:
        rotation.handle(event)
