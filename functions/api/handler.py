"""API: a password manager's request to the function's URL in, a new alias out (postern_mail.alias_api)."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws.api import assembly
from postern_mail.aws.http_event import Request, response
from postern_mail.aws.mail_log import mail_log
from postern_mail.environment import ApiEnvironment

environment = ApiEnvironment.from_environment(os.environ)
log = mail_log(environment.stack)
api = assembly.alias_api(environment, log)


@log.logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the HTTP answer. An exception becomes the function URL's error response, which tells the caller
    nothing."""
    request = Request.from_event(event)
    with log.leaving():
        answer = api.answer(request.method, request.path, request.headers.get("authorization", ""), request.body)
    return response(answer.status, answer.body, {"content-type": "application/json", "cache-control": "no-store"})
