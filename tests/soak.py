"""The promises, tried for longer: the suite's own tests with larger figures, and a table of what was found. `make soak`.

Every row runs in a process of its own, with a fresh seed that it prints, for its share of the time.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

from app.settings import ROOT

WIDE = 180  # characters, where no terminal says otherwise
MISSING, NONE_FOUND = 4, 5  # what pytest ends with when the tests it is to run are not there


@dataclass(frozen=True)
class Row:
    """One promise: how it is tried, by which tests, within which limit, for which part of the time.

    `full` are environment variables of the tests, for an hour; in less time they are less.
    """

    promise: str
    tried: str
    tests: tuple[str, ...]
    limit: str
    part: int = 1
    full: dict[str, int] = field(default_factory=dict)


KILLED, HOSTILE, MOVING = "tests/notify/test_killed.py", "tests/notify/test_hostile.py", "tests/test_moving.py"
ROWS = (
    Row("no notice lost or invented", "kill -9 of the service under load", (KILLED,), "0 lost, 0 phantom", 16,
        {"SOAK_KILLS": 1000}),
    Row("survives a crashing database", "PostgreSQL killed under load",
        ("tests/test_outages.py::test_a_database_killed_under_load_loses_nothing_acknowledged_and_the_service_goes_on",),
        "0 acknowledged missing"),
    Row("a rolling restart loses nothing", "two instances and two workers behind nginx, in turn",
        ("tests/test_restarting.py",), "0 failed by the README's way, 0 lost, 0 doubled", 3),
    Row("another instance takes over", "one worker of three killed",
        (f"{HOSTILE}::test_of_three_workers_one_dies_and_the_others_deliver_what_it_had_taken",), "lease + 5 s"),
    Row("hostile network", "four of five connections break",
        (f"{HOSTILE}::test_over_a_network_where_four_of_five_connections_break_everything_arrives",), "0 lost", 4,
        {"SOAK_NOTICES": 200}),
    Row("no overspend, none starves", "2 processes x 8 threads; the naive control fails",
        ("tests/services/test_money.py",), "0 overspent; p99 < 500 ms, most < 2 s", 14, {"SOAK_ATTEMPTS": 3125}),
    Row("paid once", "killed while paying", ("tests/web/test_paid_once.py",), "0 twice", 2),
    Row("disk full", "SQLite without a page left", ("tests/test_full.py",), "503, no half state, goes on"),
    Row("contract true, no 5xx", "schemathesis, all checks", ("tests/web/test_contract.py",), "0 failures", 14,
        {"SOAK_EXAMPLES": 1000}),
    Row("workflow holds", "state machine, every seeded bug", ("tests/services/test_corridor.py",), "each bug found", 3),
    Row("authorisation", "role x route x state x office", ("tests/web/test_access.py",), "0 leaks", 2),
    Row("hostile identity provider", "15 lies", ("tests/web/test_provider.py",), "0 logins"),
    Row("SSRF", "addresses, rebinding", ("tests/notify/test_hooks.py",), "0 reached"),
    Row("CSRF and headers", "11 rows x every unsafe route; every answer", ("tests/web/test_shield.py",), "0 misses"),
    Row("no barrier", "axe, every page, both sizes and languages", ("tests/browser/test_looks.py",), "0 violations", 3),
    Row("uploads", "hostile files", ("tests/services/test_uploads.py",), "0 taken"),
    Row("brute force", "800 guesses at two instances",
        ("tests/web/test_login.py::test_eight_hundred_guesses_at_two_instances_let_exactly_the_limit_through",),
        "10 let through"),
    Row("tamper evidence", "edits, cuts, rewrites",
        ("tests/services/test_audit.py::test_five_hundred_random_harms_are_all_found_with_the_published_head",),
        "0 not found", 3, {"SOAK_HARMS": 5000}),
    Row("erasure", "database, logs and chain afterwards",
        ("tests/services/test_audit.py::test_an_erased_person_is_nowhere_left_and_the_chain_holds",), "no trace"),
    Row("restore", "backup under writes, restored, compared",
        (f"{MOVING}::test_a_backup_under_writes_is_restored_whole_and_served",), "sound, < 5 s"),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What came of a row: what was measured on each database, and whether the promise was kept (None: nobody knows)."""

    tried: dict[str, int]
    figures: dict[str, str]
    kept: bool | None
    said: str


def tried(row: Row, seconds: float, scale: float) -> Found:
    """Run the row's tests with a seed and figures of their own, for so many seconds at most."""
    given = {name: max(1, round(value * scale)) for name, value in row.full.items()}
    given |= {"SOAK_SEED": random.randrange(10**6)}
    env = {name: str(value) for name, value in given.items()}
    if "SOAK_KILLS" in given or "SOAK_EXAMPLES" in given:  # these end by themselves, on each database
        env["SOAK_SECONDS"] = str(int(seconds * 0.4))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            *row.tests,
            f"--junitxml={report}",
            "-o",
            "junit_family=xunit1",
        ]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, start_new_session=True)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 2)  # as Ctrl-C does, so that its servers end
            process.wait(60)
            return Found(given, {}, None, "not finished in its time")
        if code in (MISSING, NONE_FOUND) or not report.exists():
            return Found(given, {}, None, "not there")
        return Found(given, dict(measured(report)), code == 0, "yes" if code == 0 else "NO")


def measured(report: Path) -> Iterator[tuple[str, str]]:
    """What a report says of each database, or of both where the test does not tell them apart."""
    by_kind: dict[str, list[str]] = {}
    for case in ET.parse(report).iter("testcase"):
        name = case.get("name", "")
        kind = next((one for one in ("sqlite", "postgresql") if one in name), "both")
        by_kind.setdefault(kind, []).extend(f"{one.get('name')} {one.get('value')}" for one in case.iter("property"))
        by_kind[kind].append("")  # one for each test
    for kind, said in by_kind.items():
        yield kind, "\n".join([*filter(None, said), f"{said.count('')} tests"])


def main() -> int:
    """Try every promise, print the table; 1 when one was not kept or not tried."""
    asked = argparse.ArgumentParser(prog="python -m tests.soak")
    asked.add_argument("--minutes", type=float, default=60, help="most that is spent on all together")
    asked.add_argument("--only", default="", help="promises whose name has this in it")
    given = asked.parse_args()
    rows = [row for row in ROWS if given.only in row.promise]
    whole, scale = sum(row.part for row in rows), min(1.0, given.minutes / 60)
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    table = Table("promise", "how tried", "SQLite", "PostgreSQL", "limit", "kept", show_lines=True)
    kept, ends = True, time.monotonic() + 60 * given.minutes
    for row in rows:
        found = tried(row, (ends - time.monotonic()) * row.part / whole, scale)
        whole -= row.part  # what one leaves of its time the next ones have
        both = found.figures.get("both", "")
        columns = ["\n".join(filter(None, (found.figures.get(kind), both))) for kind in ("sqlite", "postgresql")]
        parameters = ", ".join(f"{name.removeprefix('SOAK_').lower()} {value}" for name, value in found.tried.items())
        table.add_row(row.promise, f"{row.tried}\n{parameters}", *columns, row.limit, found.said)
        kept = kept and found.kept is True
    console.print(table)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
