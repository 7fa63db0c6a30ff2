"""A throw-away PostgreSQL server for the tests; works as root and as an ordinary user."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def binaries() -> str:
    newest_first = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: -int(path.split("/")[4]))
    for folder in [os.environ.get("PG_BIN", ""), *newest_first, os.path.dirname(shutil.which("initdb") or "")]:
        if folder and os.access(os.path.join(folder, "initdb"), os.X_OK):
            return folder
    raise RuntimeError("no PostgreSQL server: apt-get install postgresql, or set PG_BIN")


@contextmanager
def server() -> Iterator[str]:
    """The address of a fresh server, with `{name}` where a database's name goes."""
    folder, base = binaries(), tempfile.mkdtemp(prefix="earmark-pg-")
    as_user: dict[str, Any] = {"cwd": base}
    if os.geteuid() == 0:  # the server refuses to run as root
        owner = pwd.getpwnam(os.environ.get("PG_USER", "postgres"))
        os.chown(base, owner.pw_uid, owner.pw_gid)
        as_user |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    data = f"{base}/data"
    options = f"-c listen_addresses='' -c unix_socket_directories={base} -c max_connections=200"
    options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off"
    options += " -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=200MB"
    options += " -c dynamic_shared_memory_type=mmap"  # nothing is left in /dev/shm when it is stopped at once

    def run(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **as_user)

    try:
        run(f"{folder}/initdb", "-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        run(f"{folder}/pg_ctl", "-D", data, "-w", "-s", "-l", f"{base}/log", "-o", options, "start")
        yield f"postgresql+psycopg://app@/{{name}}?host={base}"
    finally:
        if os.path.exists(f"{data}/postmaster.pid"):
            subprocess.run([f"{folder}/pg_ctl", "-D", data, "-m", "immediate", "-s", "stop"], check=False, **as_user)
        shutil.rmtree(base, ignore_errors=True)
