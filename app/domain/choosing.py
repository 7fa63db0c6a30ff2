"""Which sets of proposals fit the envelopes best for a stated objective: exact integer programming, with the proof's gap.

The solver works in floating point, on whole numbers it can hold exactly; every set it finds is checked again in whole DKK,
and one that its tolerance let through is cut off and solved anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 60
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal to choose or leave: what it needs by year, its worth for the objective, what it would cover."""

    ref: str
    needs: Mapping[int, int]
    worth: int
    covers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """One set: the references in it, what the objective comes to, and how far from the best it can be at most (0: proven)."""

    include: list[str]
    value: int
    gap: float
    proven: bool


def best_sets(
    candidates: Sequence[Candidate],
    available: Mapping[int, int],
    wanted: int = 1,
    must: frozenset[str] = frozenset(),
    covered: frozenset[str] = frozenset(),
    by_coverage: bool = False,
) -> list[Choice]:
    """Up to `wanted` sets, the best first; fewer where there are no more. `covered` is what is covered anyway.

    By coverage the objective is the number of things covered; otherwise the sum of worths.
    """
    problem = Problem(candidates, available, must, covered, by_coverage)
    found: list[Choice] = []
    cuts: list[list[bool]] = []
    while len(found) < wanted:
        choice = _best_left(problem, cuts)
        if choice is None:
            break
        found.append(choice)
    return found


@dataclass(frozen=True, slots=True)
class Problem:
    """What is chosen from, within which bounds, for what."""

    candidates: Sequence[Candidate]
    available: Mapping[int, int]
    must: frozenset[str]
    covered: frozenset[str]
    by_coverage: bool

    @property
    def bounds(self) -> dict[int, int]:
        return {year: self.available.get(year, 0) for one in self.candidates for year in one.needs}

    def picked(self, members: Sequence[bool]) -> list[Candidate]:
        return [one for one, there in zip(self.candidates, members, strict=True) if there]

    def fits(self, members: Sequence[bool]) -> bool:
        """Whether a set keeps to every envelope, in whole DKK."""
        picked = self.picked(members)
        return all(sum(one.needs.get(year, 0) for one in picked) <= bound for year, bound in self.bounds.items())

    def value(self, members: Sequence[bool]) -> int:
        picked = self.picked(members)
        things = frozenset().union(self.covered, *(one.covers for one in picked))
        return len(things) if self.by_coverage else sum(one.worth for one in picked)


def _best_left(problem: Problem, cuts: list[list[bool]]) -> Choice | None:
    """The best set that is not cut off yet; it is cut off then. None when there is no other.

    What the solver calls best is asked once more: is there one that is better by one? Only when there is none, it is.
    """
    best: tuple[list[bool], float, bool] | None = None
    passing: list[list[bool]] = []
    while True:
        floor = None if best is None else problem.value(best[0]) + 1
        answer = _solve(problem, [*cuts, *passing], floor)
        if answer is None:
            break
        members = answer[0]
        passing.append(members)
        if problem.fits(members) and (best is None or problem.value(members) > problem.value(best[0])):
            best = answer
    if best is None:
        return None
    members, gap, proven = best
    cuts.append(members)
    cuts += [one for one in passing if not problem.fits(one)]
    return Choice([one.ref for one in problem.picked(members)], problem.value(members), gap, proven)


def _solve(problem: Problem, cuts: Sequence[list[bool]], floor: int | None) -> tuple[list[bool], float, bool] | None:
    """The best set but for those cut off, of at least that value; the gap of the proof and whether it is closed."""
    import highspy  # noqa: PLC0415  # it brings numpy along, which only this needs

    if not problem.candidates:
        return None if cuts else ([], 0.0, True)
    model: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # it brings no types
    model.silent()
    for option, value in _OPTIONS.items():
        model.setOptionValue(option, value)
    chosen = [model.addBinary() for _ in problem.candidates]
    for year, bound in sorted(problem.bounds.items()):
        needs = [(one.needs.get(year, 0), x) for one, x in zip(problem.candidates, chosen, strict=True)]
        if any(amount for amount, _ in needs):
            model.addConstr(sum(amount * x for amount, x in needs if amount) <= bound)
    for one, x in zip(problem.candidates, chosen, strict=True):
        if one.ref in problem.must:
            model.addConstr(x >= 1)
    for members in cuts:
        model.addConstr(sum((1 - x) if there else x for x, there in zip(chosen, members, strict=True)) >= 1)
    objective, sure = _objective(problem, model, chosen)
    if floor is not None:
        model.addConstr(objective >= floor - sure)
    model.maximize(objective)
    status, info = model.getModelStatus(), model.getInfo()
    proven = status == highspy.HighsModelStatus.kOptimal
    if not proven and info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    return [model.val(x) > 0.5 for x in chosen], 0.0 if proven else float(info.mip_gap), proven


_OPTIONS = {
    "threads": 1,
    "time_limit": SECONDS,
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.0,
    "presolve": "off",
    **{f"{kind}_feasibility_tolerance": 1e-10 for kind in ("mip", "primal", "dual")},
}


def _objective(problem: Problem, model: Any, chosen: Sequence[Any]) -> tuple[Any, int]:
    """What is maximised, and what every set is worth anyway."""
    if not problem.by_coverage:
        return sum(one.worth * x for one, x in zip(problem.candidates, chosen, strict=True)), 0
    things = sorted(frozenset().union(*(one.covers for one in problem.candidates)) - problem.covered)
    reached = []
    for thing in things:
        variable = model.addBinary()
        having = [x for one, x in zip(problem.candidates, chosen, strict=True) if thing in one.covers]
        model.addConstr(variable <= sum(having))
        reached.append(variable)
    return sum(reached) if reached else sum(0 * x for x in chosen), len(problem.covered)
