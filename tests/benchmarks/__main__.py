"""`make bench`: every figure as a ratio to a limit measured in the same run, rounds interleaved, medians of rounds.

The table goes to var/bench.md. `ARGS=--whole` takes longer: a million proposals, and five minutes of a held rate. Named parts
(`ARGS="rates holding"`) are measured alone.
"""

import argparse
import logging
import platform
import statistics
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import structlog

from app.domain import rulebook
from app.domain.case import Cycle, Frame
from app.domain.proposal import Content, read_content
from app.domain.rulebook import Rulebook, load_folder
from app.domain.screening import decide, screen
from app.services.rulebooks import open_library
from app.settings import ROOT, RULES
from app.web.figures import Figures
from tests import generate
from tests.benchmarks import growth, holding, large, machine, plain, queue, rates, serving
from tests.benchmarks.rates import FRAMEWORK, Store

ENVELOPES = {2023: 25_000_000, 2024: 50_000_000, 2025: 50_000_000, 2026: 50_000_000}
FRAME = Frame(Cycle(2026, 2026), ENVELOPES, date(2026, 11, 23))
GOALS = {"create": 0.40, "submit": 0.40, "move": 0.45, "read one": 0.50, "list of 50": 0.50}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what was measured, the figure, and the goal it is held against where there is one."""

    name: str
    figure: float
    unit: str
    least: float | None = None
    most: float | None = None
    beside: str = ""

    @property
    def kept(self) -> bool:
        over = self.most is not None and self.figure > self.most
        return not over and not (self.least is not None and self.figure < self.least)

    def line(self) -> str:
        goal = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}" if self.most else ""
        verdict = ("yes" if self.kept else "NO") if goal else ""
        return f"| {self.name} | {self.figure:,.2f} {self.unit} | {self.beside} | {goal} | {verdict} |"


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(ours: Callable[[], Any], limit: Callable[[], Any], rounds: int = 41) -> float:
    """Median of ours / limit over interleaved rounds, so that a noisy neighbour strikes both alike."""
    ours(), limit()
    return statistics.median(seconds(ours) / seconds(limit) for _ in range(rounds))


def contents(book: Rulebook) -> list[Content]:
    """200 whole contents, weak and strong, the same in every run."""
    read = [read_content(generate.proposal(Random(seed)), book.indicator_codes) for seed in range(200)]
    assert not any(faults for _, faults in read)
    return [content for content, _ in read if content is not None]


def screening(folder: Path, whole: bool) -> Iterator[Row]:
    """Explaining and deciding against the same rules as plain hand-written Python; `POST /screenings` against bare ASGI."""
    book = open_library(RULES, FRAMEWORK).current
    pile = contents(book)

    def by_hand() -> None:
        for content in pile:
            plain.decide(content, 2026, 2026, ENVELOPES)

    def deciding() -> None:
        for content in pile:
            decide(content, book, FRAME)

    def explaining() -> None:
        for content in pile:
            screen(content, book, FRAME)

    def load() -> None:
        rulebook._built.cache_clear()
        load_folder(RULES / FRAMEWORK)

    yield Row("screening, explained / plain Python", ratio(explaining, by_hand), "x", most=3.0)
    yield Row("screening, decided / plain Python", ratio(deciding, by_hand), "x", most=1.4)
    yield Row("loading the rulebook", 1000 * statistics.median(seconds(load) for _ in range(15)), "ms", most=150)
    counting = partial(Figures().note, "GET", "/api/v1/proposals/{ref}", 200, 0.012)
    yield Row("counting a request", 1e6 * min(timeit.repeat(counting, number=1000, repeat=20)) / 1000, "us", most=5)
    yield Row("POST /screenings / bare ASGI", serving.screenings(folder), "", least=0.35)


def queue_page(folder: Path, whole: bool) -> Iterator[Row]:
    few, many = queue.seconds_a_page(folder)
    yield Row("queue page, 1,000 proposals, SQLite", 1000 * few, "ms", most=25)
    yield Row("queue page, 100,000 / 1,000", many / few, "x", most=1.5)


def growing(folder: Path, whole: bool) -> Iterator[Row]:
    many = growth.MANY if whole else 100_000
    for kind in ("sqlite", "postgresql"):
        for name, (small, big, grown) in growth.growth(kind, growth.FEW, many).items():
            beside = f"{1000 * small:.1f} and {1000 * big:.1f} ms"
            yield Row(f"{kind}: {name}, {many:,} / {growth.FEW:,}", grown, "x", most=1.5, beside=beside)


def beside_bare(kind: str, store: Store, folder: Path, made: dict[str, list[str]]) -> Iterator[Row]:
    for one in rates.OPERATIONS:
        ours, limit = rates.beside(store, folder, one, made)
        told = f"{ours:.0f} of {limit:.0f} /s"
        yield Row(f"{kind}: {one.name} / bare", ours / limit, "", least=GOALS[one.name], beside=told)


def large_things(kind: str, store: Store, folder: Path) -> Iterator[Row]:
    ours, limit = large.concluding(store, folder)
    yield Row(
        f"{kind}: conclude with 50 / bare", ours / limit, "", beside=f"{1000 / ours:.0f} and {1000 / limit:.0f} ms"
    )
    for name, (ours, limit) in large.exporting(store, folder).items():
        told = f"{1000 / ours:.0f} and {1000 / limit:.0f} ms"
        yield Row(f"{kind}: {name} of 10,000 / bare", ours / limit, "", beside=told)
    yield Row(f"{kind}: outbox, one worker", large.emptying(store, folder), "messages/s")


def of_a_process(kind: str, store: Store, folder: Path) -> Iterator[Row]:
    start, memory = machine.start_and_memory(store, folder)
    yield Row(f"{kind}: start to first answer", start, "s", most=1.5)
    yield Row(f"{kind}: memory after load", memory, "MB", most=140)
    yield Row(f"{kind}: migrations from empty", machine.migrations(store), "s", most=3)


def held(kind: str, store: Store, folder: Path, whole: bool) -> Iterator[Row]:
    """200 submissions a second, and what is less until the slowest of a hundred answers in time."""
    for rate in (200, 150, 100, 75, 50, 25):
        found = holding.held(store, folder, rate, 300 if whole else 30)
        told = f"{found.rate:.0f} /s, p50 {found.p50:.0f} ms, {found.lost} lost, {found.refused} refused"
        yield Row(f"{kind}: {rate} submissions/s, p99", found.p99, "ms", most=150, beside=told)
        if found.p99 < 150:
            break


def by_database(folder: Path, whole: bool, wanted: set[str]) -> Iterator[Row]:
    """What needs a service over a database: on a disk, with each database as careful about it as it is by itself."""
    with rates.stores(folder) as known:
        for kind, store in known.items():
            made = rates.prepare(store, folder)
            if not wanted or "rates" in wanted:
                yield from beside_bare(kind, store, folder, made)
            if not wanted or "large" in wanted:
                yield from large_things(kind, store, folder)
            if not wanted or "machine" in wanted:
                yield from of_a_process(kind, store, folder)
            if not wanted or "holding" in wanted:
                yield from held(kind, store, folder, whole)
            store.drop("base")


PARTS = {"screening": screening, "queue": queue_page, "growth": growing}


def main() -> int:
    """Measure, print, and write the table; 1 where a goal is missed."""
    asked = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    asked.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}, rates, large, machine, holding; else all")
    asked.add_argument("--whole", action="store_true", help="a million proposals, a rate held for five minutes")
    given = asked.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable()
    wanted = set(given.parts)
    where = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, {platform.python_implementation()} {platform.python_version()}"
    lines = [
        f"Measured {where}, 2 shared cores.",
        "",
        "| what | figure | beside | goal | kept |",
        "|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    kept = True
    for row in _rows(given.whole, wanted):
        print(row.line(), flush=True)
        lines.append(row.line())
        kept &= row.kept
    (ROOT / "var").mkdir(exist_ok=True)
    (ROOT / "var" / "bench.md").write_text("\n".join(lines) + "\n")
    return 0 if kept else 1


def _rows(whole: bool, wanted: set[str]) -> Iterator[Row]:
    for name, part in PARTS.items():
        if not wanted or name in wanted:
            with tempfile.TemporaryDirectory() as folder:
                yield from part(Path(folder), whole)
    if not wanted or wanted - PARTS.keys():
        with tempfile.TemporaryDirectory() as folder:
            yield from by_database(Path(folder), whole, wanted)


if __name__ == "__main__":
    sys.exit(main())
