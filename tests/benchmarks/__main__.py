"""`make bench`: every figure as a ratio to a limit measured in the same run, rounds interleaved, medians of rounds."""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from app.domain import rulebook
from app.domain.case import Cycle, Frame
from app.domain.proposal import Content, read_content
from app.domain.rulebook import Rulebook, load_folder
from app.domain.screening import decide, screen
from app.services.rulebooks import open_library
from app.settings import RULES
from tests import generate
from tests.benchmarks import plain, queue, serving

FRAMEWORK = "dk-iom-2023-2026"
ENVELOPES = {2023: 25_000_000, 2024: 50_000_000, 2025: 50_000_000, 2026: 50_000_000}
FRAME = Frame(Cycle(2026, 2026), ENVELOPES, date(2026, 11, 23))


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


def screening() -> dict[str, float]:
    """Full explanation, and outcome and total alone, against the same rules as plain hand-written Python."""
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

    return {"explanation / plain": ratio(explaining, by_hand), "decision / plain": ratio(deciding, by_hand)}


def loading() -> float:
    """Milliseconds from files to compiled rulebook, median of 15."""

    def load() -> None:
        rulebook._built.cache_clear()
        load_folder(RULES / FRAMEWORK)

    return 1000 * statistics.median(seconds(load) for _ in range(15))


def main() -> int:
    measured = screening()
    measured["loading the rulebook, ms"] = loading()
    with tempfile.TemporaryDirectory() as folder:
        measured["POST /screenings / bare ASGI"] = serving.screenings(Path(folder))
        few, many = queue.seconds_a_page(Path(folder))
        measured["queue of 1,000, ms"] = 1000 * few
        measured["queue of 100,000 / of 1,000"] = many / few
    limits = {
        "explanation / plain": ("at most", 3.0),
        "decision / plain": ("at most", 1.4),
        "loading the rulebook, ms": ("at most", 150.0),
        "POST /screenings / bare ASGI": ("at least", 0.35),
        "queue of 1,000, ms": ("at most", 25.0),
        "queue of 100,000 / of 1,000": ("at most", 1.5),
    }
    kept = True
    for name, value in measured.items():
        word, limit = limits[name]
        held = value <= limit if word == "at most" else value >= limit
        kept &= held
        print(f"{name:32} {value:8.2f}   {word} {limit:g}   {'ok' if held else 'MISSED'}")
    print(json.dumps(measured))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
