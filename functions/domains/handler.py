"""Domains: CloudFormation's request in, its answer out; what each domain needs is decided in postern_mail.domains."""

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws import clients
from postern_mail.aws.domains.identities import SesIdentities
from postern_mail.aws.domains.onward import NextInvocation
from postern_mail.aws.domains.zones import Route53Zones
from postern_mail.aws.ruleset.rule_sets import CloudFormationStacks
from postern_mail.custom_resource import Deadline, Request, answered
from postern_mail.domains.carry_out import Keeping

log = Logger(service="postern")


@log.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Raises only if CloudFormation cannot be reached; Lambda then repeats the request."""
    request = Request.from_event(event)
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000, time.sleep)
    keeping = Keeping(
        identities=SesIdentities(clients.identities(brief=True)),
        zones=Route53Zones(clients.route53(brief=True)),
        stacks=CloudFormationStacks(clients.cloudformation(brief=True)),
        deadline=deadline,
        onward=NextInvocation(clients.functions(brief=True), context.function_name).start,
        say=log.info,
    )
    # The name must not change while the resource exists: CloudFormation would delete the resource with the old name.
    name = f"{request.stack.split('/')[1]}-domains"
    log.info(answered(request, lambda: keeping.carry_out(request), name=name, deadline=deadline))
