"""Screening comes to what an implementation of DOMAIN.md section 4 written apart from it comes to."""

import copy
import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.domain.case import Cycle, Frame, derive
from app.domain.proposal import filled, read_content
from app.domain.rulebook import Rulebook
from app.domain.screening import decide, result_bytes, screen
from app.settings import RULES
from tests import generate, oracle

ENVELOPES = {2023: 25_000_000, 2024: 50_000_000, 2025: 50_000_000, 2026: 50_000_000, 2027: 50_000_000}
FRAME = Frame(Cycle(2026, 2027), ENVELOPES, date(2026, 11, 23))
EXAMPLES = sorted((RULES / "dk-iom-2023-2026" / "examples").glob("*.json"))


def read(value: Any, book: Rulebook) -> Any:
    content, faults = read_content(value, book.indicator_codes)
    assert not faults, faults
    return content


def outline(result: dict[str, Any]) -> dict[str, Any]:
    groups = result["criteria"] + result["alignment"]
    return {
        "outcome": result["outcome"],
        "total": result["total"],
        "total_reachable": result["total_reachable"],
        "checks": {one["id"]: (one["level"], one["state"]) for one in result["checks"]},
        "indicators": {one["id"]: one["state"] for group in groups for one in group["indicators"]},
        "criteria": {one["letter"]: (one["state"], one["earned"], one["possible"]) for one in result["criteria"]},
        "alignment": {one["key"]: (one["state"], one["earned"], one["possible"]) for one in result["alignment"]},
    }


@pytest.mark.parametrize("make", [generate.proposal, generate.draft])
def test_a_thousand_screenings_equal_the_independent_implementation(make: Any, book: Rulebook) -> None:
    rng = random.Random(20261123)
    for _ in range(1000):
        value = make(rng)
        expected = oracle.screen(value, 2026, 2027, ENVELOPES)
        assert outline(screen(read(value, book), book, FRAME)) == expected


def test_deciding_alone_agrees_with_the_full_explanation(book: Rulebook) -> None:
    rng = random.Random(7)
    for _ in range(300):
        content = read(generate.proposal(rng), book)
        result = screen(content, book, FRAME)
        assert decide(content, book, FRAME) == (result["outcome"], round(result["total"] * 10))


def test_the_careful_explanation_of_a_whole_content_is_the_plain_one(book: Rulebook) -> None:
    rng = random.Random(8)
    for _ in range(200):
        content = read(generate.proposal(rng), book)
        given = (content, derive(content, ENVELOPES), FRAME.cycle)
        assert book.functions.explain(*given) == book.functions.explain_draft(*given)


def test_screening_changes_nothing_and_gives_the_same_bytes_again(book: Rulebook) -> None:
    rng = random.Random(9)
    for _ in range(100):
        value = generate.draft(rng)
        before = copy.deepcopy(value)
        content = read(value, book)
        assert result_bytes(screen(content, book, FRAME)) == result_bytes(screen(content, book, FRAME))
        assert value == before


@pytest.mark.parametrize(
    ("name", "outcome", "total"),
    [("strong", "eligible", 100.0), ("draft", "undetermined", 48.1), ("ineligible", "ineligible", 34.8)],
)
def test_the_published_examples_screen_as_published(name: str, outcome: str, total: float, book: Rulebook) -> None:
    example = json.loads((RULES / "dk-iom-2023-2026" / "examples" / f"{name}.json").read_text())
    envelopes = {plan.year: plan.amount for plan in book.framework.cycles}
    result = screen(read(example["content"], book), book, Frame(Cycle(2026, 2026), envelopes, date(2026, 1, 5)))
    assert (result["outcome"], result["total"]) == (outcome, total)


def test_every_reason_and_remedy_is_a_sentence_without_braces(book: Rulebook) -> None:
    for path in EXAMPLES:
        result = screen(read(json.loads(Path(path).read_text())["content"], book), book, FRAME)
        indicators = [i for group in result["criteria"] + result["alignment"] for i in group["indicators"]]
        for one in result["checks"] + indicators:
            assert one["reason"].endswith("."), one
            assert not set("{}") & set(one["reason"] + (one["remedy"] or "")), one
            assert (one["remedy"] is None) == (one["state"] == "met")


def test_what_a_submission_leaves_out_counts_as_empty(book: Rulebook) -> None:
    value = generate.proposal(random.Random(3))
    for name in ("tools", "partners", "data", "climate", "synergies", "innovation"):
        del value[name]
    result = screen(filled(read(value, book)), book, FRAME)
    assert result["outcome"] != "undetermined"
    assert result["total"] == result["total_reachable"]
