"""A rulebook file is taken whole or refused with every mistake in it, each at its place."""

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.case import Cycle, derive
from app.domain.proposal import read_content
from app.domain.rulebook import FILES, Rulebook, RulebookError, build_rulebook, functions, kleene
from app.domain.rulebook.checking import base_scope
from app.domain.rulebook.expressions import FUNCTIONS, compile_expression
from app.domain.rulebook.functions import months_between
from app.domain.rulebook.language import Refused
from app.domain.rulebook.writing import framework_names
from app.services.rulebooks import open_library
from app.settings import RULES
from tests import generate

FOLDER = RULES / "dk-iom-2023-2026"
PUBLISHED = {name: (FOLDER / name).read_bytes() for name in FILES}

# What is written -> what it is changed to, the place in the changed text, and a part of the message.
TEN = [
    ("count(claimed) > 0", "count(claimd) > 0", "claimd", "did you mean 'claimed'"),
    ('if line.category == "overhead"', 'if line.category == "overheads"', '"overheads"', "did you mean 'overhead'"),
    ('{summary_words} words."\n    not', '{summary_word} words."\n    not', "{summary_word}", "unknown placeholder"),
    ("mandatory: true\n    weight: 2\n    points: 7", "mandatary: true\n    weight: 2\n    points: 7", "mandatary", "'mandatory'"),
    ("points: 4\n    basis", "points: 9\n    basis", "9\n    basis", "points come to 4"),
    ("least {least_stages} of origin", "least 2 of origin", "2 of origin", "number is written out"),
    ("title: Gender marker", "title: Gender marker\n        title: Again", "title: Again", "stands here twice"),
    ('["2a", "2b"]', '["2a", "2c"]', "responsive\n", "'2c'"),
    ("when: months >= least_months", "when: months / least_months", "months / least", "only + - *"),
    ("weight: 1\n    points: 5", "weight: 3\n    points: 5", "3\n    points: 5", "the weight is 3"),
]  # fmt: skip


def mistakes_in(text: str) -> list[Any]:
    with pytest.raises(RulebookError) as caught:
        build_rulebook({**PUBLISHED, "criteria.yaml": text.encode()})
    return caught.value.mistakes


def test_ten_different_mistakes_are_found_at_once_each_at_its_place() -> None:
    text = PUBLISHED["criteria.yaml"].decode()
    for before, after, _, _ in TEN:
        assert before in text, before
        text = text.replace(before, after, 1)
    found = mistakes_in(text)
    lines = text.split("\n")
    for _, _, place, message in TEN:
        told = [one for one in found if message in one.message]
        assert len(told) == 1, (message, found)
        rest = "\n".join([lines[told[0].line - 1][told[0].column - 1 :], *lines[told[0].line :]])
        assert rest.startswith(place), (place, str(told[0]), rest[:40])
    assert len(found) == len(TEN), "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("", "empty"),
        ("[]", "dictionary"),
        ("&a [*a]", "anchors"),
    ],
)
def test_a_file_that_is_no_rulebook_is_refused_in_a_sentence(text: str, message: str) -> None:
    assert any(message in one.message for one in mistakes_in(text)), mistakes_in(text)


def test_published_files_are_what_the_manifest_says() -> None:
    assert "2023.1" in open_library(RULES, "dk-iom-2023-2026").books


NAMES = ["activities", "budget", "period", "requested", "years", "cycle", "framework", "gender_marker", "a", "nobody"]
FIELDS = ["type", "countries", "amount", "year", "start", "activity_ref", "focus_countries", "nothing", "__class__"]
LEAVES = st.one_of(
    st.sampled_from(NAMES),
    st.integers(-(10**13), 10**13).map(str),
    st.sampled_from(["'a'", "'government'", "null", "true", "1.5", "b'x'", "[]", "['a', 'b']", "f'{a}'"]),
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = ["and", "or", "<", "<=", "==", "!=", "in", "not in", "+", "-", "*", "/", "**", "is"]
    loop = st.tuples(st.sampled_from(FUNCTIONS), inner, inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(operators), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, st.sampled_from(FIELDS)).map(lambda t: f"{t[0]}.{t[1]}"),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"months_between({t[0]}, {t[1]})"),
        loop.map(lambda t: f"{t[0]}({t[1]} for a in {t[2]} if {t[3]})"),
        inner.map(lambda t: f"not {t}"),
        inner.map(lambda t: f"-{t}"),
    )


@settings(max_examples=600, deadline=None)
@given(text=st.recursive(LEAVES, _grown, max_leaves=12), seed=st.integers(0, 10**6))
def test_a_random_expression_is_refused_at_load_or_never_raises(text: str, seed: int) -> None:
    try:
        compiled = compile_expression(text, base_scope())
    except Refused:
        return
    book = open_library_once()
    content, faults = read_content(generate.draft(random.Random(seed)), book.indicator_codes)
    assert content is not None, faults
    derived = derive(content, {2026: 5})
    inputs: dict[str, Any] = {"k": Cycle(2026, 2027), **framework_names(book.ground)}
    for name in content.model_fields_set:
        inputs[f"c_{name}"] = getattr(content, name)
    for name in ("requested", "years", "srf_objectives"):
        inputs[f"d_{name}"] = getattr(derived, name)
    unknown = {name.careful: kleene.UNKNOWN for name in base_scope().values()}
    _run(compiled.careful, {**unknown, **inputs})
    if not set(book.functions.fields) - content.model_fields_set:
        _run(compiled.plain, inputs)


def _run(code: str, inputs: dict[str, Any]) -> Any:
    return eval(code, {**vars(kleene), **vars(functions), **inputs})


_BOOKS: list[Rulebook] = []


def open_library_once() -> Rulebook:
    if not _BOOKS:
        _BOOKS.append(open_library(RULES, "dk-iom-2023-2026").current)
    return _BOOKS[0]


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)), st.integers(0, 40), st.integers(-1, 1))
def test_months_are_full_on_the_day_before_the_day_comes_round(start: date, months: int, days: int) -> None:
    end = oracle_end(start, months)
    assert months_between(start, end) >= months
    if months:
        assert months_between(start, date.fromordinal(end.toordinal() - 1)) < months


def oracle_end(start: date, months: int) -> date:
    """The first day on which so many months are full, by counting days of the month down from the start's."""
    year, month = start.year + (start.month - 1 + months) // 12, (start.month - 1 + months) % 12 + 1
    for day in range(start.day, 0, -1):
        try:
            return date.fromordinal(date(year, month, day).toordinal() - 1)
        except ValueError:
            continue
    raise AssertionError(start)


def test_the_hostile_pieces_of_python_are_no_part_of_the_language() -> None:
    for text in (
        "(1).__class__",
        "activities.__class__",
        "__import__('os')",
        "(lambda: 1)()",
        "[a for a in activities]",
        "activities[0]",
        "'a' * 10",
        "2 ** 99",
        "1 if true else 2",
        "(x := 1)",
        "any(True for a in activities)",
        "count(a for a in activities for b in activities for c in activities for d in activities)",
        "sum(a.amount * a.amount * a.amount for a in activities)",
        "(" * 300 + "1" + ")" * 300,
        "1" + " + 1" * 150,
    ):
        with pytest.raises(Refused):
            compile_expression(text, base_scope())
