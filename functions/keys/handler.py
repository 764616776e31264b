"""Keys: CloudFormation's request in, its answer out; makes the keys that the ledger lacks (aws.stack_keys), and refuses
to create a function URL if the account has no concurrency left for it (aws.room)."""

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from postern_mail.aws import clients
from postern_mail.aws.room import lacking
from postern_mail.aws.stack_keys import make_keys
from postern_mail.custom_resource import Deadline, Request, answered, patiently
from postern_mail.errors import Misconfigured

log = Logger(service="postern")


@log.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Raises only if CloudFormation cannot be reached; Lambda then repeats the request."""
    request = Request.from_event(event)
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000, time.sleep)
    table = str(request.properties.get("Table"))

    def work() -> str:
        if request.kind == "Delete":
            return "the keys stay in the ledger"
        opened = set(request.properties.get("Doors", ())) - set(event.get("OldResourceProperties", {}).get("Doors", ()))
        if opened and (why := patiently(lambda: lacking(clients.functions(brief=True), opened), deadline.pause)):
            raise Misconfigured(why)
        client, purposes = clients.dynamodb(brief=True), request.properties["Purposes"]
        made = patiently(lambda: make_keys(client, table, purposes, time.time()), deadline.pause)
        return f"made {', '.join(made) or 'none'} of {', '.join(purposes)}"

    log.info(answered(request, work, name=f"keys of {table}", deadline=deadline), extra={"request": request.kind})
