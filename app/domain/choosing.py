"""Which sets of proposals fit the envelopes best for a stated objective: exact integer programming, with the proof's gap.

The solver works in floating point; every set it finds is checked again in whole DKK, and one that its tolerance let
through is cut off and solved anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 60
SECONDS = 10.0
_SCALE = 1_000_000  # amounts go to the solver in million DKK, where its tolerances are far below one krone


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
    solver = _Solver(candidates, available, must, covered, by_coverage)
    found: list[Choice] = []
    while len(found) < wanted:
        chosen = solver.solve()
        if chosen is None:
            break
        members, gap, proven = chosen
        solver.cut_off(members)
        picked = [one for one, there in zip(candidates, members, strict=True) if there]
        if all(sum(one.needs.get(year, 0) for one in picked) <= bound for year, bound in solver.bounds.items()):
            things = frozenset().union(covered, *(one.covers for one in picked))
            value = len(things) if by_coverage else sum(one.worth for one in picked)
            found.append(Choice([one.ref for one in picked], value, gap, proven))
    return found


class _Solver:
    """The model: a binary for every candidate, a bound for every year, for coverage a variable for every thing to cover."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        available: Mapping[int, int],
        must: frozenset[str],
        covered: frozenset[str],
        by_coverage: bool,
    ) -> None:
        import highspy  # noqa: PLC0415  # it brings numpy along, which only this needs

        self._highs = highspy
        self._model: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # it brings no types
        self._model.silent()
        for option, value in (
            ("threads", 1),
            ("time_limit", SECONDS),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 0.0),
            ("mip_feasibility_tolerance", 1e-9),
        ):
            self._model.setOptionValue(option, value)
        self._chosen = [self._model.addBinary() for _ in candidates]
        self.bounds = {year: available.get(year, 0) for one in candidates for year in one.needs}
        for year, bound in sorted(self.bounds.items()):
            self._add([one.needs.get(year, 0) / _SCALE for one in candidates], bound / _SCALE)
        for variable, one in zip(self._chosen, candidates, strict=True):
            if one.ref in must:
                self._model.addConstr(variable >= 1)
        self._objective = self._worth(candidates, covered, by_coverage)

    def _add(self, weights: Sequence[float], bound: float) -> None:
        if any(weights):
            self._model.addConstr(sum(w * x for w, x in zip(weights, self._chosen, strict=True) if w) <= bound)

    def _worth(self, candidates: Sequence[Candidate], covered: frozenset[str], by_coverage: bool) -> Any:
        if not by_coverage:
            scale = max((one.worth for one in candidates), default=1) or 1
            return sum(one.worth / scale * x for one, x in zip(candidates, self._chosen, strict=True))
        things = sorted(frozenset().union(*(one.covers for one in candidates)) - covered)
        reached = []
        for thing in things:
            variable = self._model.addBinary()
            having = [x for one, x in zip(candidates, self._chosen, strict=True) if thing in one.covers]
            self._model.addConstr(variable <= sum(having))
            reached.append(variable)
        return sum(reached) if reached else sum(0 * x for x in self._chosen)

    def solve(self) -> tuple[list[bool], float, bool] | None:
        """The best set that is left, the gap of the proof and whether it is closed; None when none is left."""
        if not self._chosen:
            return None
        self._model.maximize(self._objective)
        status, info = self._model.getModelStatus(), self._model.getInfo()
        proven = status == self._highs.HighsModelStatus.kOptimal
        if not proven and info.primal_solution_status != self._highs.SolutionStatus.kSolutionStatusFeasible:
            return None
        gap = 0.0 if proven else float(info.mip_gap)
        return [self._model.val(x) > 0.5 for x in self._chosen], gap, proven

    def cut_off(self, members: Sequence[bool]) -> None:
        """The next set must differ from this one."""
        differs = sum((1 - x) if there else x for x, there in zip(self._chosen, members, strict=True))
        self._model.addConstr(differs >= 1)
