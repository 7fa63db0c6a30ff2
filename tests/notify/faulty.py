"""A bad network: a proxy that lets one connection in five through and harms the others, each in one of five ways."""

import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator

HARMS = ("refuse", "reset", "hole", "garble", "drop")
GOOD = 0.2
_RESET = struct.pack("ii", 1, 0)


class Faulty:
    """Stands before a server; `end` are the bytes after which an answer means that it was taken."""

    def __init__(self, port: int, end: bytes, chance: random.Random) -> None:
        self.port, self.end, self.chance, self.done = port, end, chance, Counter[str]()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.place = self.listening.getsockname()[1]
        self.holes: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                how = "good" if self.chance.random() < GOOD else self.chance.choice(HARMS)
                self.done[how] += 1
                threading.Thread(target=self._serve, args=(client, how), daemon=True).start()

    def _serve(self, client: socket.socket, how: str) -> None:
        if how == "refuse":
            _reset(client)
        elif how == "hole":
            self.holes.append(client)
        else:
            with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self.port)) as server:
                quiet = threading.Event()
                back = threading.Thread(target=self._back, args=(server, client, how, quiet), daemon=True)
                back.start()
                with contextlib.suppress(OSError):
                    self._forth(client, server, how, quiet)
                    server.shutdown(socket.SHUT_RDWR)
                back.join()

    def _forth(self, client: socket.socket, server: socket.socket, how: str, quiet: threading.Event) -> None:
        """From the worker to the server: cut in the middle, or silent once it was all said."""
        said = b""
        while part := client.recv(65_536):
            said += part
            if how == "reset" and len(said) > 400:
                server.sendall(part[: len(part) // 2])
                _reset(client)
                return
            if how == "drop" and self.end in said:
                quiet.set()
            server.sendall(part)

    def _back(self, server: socket.socket, client: socket.socket, how: str, quiet: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while part := server.recv(65_536):
                if quiet.is_set():
                    break
                client.sendall(self.chance.randbytes(len(part)) + b"\0\r\n" if how == "garble" else part)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    client.close()


@contextlib.contextmanager
def faulty(port: int, end: bytes, chance: random.Random) -> Iterator[Faulty]:
    proxy = Faulty(port, end, chance)
    try:
        yield proxy
    finally:
        proxy.listening.close()
        for one in proxy.holes:
            one.close()
