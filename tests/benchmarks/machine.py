"""What one process costs: from its start to the first answer, its memory after load, and the migrations of an empty database."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from app.schema import migrate
from app.settings import ROOT
from tests.benchmarks.rates import Store, environment, whole
from tests.benchmarks.serving import Client, free_port, request
from tests.serving import is_ready


def start_and_memory(store: Store, folder: Path) -> tuple[float, float]:
    """Seconds from the start of a process to its first answer, median of 5; MB of memory after 2,000 requests of many kinds."""
    url, took = store.copy("base", "started"), []
    people = json.loads((folder / "demo.json").read_text())
    for last in (False, False, False, False, True):
        port = free_port()
        env = environment(url, folder) | {"EARMARK_PORT": str(port)}
        env |= {"EARMARK_DEMO": "0", "EARMARK_TODAY": "", "EARMARK_DELIVER": "1"}
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            cwd=ROOT,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not is_ready(port):
            assert process.poll() is None, "it ended instead of starting"
            time.sleep(0.005)
        took.append(time.perf_counter() - start)
        if last:
            _load(port, people)
            memory = _memory(process.pid)
        process.terminate()
        process.wait(30)
    store.drop("started")
    return statistics.median(took), memory


def _load(port: int, people: dict[str, dict[str, str]]) -> None:
    client, content = Client(port), json.dumps(whole()).encode()
    officer, focal = people["mfa_reviewer"]["token"], people["iom_focal_point"]["token"]
    pages = ("/", "/dashboard", "/payments", "/proposals/DK-IOM-2026-001", "/rules", "/api/v1/proposals?limit=200")
    asked = [request("GET", page, token=officer) for page in pages]
    client.rate([*asked, request("POST", "/api/v1/proposals", content, focal), *asked[:1]] * 250)
    client.close()


def _memory(process: int) -> float:
    """Resident MB of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


def migrations(store: Store) -> float:
    """Seconds from an empty database to the newest migration, median of 3."""
    took = []
    for _ in range(3):
        url = store.make("migrated")
        start = time.perf_counter()
        migrate(url)
        took.append(time.perf_counter() - start)
        store.drop("migrated")
    return statistics.median(took)
