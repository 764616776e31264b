"""Links: a request to the function's URL in, a page out (postern_mail.links)."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws.http_event import Request, response
from postern_mail.aws.links import assembly
from postern_mail.aws.mail_log import mail_log
from postern_mail.environment import LinksEnvironment
from postern_mail.mail.link_pages import HEADERS

environment = LinksEnvironment.from_environment(os.environ)
log = mail_log(environment.stack)
links = assembly.links(environment, log)


@log.logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the page. An exception becomes the function URL's error response, which tells the caller nothing."""
    request = Request.from_event(event)
    with log.leaving():
        page = links.answer(request.method, request.path, request.body)
    return response(page.status, page.body, {**HEADERS, "content-type": page.kind})
