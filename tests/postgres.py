"""A throw-away PostgreSQL server for the tests; works as root and as an ordinary user."""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

IN_MEMORY = "-c fsync=off -c full_page_writes=off"  # outlives a killed server, not a killed machine
# Nothing in the background, a short log, and nothing left in /dev/shm when it is stopped at once.
QUICK = f"{IN_MEMORY} -c synchronous_commit=off -c autovacuum=off -c wal_level=minimal -c max_wal_senders=0"
QUICK += " -c max_wal_size=200MB -c dynamic_shared_memory_type=mmap"


def binaries() -> str:
    newest_first = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: -int(path.split("/")[4]))
    for folder in [os.environ.get("PG_BIN", ""), *newest_first, os.path.dirname(shutil.which("initdb") or "")]:
        if folder and os.access(os.path.join(folder, "initdb"), os.X_OK):
            return folder
    raise RuntimeError("no PostgreSQL server: apt-get install postgresql, or set PG_BIN")


class Server:
    """A server in a folder of its own; its address has `{name}` where a database's name goes."""

    def __init__(self, settings: str) -> None:
        self.folder, self.base = binaries(), tempfile.mkdtemp(prefix="earmark-pg-")
        self.as_user: dict[str, Any] = {"cwd": self.base}
        if os.geteuid() == 0:  # the server refuses to run as root
            owner = pwd.getpwnam(os.environ.get("PG_USER", "postgres"))
            os.chown(self.base, owner.pw_uid, owner.pw_gid)
            self.as_user |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self.data, self.address = f"{self.base}/data", f"postgresql+psycopg://app@/{{name}}?host={self.base}"
        self.options = (
            f"-c listen_addresses='' -c unix_socket_directories={self.base} -c max_connections=200 {settings}"
        )

    def make(self) -> None:
        self._run("initdb", "-D", self.data, "-U", "app", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.start()

    def start(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "-l", f"{self.base}/log", "-o", self.options, "start")

    def crash(self) -> None:
        """Kill every process of the server, and wait until they are gone."""
        for process in self.signal(signal.SIGKILL):
            while _lives(process):
                time.sleep(0.005)
        for held in (f"{self.data}/postmaster.pid", f"{self.base}/.s.PGSQL.5432.lock"):
            Path(held).unlink()  # who has not been buried yet would pass for alive

    def signal(self, number: int) -> list[int]:
        """Send a signal to every process of the server; which these are."""
        first = int(Path(f"{self.data}/postmaster.pid").read_text().splitlines()[0])
        os.kill(first, signal.SIGSTOP)  # it shall start no more of them
        workers = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (found := [first, *map(int, workers)]):
            with suppress(ProcessLookupError):
                os.kill(process, number)
        return found

    def remove(self) -> None:
        if os.path.exists(f"{self.data}/postmaster.pid"):
            stop = [f"{self.folder}/pg_ctl", "-D", self.data, "-m", "immediate", "-s", "stop"]
            subprocess.run(stop, check=False, **self.as_user)
        shutil.rmtree(self.base, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        command = [f"{self.folder}/{program}", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **self.as_user)


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def server(settings: str = QUICK) -> Iterator[Server]:
    """A fresh server that runs."""
    made = Server(settings)
    try:
        made.make()
        yield made
    finally:
        made.remove()
