"""Ruleset: CloudFormation's request in, its answer out; which set is active is decided in postern_mail.ruleset."""

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws import clients
from postern_mail.aws.ruleset.rule_sets import CloudFormationStacks, SesRuleSets
from postern_mail.custom_resource import Deadline, Request, answered
from postern_mail.ruleset import Activation

log = Logger(service="postern")


@log.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Raises only if CloudFormation cannot be reached; Lambda then repeats the request."""
    request = Request.from_event(event)
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000, time.sleep)

    def work() -> str:
        activation = Activation(
            sets=SesRuleSets(clients.receipt_rules(brief=True)),
            stacks=CloudFormationStacks(clients.cloudformation(brief=True)),
            pause=deadline.pause,
        )
        return activation.carry_out(request.kind, request.stack, request.properties)

    name = str(request.properties.get("RuleSet", request.event["LogicalResourceId"]))
    log.info(answered(request, work, name=name, deadline=deadline), extra={"request": request.kind})
