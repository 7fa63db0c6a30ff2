"""The service as a process of its own, served as `make run` serves it."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx

from app.settings import ROOT

TODAY = date(2026, 11, 23)  # the day of every test, unless it says another


@contextlib.contextmanager
def served(url: str, var: Path, demo: str = "1", local: str = "0", log: Path | None = None) -> Iterator[str]:
    """The address of the service over the database at `url`, as `make run` starts it. Logs go to `log`."""
    with started(url, var, demo, local, log) as (address, _):
        yield address


@contextlib.contextmanager
def started(
    url: str, var: Path, demo: str = "1", local: str = "0", log: Path | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The service's address and process; ready when this is entered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "EARMARK_REQUESTS_PER_MINUTE": "1000000",
        "EARMARK_DEMO": demo,
        "EARMARK_LOCAL_LOGIN": local,
        "EARMARK_PORT": str(port),
        "EARMARK_VAR": str(var),
    }
    if demo == "1":
        env["EARMARK_TODAY"] = TODAY.isoformat()
    with (log or Path(os.devnull)).open("ab") as said:
        command = [sys.executable, "-m", "app", "serve"]
        process = subprocess.Popen(
            command, cwd=ROOT, env={**env, "EARMARK_DATABASE_URL": url}, stdout=said, stderr=said
        )
    try:
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(10)
