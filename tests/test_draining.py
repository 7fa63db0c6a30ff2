"""SIGTERM under load: what was asked is answered, nobody new is sent here, and a second signal ends it at once."""

import contextlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import copy_of
from tests.notify.killing import open_window
from tests.serving import Process, started
from tests.web.test_together import BODY

RAW = json.dumps(BODY).encode()


@contextlib.contextmanager
def serving(filled: dict[str, Any], var: Path, drain: str) -> Iterator[tuple[str, Process]]:
    with copy_of("sqlite", filled, var) as url:
        open_window(url)
        with started(url, var, demo="0", EARMARK_DRAIN_SECONDS=drain) as running:
            yield running


class Slow:
    """A submission whose second half is still to come."""

    def __init__(self, address: str, token: str) -> None:
        self.line = connection(address)
        self.line.putrequest("POST", "/api/v1/proposals")
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(RAW)))):
            self.line.putheader(name, value)
        self.line.putheader("Authorization", f"Bearer {token}")
        self.line.endheaders(RAW[:1000])

    def end(self) -> int:
        """Send the rest; the status of the answer."""
        with contextlib.closing(self.line):
            self.line.send(RAW[1000:])
            return self.line.getresponse().status


def connection(address: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)


def ask(address: str, path: str) -> tuple[int, str | None, bytes]:
    """Status, Connection header and body."""
    with contextlib.closing(connection(address)) as line:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.status, answer.getheader("Connection"), answer.read()


def test_what_was_asked_before_a_stop_is_answered(filled: dict[str, Any], tmp_path: Path) -> None:
    with serving(filled, tmp_path, "0") as (address, process):
        slow = [Slow(address, filled["sqlite"]["iom_focal_point"]["token"]) for _ in range(5)]
        assert ask(address, "/health/ready")[:2] == (200, None)
        process.terminate()
        time.sleep(0.6)  # nobody is let in any more
        with pytest.raises(OSError):  # noqa: PT011  # refused, or reset
            ask(address, "/health/live")
        assert [one.end() for one in slow] == [201] * 5
        began = time.monotonic()
        process.wait(5)
        assert time.monotonic() - began < 2


def test_a_draining_process_answers_and_says_that_it_is_leaving(filled: dict[str, Any], tmp_path: Path) -> None:
    with serving(filled, tmp_path, "1") as (address, process):
        said: Counter[int | str] = Counter()
        callers = [threading.Thread(target=keep_asking, args=(address, said)) for _ in range(4)]
        for one in callers:
            one.start()
        time.sleep(0.3)
        process.terminate()
        began = time.monotonic()
        time.sleep(0.2)
        assert ask(address, "/health/ready") == (503, "close", b'{"status":"draining"}')
        assert ask(address, "/health/live")[:2] == (200, "close")
        process.wait(5)
        assert 1 <= time.monotonic() - began < 4
        for one in callers:
            one.join(5)
        assert said["unanswered"] == 0, said
        assert min(said[200], said[503]) > 0, said


def keep_asking(address: str, said: Counter[int | str]) -> None:
    """Ask on one connection as long as it is kept, and go elsewhere half a second after it says that it is draining."""
    line, until = connection(address), float("inf")
    with contextlib.closing(line):
        while time.monotonic() < until:
            try:
                line.request("GET", "/health/ready")
                answer = line.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                said["unanswered"] += 1
                return
            said[answer.status] += 1
            if answer.status == 503:
                until = min(until, time.monotonic() + 0.5)


def test_a_second_signal_ends_it_at_once(filled: dict[str, Any], tmp_path: Path) -> None:
    with serving(filled, tmp_path, "60") as (address, process):
        slow = Slow(address, filled["sqlite"]["iom_focal_point"]["token"])
        process.terminate()
        time.sleep(0.3)
        assert ask(address, "/health/ready")[0] == 503
        process.terminate()
        process.wait(3)
        slow.line.close()
