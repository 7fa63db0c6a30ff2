"""The service as a process of its own, served as `make run` serves it."""

import contextlib
import functools
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from app.settings import ROOT

TODAY = date(2026, 11, 23)  # the day of every test, unless it says another


@contextlib.contextmanager
def served(url: str, var: Path, demo: str = "1", local: str = "0", log: Path | None = None) -> Iterator[str]:
    """The address of the service over the database at `url`, as `make run` starts it. Logs go to `log`."""
    with started(url, var, demo, local, log) as (address, _):
        yield address


class Process:
    """A service that runs, to be ended or killed."""

    def __init__(self, number: int) -> None:
        self.number = number

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.number, signal.SIGKILL)

    def terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.number, signal.SIGTERM)

    def runs(self) -> bool:
        try:
            os.kill(self.number, 0)
        except ProcessLookupError:
            return False
        return True

    def wait(self, seconds: float) -> None:
        """Wait until it has ended; TimeoutError when it has not by then."""
        until = time.monotonic() + seconds
        while self.runs():
            if time.monotonic() > until:
                raise TimeoutError(f"process {self.number} still runs")
            time.sleep(0.005)


_turn = threading.Lock()


@functools.cache
def _forking() -> subprocess.Popen[str]:
    """The process that forks services, one for all tests of this process; it ends with its input."""
    command = [sys.executable, "-m", "tests.forking"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def forked(words: tuple[str, ...], env: dict[str, str], out: str, err: str, code: str = os.devnull) -> Process:
    """Start a command of the command line in a process that has imported it already; threads of a test take turns."""
    with _turn:
        parent = _forking()
        assert parent.stdin, "it reads"
        assert parent.stdout, "it answers"
        parent.stdin.write(json.dumps({"words": words, "env": env, "out": out, "err": err, "code": code}) + "\n")
        parent.stdin.flush()
        return Process(int(parent.stdout.readline()))


def earmark(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, err, code = (Path(folder) / name for name in ("out", "err", "code"))
        forked(words, {**os.environ, **env}, str(out), str(err), str(code)).wait(60)
        return subprocess.CompletedProcess(words, int(code.read_text()), out.read_text(), err.read_text())


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def started(
    url: str,
    var: Path,
    demo: str = "1",
    local: str = "0",
    log: Path | None = None,
    port: int | None = None,
    deliver: str = "0",
    **more: str,
) -> Iterator[tuple[str, Process]]:
    """The service's address and process; ready when this is entered. It delivers only if it is to. `more` are settings."""
    port = port or free_port()
    env = {
        **os.environ,
        "EARMARK_REQUESTS_PER_MINUTE": "1000000",
        "EARMARK_DEMO": demo,
        "EARMARK_LOCAL_LOGIN": local,
        "EARMARK_PORT": str(port),
        "EARMARK_VAR": str(var),
        "EARMARK_DATABASE_URL": url,
        "EARMARK_DELIVER": deliver,
        **more,
    }
    if demo == "1":
        env["EARMARK_TODAY"] = TODAY.isoformat()
    said = str(log or os.devnull)
    process = forked(("serve",), env, said, said)
    try:
        address = f"http://127.0.0.1:{port}"
        _await_ready(address, process)
        yield address, process
    finally:
        process.terminate()
        process.wait(10)


def _await_ready(address: str, process: Process) -> None:
    for _ in range(1500):
        if is_ready(int(address.rpartition(":")[2])) or not process.runs():
            return
        time.sleep(0.02)


def is_ready(port: int) -> bool:
    """Whether the service there says that it is ready."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asking.request("GET", "/health/ready")
        return asking.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
