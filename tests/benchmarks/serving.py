"""Rates of the running service beside a bare ASGI application, both under uvicorn, asked in turns by one client."""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.settings import ROOT, RULES

EXAMPLE = RULES / "dk-iom-2023-2026" / "examples" / "strong.json"
SIZE = "EARMARK_BENCH_ANSWER_SIZE"


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The limit: parse the JSON, answer with as many bytes as the service would."""
    if scope["type"] == "lifespan":
        await receive()
        return await send({"type": "lifespan.startup.complete"})
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    json.loads(body)
    answer = b"x" * int(os.environ[SIZE])
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    return await send({"type": "http.response.body", "body": answer})


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], port: int | None, env: dict[str, str]) -> Iterator[None]:
    """The server until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300 if port else 0):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(10)


CONNECTIONS = 8


def request(method: str, path: str, body: bytes = b"", token: str = "") -> bytes:
    """A request as it goes over the line."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += f"Authorization: Bearer {token}\r\n" if token else ""
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Client:
    """Kept-alive connections that send requests in turns, so that the server always has one to work on."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]

    def _open_again(self) -> None:
        """A server closes what is idle for some seconds, such as while its rival is at work."""
        for number, one in enumerate(self.connections):
            with contextlib.suppress(BlockingIOError):
                if not one.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                    one.close()
                    self.connections[number] = socket.create_connection(("127.0.0.1", self.port))

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    def _answer(self, connection: socket.socket) -> bytes:
        """The next answer's body; anything but success is an error."""
        got = b""
        while b"\r\n\r\n" not in got:
            more = connection.recv(1 << 20)
            assert more, "the server closed the connection"
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 20"), got[:500]
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        parts, left = [body], length - len(body)
        while left > 0:  # put together at the end: an answer may have a hundred megabytes
            parts.append(connection.recv(1 << 20))
            left -= len(parts[-1])
        return b"".join(parts)

    def ask(self, sent: bytes) -> bytes:
        """The body of the answer to one request."""
        self.connections[0].sendall(sent)
        return self._answer(self.connections[0])

    def rate(self, requests: Sequence[bytes]) -> float:
        """Requests a second."""
        self._open_again()
        start = time.perf_counter()
        for connection, sent in zip(self.connections, requests, strict=False):
            connection.sendall(sent)
        for number in range(len(requests)):
            connection = self.connections[number % CONNECTIONS]
            self._answer(connection)
            if number + CONNECTIONS < len(requests):
                connection.sendall(requests[number + CONNECTIONS])
        return len(requests) / (time.perf_counter() - start)


def screenings(folder: Path) -> float:
    """Rate of `POST /screenings` over the bare application's, median of interleaved rounds."""
    port, bare_port, body = free_port(), free_port(), EXAMPLE.read_bytes()
    ours = {
        "EARMARK_DEMO": "1",
        "EARMARK_REQUESTS_PER_MINUTE": "10000000",
        "EARMARK_PORT": str(port),
        "EARMARK_VAR": str(folder),
    }
    with running(["app", "serve"], port, ours):
        token = json.loads((folder / "demo.json").read_text())["iom_focal_point"]["token"]
        client, sent = Client(port), [request("POST", "/api/v1/screenings", body, token)] * 160
        size = {SIZE: str(len(client.ask(sent[0])))}
        command = ["uvicorn", "tests.benchmarks.serving:bare", "--port", str(bare_port), "--log-level", "warning"]
        with running(command, bare_port, size):
            limit, same = Client(bare_port), [request("POST", "/", body)] * 160
            client.rate(sent), limit.rate(same)
            return statistics.median(client.rate(sent) / limit.rate(same) for _ in range(25))
