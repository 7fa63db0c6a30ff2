"""Shares that add up, envelopes that are not overrun, and the best set found by the solver held against all there are."""

from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.choosing import Candidate, best_sets
from app.domain.envelope import Envelope, over_envelope, over_request, share
from app.domain.portfolio import Item

AMOUNT = st.integers(0, 10**12)


@given(AMOUNT, st.lists(st.integers(0, 10**12), min_size=1, max_size=12))
def test_shares_add_up_and_none_is_off_by_a_krone(total: int, weights: list[int]) -> None:
    parts = share(total, weights)
    whole = sum(weights)
    assert sum(parts) == (total if whole else 0)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True) if whole)


@given(AMOUNT, AMOUNT, AMOUNT)
def test_an_overrun_is_told_exactly_when_there_is_one(amount: int, committed: int, wanted: int) -> None:
    there = {2027: Envelope(2027, amount, committed)}
    assert bool(over_envelope(there, {2027: wanted})) == (committed + wanted > amount)
    assert bool(over_envelope({}, {2027: wanted})) == (wanted > 0)
    assert bool(over_request({2027: amount}, {2027: wanted})) == (wanted > amount)


YEARS = (2027, 2028)
NEEDS = st.fixed_dictionaries({year: st.integers(1, 10**9) for year in YEARS})
CANDIDATES = st.lists(st.tuples(NEEDS, st.integers(0, 1000)), min_size=1, max_size=7)


def brute(candidates: list[Candidate], available: dict[int, int], number: int) -> list[int]:
    """The values of the best sets, by looking at every set there is."""
    sets = [chosen for size in range(len(candidates) + 1) for chosen in combinations(candidates, size)]
    fits = [all(sum(one.needs[year] for one in chosen) <= available[year] for year in YEARS) for chosen in sets]
    values = [sum(one.worth for one in chosen) for chosen, fit in zip(sets, fits, strict=True) if fit]
    return sorted(values, reverse=True)[:number]


@settings(max_examples=60, deadline=None)
@given(CANDIDATES, st.integers(0, 4 * 10**9), st.integers(0, 4 * 10**9), st.integers(1, 3))
def test_the_best_sets_are_the_best_of_all(drawn: Any, first: int, second: int, number: int) -> None:
    candidates = [Candidate(f"P{i}", needs, worth) for i, (needs, worth) in enumerate(drawn)]
    available = {2027: first, 2028: second}
    found = best_sets(candidates, available, number)
    assert [choice.value for choice in found] == brute(candidates, available, number)
    assert all(choice.proven and choice.gap == 0 for choice in found)
    assert len({tuple(choice.include) for choice in found}) == len(found)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(16_666_660, 16_666_672), min_size=3, max_size=7), st.integers(1, 3))
def test_sets_that_differ_by_a_krone_are_told_apart(amounts: list[int], number: int) -> None:
    candidates = [Candidate(f"P{i}", {2027: amount, 2028: 0}, amount) for i, amount in enumerate(amounts)]
    available = {2027: 50_000_000, 2028: 0}
    found = best_sets(candidates, available, number)
    assert [choice.value for choice in found] == brute(candidates, available, number)


def test_a_set_that_is_one_krone_too_dear_is_not_found() -> None:
    candidates = [Candidate("A", {2027: 10**12}, 1), Candidate("B", {2027: 1}, 1)]
    found = {tuple(choice.include) for choice in best_sets(candidates, {2027: 10**12}, 9)}
    assert found == {("A",), ("B",), ()}


def test_coverage_counts_what_is_reached_and_must_is_kept() -> None:
    things = [frozenset({"a", "b"}), frozenset({"b"}), frozenset({"c"})]
    candidates = [Candidate(f"P{i}", {2027: 5}, 0, one) for i, one in enumerate(things)]
    best = best_sets(candidates, {2027: 10}, 1, covered=frozenset({"d"}), by_coverage=True)[0]
    assert (best.include, best.value) == (["P0", "P2"], 4)
    kept = best_sets(candidates, {2027: 10}, 1, must=frozenset({"P1"}), by_coverage=True)[0]
    assert "P1" in kept.include
    assert best_sets(candidates, {2027: 1}, 1, must=frozenset({"P1"})) == []


def test_people_have_the_last_word_on_what_is_addressed() -> None:
    item = Item("R", "T", "O", "approved", {2027: 7}, {}, {}, {"a": "met", "b": "not_met", "c": "met"}, None, 0)
    assert [item.addresses(letter) for letter in "abc"] == [True, False, True]
    judged = Item("R", "T", "O", "approved", {2027: 7}, {}, {}, {"a": "met"}, {"a": False, "b": True, "c": None}, 0)
    assert [judged.addresses(letter) for letter in "abc"] == [False, True, False]
