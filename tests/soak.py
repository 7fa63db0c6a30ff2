"""The long tests: the suite's own, with other parameters, for as long as is allowed. `make soak`, or `python -m tests.soak --help`."""

import argparse
import os
import sys
from typing import Any

import pytest


class Figures:
    """What the tests found, to be printed as a table at the end."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, dict[str, Any]]] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call":
            name = report.nodeid.rpartition("::")[2]
            self.rows.append((name, report.outcome, dict(report.user_properties)))

    def show(self) -> None:
        for name, outcome, found in self.rows:
            print(f"\n{outcome:8}{name}")
            for key, value in found.items():
                print(f"    {key:20}{value:>12}")


def main() -> int:
    """Run until all is done or the time is over; the exit code is that of pytest."""
    asked = argparse.ArgumentParser(prog="python -m tests.soak")
    asked.add_argument("--kills", type=int, default=1000, help="of the service under load, on each database")
    asked.add_argument("--minutes", type=float, default=30, help="most that is spent on each database")
    given = asked.parse_args()
    os.environ |= {"SOAK_KILLS": str(given.kills), "SOAK_SECONDS": str(60 * given.minutes)}
    figures = Figures()
    code = pytest.main(["-q", "tests/notify/test_killed.py", "tests/test_restarting.py"], plugins=[figures])
    figures.show()
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
