"""The server of the page: where it listens, and when it ends."""

import asyncio
import errno
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import uvicorn
from postern_mail.errors import PosternError

from . import calls
from .app import application
from .desk import Desk
from .gate import IDLE, Gate
from .guard import START, App

ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_TRIES = 20  # ports to try until one is free on both addresses
_LOOK = 5.0  # seconds between two checks for idleness
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # a machine without IPv6


def sockets() -> list[socket.socket]:
    """Sockets that listen on a random port of 127.0.0.1 and, with IPv6, on the same port of ::1. Raises OSError."""
    for _ in range(_TRIES):
        first = _listening(*ADDRESSES[0], 0)
        try:
            return [first, _listening(*ADDRESSES[1], first.getsockname()[1])]
        except OSError as fault:
            if fault.errno in _NOT_HERE:
                return [first]
            first.close()  # this port of ::1 is in use
    raise OSError(errno.EADDRINUSE, "no port is free on both 127.0.0.1 and ::1")


def _listening(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family is socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        made.listen()
    except OSError:
        made.close()
        raise
    return made


@dataclass(frozen=True, slots=True)
class Begun:
    """A page that listens but is not served yet."""

    app: App
    gate: Gate
    listening: list[socket.socket]

    @property
    def address(self) -> str:
        """The address for the browser; it works only once."""
        return f"http://127.0.0.1:{self.gate.port}{START}?token={self.gate.token}"


def begin(desk: Desk, clock: Callable[[], float]) -> Begun:
    """Listen, and start doctor in the background. Raises OSError, UsageError, Temporary."""
    calls.listen()
    desk.policy, desk.live, desk.ledger  # noqa: B018 (raises for a faulty stack before it listens)
    listening = sockets()
    gate = Gate(listening[0].getsockname()[1], clock)
    threading.Thread(target=_look, args=(desk,), daemon=True).start()
    return Begun(application(desk, gate), gate, listening)


def _look(desk: Desk) -> None:
    with suppress(PosternError):  # the doctor page shows the error
        desk.doctor.look(desk.stack)


def serve(begun: Begun, ready: Callable[[], object], idle: float = IDLE) -> bool:
    """Serve until Ctrl-C, or until there was no request for `idle` seconds; returns whether it was the latter.

    It calls `ready` when it listens.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            begun.app,
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_level="critical",
            access_log=False,  # it would hold the token
            proxy_headers=False,
            server_header=False,
            limit_concurrency=32,
            timeout_graceful_shutdown=2,
        )
    )
    with suppress(KeyboardInterrupt):
        return asyncio.run(_until_idle(server, begun, ready, idle))
    return False


async def _until_idle(server: uvicorn.Server, begun: Begun, ready: Callable[[], object], idle: float) -> bool:
    gate = begun.gate
    serving = asyncio.ensure_future(server.serve(sockets=begun.listening))
    ready()
    while not serving.done() and gate.idle < idle:
        await asyncio.wait((serving,), timeout=min(_LOOK, max(0.05, idle - gate.idle)))
    was_idle = not serving.done()
    server.should_exit = True
    await serving
    return was_idle
