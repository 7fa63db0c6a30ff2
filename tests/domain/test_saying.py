"""The rules in words: every published expression can be said, and nothing the checker accepts cannot."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.rulebook import Rulebook
from app.domain.rulebook.checking import base_scope
from app.domain.rulebook.criteria import Check, Rule
from app.domain.rulebook.expressions import compile_expression
from app.domain.rulebook.language import Refused
from app.domain.rulebook.nouns import FACTS, FIELDS
from app.domain.rulebook.saying import condition, value
from app.services.rulebooks import open_library
from app.settings import RULES

LANGUAGES = ("en", "da")
BOOKS = open_library(RULES, "dk-iom-2023-2026").books.values()


def rules_of(book: Rulebook) -> list[Rule]:
    groups = [*book.criteria.criteria, *book.criteria.alignment]
    return [*book.criteria.checks, *(indicator for one in groups for indicator in one.indicators)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_expression_of_the_published_rulebooks_can_be_said(language: str) -> None:
    for book in BOOKS:
        said = [value(text, language) for text in book.criteria.facts.values()]
        for rule in rules_of(book):
            said += [value(text, language, rule.params) for text in rule.facts.values()]
            said.append(condition(rule.when, language, rule.params))
            if isinstance(rule, Check) and rule.error_when:
                said.append(condition(rule.error_when, language, rule.params))
        assert len(said) > 100
        for one in said:
            assert one.endswith(".")
            assert one.count("(") == one.count(")")


def test_every_name_of_the_published_rulebooks_has_a_danish_word() -> None:
    for book in BOOKS:
        names = {*book.criteria.facts, *(name for rule in rules_of(book) for name in rule.facts)}
        assert names - FACTS.keys() == set()
        assert (
            not {field for fields in book.functions.reads.values() for field in fields} - FIELDS.keys() - {"criteria"}
        )


@pytest.mark.parametrize(
    ("text", "params", "english", "danish"),
    [
        ("count(activity_stages) >= least", {"least": 2}, "The number of “activity stages” is at least 2.",
         "Antallet af »aktiviteternes dele af ruten« er mindst 2."),
        ("any(a.type in kinds for a in activities)", {"kinds": ["policy_support"]},
         "For at least one of the activities: the activity's type is one of “policy_support”.",
         "For mindst én af aktiviteterne: aktivitetens type er en af »policy_support«."),
        ('geography_justification == ""', {}, "The justification of the countries is empty.",
         "Begrundelsen for landene er tom."),
        ("not (data.data_protection or 2 > 1)", {},
         "It is not so that (the data protection is answered with yes or 2 is more than 1).",
         "Det gælder ikke, at (databeskyttelsen er besvaret med ja eller 2 er mere end 1)."),
        ("100 * (requested - 5) > 8", {}, "100 times (the amount requested minus 5) is more than 8.",
         "100 gange (det ansøgte beløb minus 5) er mere end 8."),
    ],
)  # fmt: skip
def test_an_expression_is_said_in_both_languages(
    text: str, params: dict[str, int | list[int] | list[str]], english: str, danish: str
) -> None:
    assert (condition(text, "en", params), condition(text, "da", params)) == (english, danish)


_NUMBERS = st.sampled_from(["0", "1", "requested", "cycle.year", "count(activities)", "sum(b.amount for b in budget)",
                            "max(y.requested - y.envelope for y in years)", "months_between(period.start, period.end)",
                            "words(summary)", "-3", "period.end.year"])  # fmt: skip
_LISTS = st.sampled_from(["activities", "tools", "synergies", "risks", "countries", "priority_areas"])
_CLAUSES = st.recursive(
    st.one_of(
        st.tuples(_NUMBERS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), _NUMBERS).map(" ".join),
        st.sampled_from(["true", "data.data_protection", "gender_marker in ['2a', '2b']", "not 3 in priority_areas"]),
        st.sampled_from(["any(b.activity_ref != null for b in budget)", "all(r.likelihood > 2 for r in risks)"]),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda one: f"({' '.join(one)})"),
        inner.map(lambda one: f"not ({one})"),
        st.tuples(st.sampled_from(["any", "all"]), inner, _LISTS, st.sampled_from("fgh")).map(
            lambda one: f"{one[0]}({one[1]} for {one[3]} in {one[2]})"
        ),
        st.tuples(_LISTS, inner, st.sampled_from("fgh")).map(lambda one: f"count(1 for {one[2]} in {one[0]} if {one[1]}) > 0"),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_CLAUSES)
def test_what_the_checker_accepts_can_be_said(text: str) -> None:
    try:
        compile_expression(text, base_scope())
    except Refused:
        return
    for language in LANGUAGES:
        said = condition(text, language)
        assert said.endswith(".")
        assert said.count("(") == said.count(")")
