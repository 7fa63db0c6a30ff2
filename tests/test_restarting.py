"""Two instances and two workers behind nginx over PostgreSQL, restarted in turn under load: nothing fails, is lost or done twice.

The suite restarts each once as the README says, and one by a signal alone; `make soak` goes on for as long as SOAK_SECONDS says.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import copy_of
from tests.nginx import Nginx
from tests.notify.killing import SENT, open_window
from tests.notify.post import asked, mail_server, until
from tests.serving import Process, forked, free_port, is_ready
from tests.web.test_together import BODY

SECONDS = float(os.environ.get("SOAK_SECONDS", "0"))
HERE = "127.0.0.2"
REFS = "SELECT ref FROM proposal WHERE cycle_year = 2027"
TOLD = "SELECT subject, count(*) AS n FROM notice WHERE kind = 'proposal.submit' GROUP BY subject"


class Fleet:
    """The processes, by what they are: `web` by port, `worker` by number."""

    def __init__(self, url: str, var: Path, smtp: str) -> None:
        self.var, self.ports = var, (free_port(), free_port())
        self.turns = cycle(self.ports)
        own = {"EARMARK_DATABASE_URL": url, "EARMARK_SMTP_URL": smtp, "EARMARK_VAR": str(var), "EARMARK_DELIVER": "0"}
        own |= {"EARMARK_TRUSTED_PROXIES": "127.0.0.1", "EARMARK_DRAIN_SECONDS": "1"}
        self.env = {**os.environ, **own, "EARMARK_REQUESTS_PER_MINUTE": "1000000"}
        self.web = {port: self._serve(port) for port in self.ports}
        self.workers = [self._deliver() for _ in range(2)]
        for port in self.ports:
            until(lambda port=port: is_ready(port), 20)

    def _start(self, *words: str, **env: str) -> Process:
        return forked(words, {**self.env, **env}, str(self.var / "log"), str(self.var / "log"))

    def _serve(self, port: int) -> Process:
        return self._start("serve", EARMARK_PORT=str(port))

    def _deliver(self) -> Process:
        return self._start("deliver")

    def restart_web(self, port: int) -> None:
        end(self.web[port])
        self.web[port] = self._serve(port)
        until(lambda: is_ready(port), 20)

    def restart_worker(self, number: int) -> None:
        end(self.workers[number])
        self.workers[number] = self._deliver()

    def stop(self) -> None:
        for one in (*self.web.values(), *self.workers):
            one.terminate()
        for one in (*self.web.values(), *self.workers):
            one.wait(20)


def end(process: Process) -> None:
    process.terminate()
    process.wait(20)


class Caller(threading.Thread):
    """Calls through nginx all the time, each time on a connection of its own; notes what failed, and repeats it."""

    def __init__(self, address: str, token: str, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.address = address
        self.headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        self.enough, self.answered, self.refs = threading.Event(), 0, list[str]()
        self.failed: Counter[str] = Counter()
        self.broken: Exception | None = None

    def run(self) -> None:
        try:
            base, line = f"{self.address}/api/v1", httpx.HTTPTransport(local_address=HERE)
            with httpx.Client(base_url=base, headers=self.headers, timeout=20, transport=line) as self.client:
                while not self.enough.is_set():
                    self.work()
        except Exception as error:  # noqa: BLE001  # told by whoever waits for this thread
            self.broken = error

    def work(self) -> None:
        self.insist("GET", "/proposals?limit=5")
        time.sleep(0.005)

    def insist(self, method: str, path: str, **more: Any) -> Any:
        """Call until it is done."""
        for _ in range(50):
            try:
                answer = self.client.request(method, path, **more)
            except httpx.TransportError as error:
                self.failed[type(error).__name__] += 1
                continue
            if answer.is_success:
                self.answered += 1
                return answer.json()
            self.failed[f"{method} {answer.status_code}"] += 1
        raise AssertionError(answer.text)


class Submitter(Caller):
    """Creates and submits proposals, each request with a key of its own."""

    def work(self) -> None:
        ref = str(self.keyed("/proposals", BODY)["ref"])
        self.keyed(f"/proposals/{ref}/moves", {"move": "submit"})
        self.refs.append(ref)

    def keyed(self, path: str, body: dict[str, Any]) -> Any:
        key = f"{self.name}-{self.answered}"
        return self.insist("POST", path, json=body, headers={"Idempotency-Key": key})


@contextmanager
def load(address: str, token: str, name: str) -> Iterator[list[Caller]]:
    """Calls by four people meanwhile."""
    kinds = enumerate((Caller, Caller, Submitter, Submitter))
    callers = [kind(address, token, f"{name}-{number}") for number, kind in kinds]
    for one in callers:
        one.start()
    try:
        yield callers
    finally:
        for one in callers:
            one.enough.set()
        for one in callers:
            one.join(30)


def by_the_book(nginx: Nginx, fleet: Fleet) -> int:
    """As the README says, both: out of nginx, restarted, back again. How many instances were restarted."""
    for number, port in enumerate(fleet.ports):
        nginx.send_to_all_but(port)
        fleet.restart_web(port)
        nginx.send_to_all_but(None)
        fleet.restart_worker(number)
    return 2


def by_signal_alone(nginx: Nginx, fleet: Fleet) -> int:
    """The next one, without a word to nginx."""
    fleet.restart_web(next(fleet.turns))
    return 1


def test_restarted_in_turn_behind_nginx_nothing_fails_is_lost_or_done_twice(
    filled: dict[str, Any], tmp_path: Path, capsys: Any, record_property: Any
) -> None:
    token, found = filled["postgresql"]["iom_focal_point"]["token"], dict[str, Any]()
    with copy_of("postgresql", filled, tmp_path) as url, mail_server() as (post, smtp), ExitStack() as stack:
        open_window(url)
        before = {row.ref for row in asked(url, REFS)}
        fleet = Fleet(url, tmp_path, smtp)
        stack.callback(fleet.stop)
        nginx = stack.enter_context(Nginx(tmp_path, fleet.ports).running())
        made = list[str]()
        for restart in (by_the_book, by_signal_alone):
            ends, restarts = time.monotonic() + SECONDS / 2, 0
            with load(nginx.address, token, restart.__name__) as callers:
                while restarts == 0 or time.monotonic() < ends:
                    restarts += restart(nginx, fleet)
            assert [one.broken for one in callers if one.broken] == []
            made += [ref for one in callers for ref in one.refs]
            failed = sum((one.failed for one in callers), Counter[str]())
            answered = sum(one.answered for one in callers)
            found[restart.__name__] = {"restarts": restarts, "answered": answered, "failed": dict(failed)}
        until(lambda: asked(url, "SELECT count(*) FROM message WHERE state = 'waiting'")[0][0] == 0, 60)
        arrived = Counter(post.uids())
        sent = {row.uid for row in asked(url, SENT)}
        found["submitted"], found["mails"] = len(made), len(arrived)
        for name, value in found.items():
            record_property(name, value)
        with capsys.disabled():
            print(f"\nrestarted behind nginx: {found}")
        assert found["by_the_book"]["failed"] == {}
        assert {row.ref for row in asked(url, REFS)} - before == set(made), "0 lost, 0 doubled"
        told = {row.subject: row.n for row in asked(url, TOLD)}
        assert [told[ref] for ref in made] == [1] * len(made)
        assert arrived == Counter(sent), "every mail once"
        assert len(made) == len(set(made)) > 4
        address = asked(url, "SELECT address FROM audit WHERE event = 'proposal.create' ORDER BY seq DESC LIMIT 1")
        assert address[0].address == HERE, "who called, not nginx"
