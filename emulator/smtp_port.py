"""An SMTP port of this machine, with its own thread."""

import asyncio
import threading

from aiosmtpd.smtp import SMTP

from .cloud import HOST


class SmtpPort:
    """Listens from `start` to `stop`; a subclass says what handles a connection."""

    def __init__(self, port: int) -> None:
        self._wanted_port = port
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        """Listen; returns when it accepts connections."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(timeout=10)

    def stop(self) -> None:
        """Close the port."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(self._protocol, HOST, self._wanted_port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        conversations = asyncio.all_tasks() - {asyncio.current_task()}
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)

    def _protocol(self) -> SMTP:
        raise NotImplementedError
