"""SES's first API as far as receipt rules go, for botocore and the AWS command to talk to unawares.

The query protocol of AWS: parameters such as `Rule.Recipients.member.1` in a form, XML back. Each
operation may be called once a second, as the API reference says.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from ..cloud import HOST
from .rule_set import Refusal, RuleSet

_POLL = 0.02  # seconds until a stop is noticed
INTERVAL = 1.0  # seconds between two calls of one operation
_BOOLEANS = {"true": True, "false": False}


@dataclass
class RuleApi:
    """The API on a port of this machine; `calls` tells what was asked for, with the rule's name."""

    rule_set: RuleSet
    port: int = 0
    interval: float = INTERVAL
    calls: list[tuple[str, str]] = field(default_factory=list)
    _last: dict[str, float] = field(default_factory=dict)

    def start(self) -> None:
        """Listen; returns when requests are taken."""
        api = self

        class Handler(_Handler):
            rules = api

        self._http = ThreadingHTTPServer((HOST, self.port), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(_POLL,), daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._http.shutdown()
        self._http.server_close()

    @property
    def endpoint(self) -> str:
        """The URL that AWS_ENDPOINT_URL_SES is set to."""
        return f"http://{HOST}:{self.port}"

    def answer(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one call. Raises Refusal."""
        action = str(form["Action"])
        operations: dict[str, Callable[[Mapping[str, Any]], object]] = {
            "DescribeReceiptRuleSet": lambda _: self.rule_set.describe(),
            "CreateReceiptRule": lambda asked: self.rule_set.create(_rule(asked)),
            "UpdateReceiptRule": lambda asked: self.rule_set.update(_rule(asked)),
            "DeleteReceiptRule": lambda asked: self.rule_set.delete(asked["RuleName"]),
        }
        if action not in operations:
            raise Refusal("InvalidAction", f"{action} is not known to the emulator")
        self._pace(action)
        if form["RuleSetName"] != self.rule_set.name:
            raise Refusal("RuleSetDoesNotExist", f"Rule set does not exist: {form['RuleSetName']}")
        self.calls.append((action, str(form.get("RuleName") or form.get("Rule", {}).get("Name", ""))))
        rules = operations[action](form)
        return {"Metadata": {"Name": self.rule_set.name}, "Rules": rules} if rules is not None else {}

    def _pace(self, action: str) -> None:
        now = time.monotonic()
        if now - self._last.get(action, -math.inf) < self.interval:
            raise Refusal("Throttling", "Rate exceeded")
        self._last[action] = now


class _Handler(BaseHTTPRequestHandler):
    rules: RuleApi
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = _nested(parse_qsl(body, keep_blank_values=True))
        try:
            result = _xml(self.rules.answer(form))
            name = form["Action"]
            self._answer(200, f"<{name}Response><{name}Result>{result}</{name}Result></{name}Response>")
        except Refusal as refusal:
            said = _xml({"Type": "Sender", "Code": refusal.code, "Message": str(refusal)})
            self._answer(400, f"<ErrorResponse><Error>{said}</Error></ErrorResponse>")

    def log_message(self, *_: object) -> None:
        """Nothing: the function's log tells what it did."""

    def _answer(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _rule(form: Mapping[str, Any]) -> dict[str, Any]:
    """The rule of a request; botocore sends an empty list as an empty text."""
    rule = dict(form["Rule"])
    return {**rule, "Recipients": rule.get("Recipients") or [], "Actions": rule.get("Actions") or []}


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a.b=x` as {"a": {"b": "x"}} and `a.member.1=x` as {"a": ["x"]}."""
    tree: dict[str, Any] = {}
    for path, value in pairs:
        *folders, last = path.split(".")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = _BOOLEANS.get(value, value)
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"member"}:
        return [_lists(value["member"][number]) for number in sorted(value["member"], key=int)]
    return {name: _lists(inner) for name, inner in value.items()}


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(inner)}</{name}>" for name, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(inner)}</member>" for inner in value)
    return str(value).lower() if isinstance(value, bool) else escape(str(value))
