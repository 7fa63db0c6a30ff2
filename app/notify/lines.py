"""The connection of one attempt, which another thread can cut: when it takes too long, and when the service must end."""

import contextlib
import socket
import threading
import time


class Line:
    """Held by whoever sends, cut by whoever waits for it; once cut, nothing more is sent on it."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self._lock = threading.Lock()
        self._cut = False
        self._held: socket.socket | None = None

    @property
    def is_cut(self) -> bool:
        return self._cut

    def hold(self, connection: socket.socket) -> None:
        """This is the connection that the attempt uses now."""
        with self._lock:
            self._held = connection
            if self._cut:
                _end(connection)

    def cut(self) -> None:
        """End the attempt: whoever reads or writes on the connection is told at once that it is gone."""
        with self._lock:
            self._cut = True
            if self._held is not None:
                _end(self._held)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # of the socket itself: TLS would wait for an answer
