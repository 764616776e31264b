"""Pages behind signed links on ministack, as a browser asks for them, and what the role behind them may do."""

import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

from botocore.exceptions import ClientError
from postern_mail.aws.stack_keys import LINKS, stack_keys
from postern_mail.mail.link import Deed, Door

from tests.deploy.deployed import STACK, Deployed

_BUTTON = re.compile(r'<button name="(\w+)" value="(\w+)">')
_LEADS_TO = re.compile(r'<a class="go" href="([^"]+)"')
_TIMEOUT = 60  # seconds for a request; a function starts meanwhile


@dataclass(frozen=True)
class Doors:
    """Asks the function of the links; `endpoint` is ministack's."""

    stack: Deployed
    endpoint: str

    @cached_property
    def door(self) -> Door:
        """Where the function is, with the key that the stack made."""
        client = self.stack.client("lambda")
        names = [one["FunctionName"] for one in client.list_functions()["Functions"]]
        (name,) = [one for one in names if one.startswith(f"{STACK}-LinksFunction")]
        (key,) = stack_keys(self.stack.client("dynamodb"), f"{STACK}-ledger", LINKS)
        return Door(client.get_function_url_config(FunctionName=name)["FunctionUrl"], key)

    def link(self, deed: Deed, who: str, message_id: str = "", seconds: float = 600) -> str:
        """A link that holds for so long."""
        return self.door.to(deed, message_id, who, time.time() + seconds)

    def ask(self, url: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """(status, page). ministack has no names of its own in DNS: it takes the id of a URL in the path."""
        parts = urlsplit(url)
        here = f"{self.endpoint}/_aws/lambda-url/{parts.netloc.partition('.')[0]}{parts.path}"
        body = urlencode(form).encode() if form is not None else None
        try:
            with urllib.request.urlopen(here, body, timeout=_TIMEOUT) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def press(self, url: str) -> tuple[int, str]:
        """Read the page and press its button, if it has one."""
        status, page = self.ask(url)
        found = _BUTTON.search(page)
        return self.ask(url, {found[1]: found[2]}) if found else (status, page)

    def fetched(self, page: str) -> bytes:
        """What the address on a page leads to."""
        found = _LEADS_TO.search(page)
        assert found, page
        with urllib.request.urlopen(unescape(found[1]), timeout=_TIMEOUT) as answer:
            return bytes(answer.read())


def lead_elsewhere(stack: Deployed, alias: str) -> list[str]:
    """Try, as the function's role, to have an alias lead to someone else; what IAM let pass."""
    client, key, thief = stack.acting("LinksFunctionRole"), {"address": {"S": alias}}, {"S": "thief@evil.example"}
    change = {"UpdateExpression": "SET destinations = :to", "ExpressionAttributeValues": {":to": thief}}
    update = {"TableName": f"{STACK}-aliases", "Key": key, **change}
    rule = {"sender": {"S": "*"}, "scope": {"S": "*"}, "action": {"S": "REDIRECT thief@evil.example"}}
    attempts: dict[str, dict[str, Any]] = {
        "update_item": update,
        "put_item": {"TableName": f"{STACK}-aliases", "Item": {**key, "destinations": thief}},
        "delete_item": {"TableName": f"{STACK}-aliases", "Key": key},
        "transact_write_items": {"TransactItems": [{"Update": update}]},
        "put_item of a rule": {"TableName": f"{STACK}-senders", "Item": rule},
    }
    passed = []
    for call, request in attempts.items():
        try:
            getattr(client, call.partition(" ")[0])(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
        else:
            passed.append(call)
    return passed
