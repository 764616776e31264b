"""The application: all pages and actions by path, behind the gate."""

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from postern_mail.errors import MessageMissing, Overtaken, Temporary
from postern_mail.mail.orders import CannotOrder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from ..status import Refused, UsageError, advised
from ..tables.file import BadTablesFile
from . import (
    aliases,
    calls,
    destinations,
    domains,
    header_rules,
    kept,
    mail,
    message,
    orders,
    plan,
    rules,
    settings,
    today,
)
from .asked import QUOTED, Asked
from .desk import Desk
from .gate import FORM_TOKEN, Gate
from .guard import App, Guard
from .rendering import Done, Shown, as_json, renderer

View = Callable[[Desk, Asked], Shown]
Action = Callable[[Desk, Asked], Shown | Done]

NAVIGATION = (
    ("/", "Today"),
    ("/mail", "Mail"),
    ("/quarantine", "Quarantine"),
    ("/aliases", "Aliases"),
    ("/rules", "Rules"),
    ("/header-rules", "Header rules"),
    ("/destinations", "Destinations"),
    ("/domains", "Domains"),
    ("/settings", "Settings"),
)
PAGES: dict[str, View] = {
    one: view
    for each in (today, mail, message, kept, aliases, rules, header_rules, destinations, domains, settings, plan)
    for one, view in each.PAGES.items()
}
ACTIONS: dict[str, Action] = {
    one: action for each in (orders, aliases, rules, header_rules, destinations) for one, action in each.ACTIONS.items()
}
SLOW = (today.doctor, domains.domains)  # they ask public DNS; other pages do not wait for them
_STATUS = {  # HTTP status for each error of a page or action
    UsageError: 400, CannotOrder: 409, MessageMissing: 404, Refused: 409, Overtaken: 409, BadTablesFile: 409,
    Temporary: 502,
}  # fmt: skip
FILES = {"postern.css": "text/css", "postern.svg": "image/svg+xml"}
_JSON = ".json"
_FAILED = "this page failed; the traceback is in the terminal where `postern page` runs"


def application(desk: Desk, gate: Gate) -> App:
    """The application for a desk, behind its gate."""
    served = _Served(desk, gate)
    routes = [Route(f"/{name}", _file) for name in FILES]
    for path in PAGES:
        routes += [Route(path, served.page), Route(f"{path if path != '/' else '/today'}{_JSON}", served.page)]
    routes += [Route(path, served.action, methods=["POST"]) for path in ACTIONS]
    inner = Starlette(
        routes=routes, exception_handlers={404: served.missing, 405: served.missing, Exception: served.failed}
    )
    return Guard(inner, gate, read_only=desk.read_only)


async def _file(request: Request) -> Response:
    name = request.url.path.removeprefix("/")
    return FileResponse(Path(__file__).with_name(name), media_type=FILES[name])


class _Served:
    """Runs one page at a time, and in parallel one slow page: there is only one user."""

    def __init__(self, desk: Desk, gate: Gate) -> None:
        self._desk = desk
        self._gate = gate
        self._render = renderer()
        self._notices: list[Done] = []
        self._limits: dict[bool, anyio.CapacityLimiter] = {}

    async def page(self, request: Request) -> Response:
        """A page, as HTML or as JSON."""
        path = request.url.path.removesuffix(_JSON)
        view = PAGES["/" if path == "/today" else path]
        asked = Asked({name: request.query_params.getlist(name) for name in request.query_params})
        found, made = await self._run(view, asked)
        if request.url.path.endswith(_JSON) and isinstance(found, Shown):
            return Response(as_json(found), status_code=found.status, media_type="application/json")
        return self._answer(found, request, made)

    async def action(self, request: Request) -> Response:
        """Run an action; the next page shows its result."""
        found, made = await self._run(ACTIONS[request.url.path], Asked.sent(request.scope["form"]))
        return self._answer(found, request, made)

    async def missing(self, request: Request, _: Exception) -> Response:
        """The response for an unknown page or a method that is not allowed."""
        known = request.url.path in PAGES or request.url.path in ACTIONS
        said = ("this request method is not allowed here", 405) if known else ("there is no such page", 404)
        return self._answer(_error(*said), request, {})

    async def failed(self, request: Request, fault: Exception) -> Response:
        """The response for a page that could not be rendered."""
        traceback.print_exception(fault)
        return self._answer(_error(_FAILED, 500), request, {})

    async def _run(self, work: Action, asked: Asked) -> tuple[Shown | Done, Mapping[str, int]]:
        limit = self._limits.setdefault(work in SLOW, anyio.CapacityLimiter(1))
        made = calls.count()
        return await anyio.to_thread.run_sync(_carried_out, work, self._desk, asked, limiter=limit), made

    def _answer(self, found: Shown | Done, request: Request, made: Mapping[str, int]) -> Response:
        if isinstance(found, Done):
            self._notices.append(found)
            return RedirectResponse(found.where, status_code=303)
        notices, self._notices = self._notices, []
        around: dict[str, Any] = {
            "navigation": NAVIGATION,
            "path": request.url.path,
            "json_address": _json_address(request),
            "notices": notices,
            "read_only": self._desk.read_only,
            "file": str(self._desk.file) if self._desk.file else "",
            "stack": self._desk.stack.deployed,
            "domains": sorted(self._desk.policy.own_domains),
            "calls": sorted(made.items()),
            "form_token": self._gate.form_token,
            "token_name": FORM_TOKEN,
            "quoted": QUOTED,
        }
        html = self._render(found, around)
        return Response(html, status_code=found.status, media_type="text/html; charset=utf-8")


def _json_address(request: Request) -> str:
    if request.method != "GET" or request.url.path not in PAGES:
        return ""
    path = "/today" if request.url.path == "/" else request.url.path
    return f"{path}{_JSON}{f'?{request.url.query}' if request.url.query else ''}"


def _carried_out(work: Action, desk: Desk, asked: Asked) -> Shown | Done:
    """Run a page or an action; an error becomes a page that says why."""
    try:
        return work(desk, asked)
    except tuple(_STATUS) as fault:
        status = next(status for kind, status in _STATUS.items() if isinstance(fault, kind))
        return _error(advised(fault) if isinstance(fault, Temporary) else str(fault), status)
    except Exception:  # noqa: BLE001 (the server goes on; the traceback goes to its terminal)
        traceback.print_exc()
        return _error(_FAILED, 500)


def _error(why: str, status: int) -> Shown:
    return Shown("error.html", {"title": "Not done", "why": why}, status)
