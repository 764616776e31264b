"""SES sending: authorised as SES does it, then carried out by our double. Events of SES reach the bus."""

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from email.utils import parseaddr
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions
from ministack.services import eventbridge, ses, ses_v2

from tests.deploy.taught.rights import ACCOUNT, REGION

SENDING = os.environ["POSTERN_SENDING"]  # the URL of our double of SES
_SEND = "/v2/email/outbound-emails"

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Awaitable[Answer]]


def teach() -> None:
    """Take the place of ministack's own."""
    app._enforce_ses_v2 = _authorised(app._enforce_ses_v2)
    ses_v2.handle_request = _carried_out(ses_v2.handle_request, _sends)
    ses.handle_request = _carried_out(ses.handle_request, _bounces)
    iam_actions.extract_resource_arn = _with_bounce_sender(iam_actions.extract_resource_arn)
    # PutEvents takes no event of aws.ses from anybody; the double's come by it all the same.
    eventbridge._put_events = partial(eventbridge._put_events, allow_aws_source=True)


def _authorised(original: Callable[..., Any]) -> Callable[..., Any]:
    """Raw content is authorised as SendRawEmail on the identity and on the configuration set, with the
    condition key ses:FromAddress (service authorization reference, "Amazon SES v2")."""

    def enforce(method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str) -> Any:
        if not _sends(method, path, body):
            return original(method, path, headers, body, query, request_id)
        wanted = json.loads(body)
        sender = parseaddr(wanted["FromEmailAddress"])[1]
        names = [_identity(sender)]
        if "ConfigurationSetName" in wanted:
            names.append(f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{wanted['ConfigurationSetName']}")
        for arn in names:
            context = {"ses:FromAddress": sender}
            denied = app._enforce_data_plane(
                "sesv2", "ses:SendRawEmail", headers, query, request_id, resource_arn=arn, service_context=context
            )
            if denied:
                return denied
        return None

    return enforce


def _with_bounce_sender(original: Callable[..., str]) -> Callable[..., str]:
    """SendBounce is authorised on the identity of the bounce's sender."""

    def arn(service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *place: str) -> str:
        if service == "ses" and _bounces(method, path, body):
            return _identity(parse_qs(body.decode())["BounceSender"][0])
        return original(service, method, path, headers, body, query, *place)

    return arn


def _identity(sender: str) -> str:
    return f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{sender.rpartition('@')[2]}"


def _sends(method: str, path: str, _body: bytes) -> bool:
    return (method, path) == ("POST", _SEND)


def _bounces(method: str, path: str, body: bytes) -> bool:
    return (method, path) == ("POST", "/") and b"Action=SendBounce&" in body + b"&"


def _carried_out(original: Handler, ours: Callable[[str, str, bytes], bool]) -> Handler:
    """ministack keeps raw mail lossily, and knows no SendBounce; our double refuses what SES refuses."""

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Answer:
        if ours(method, path, body):
            return await asyncio.to_thread(_asked, path, body)
        return await original(method, path, headers, body, query)

    return handle


def _asked(path: str, body: bytes) -> Answer:
    request = urllib.request.Request(SENDING + path, body)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, dict(refusal.headers), refusal.read()
