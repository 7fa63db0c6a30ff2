"""Serving until told to stop: what was asked is answered first, and whoever shares the requests out has time to see it coming.

SIGTERM or SIGINT: `/health/ready` says `draining` while everything is answered for EARMARK_DRAIN_SECONDS, then nobody is let
in any more and what is at work has `LAST` seconds to its end. A second signal stops at once.
"""

import asyncio
import time
from collections.abc import Callable
from socket import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.web.requests import House

LAST = 20  # seconds: longer than any request that is not stuck
LET_IN = 0.2  # seconds in which those let in last say what they want


class Server(uvicorn.Server):
    """A server that says where it is once it is there, and drains before it stops."""

    def __init__(self, app: FastAPI, announced: Callable[[], None]) -> None:
        self.house: House = app.state.house
        self.announced = announced
        self.stops_at: float | None = None
        settings = self.house.settings
        # Forwarded addresses are ours to judge (EARMARK_TRUSTED_PROXIES), and requests are logged by us.
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=LAST,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.announced()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; stop at once the second time."""
        if self.stops_at is None:
            self.stops_at = time.monotonic() + self.house.settings.drain
            self.house.ending.set()
            self._captured_signals.append(sig)
        else:
            self.should_exit = self.force_exit = True

    async def on_tick(self, counter: int) -> bool:
        drained = self.stops_at is not None and time.monotonic() >= self.stops_at
        return await super().on_tick(counter) or drained

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Close the door first, then the connections: a request on its way through the door is still answered."""
        for one in self.servers:
            one.close()
        if not self.force_exit:
            await asyncio.sleep(LET_IN)
        await super().shutdown(sockets)
