"""Assessments: grades that people give, what makes one whole, and what several come to. Exact, in fractions until shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.errors import Fault

HIGHEST, ENOUGH, APART = 4, 2, 2  # a criterion is met from a mean of 2; grades 2 or more apart are flagged
LETTERS = tuple("abcdefgh")
Grades = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Ground:
    """What an assessment is held against: the screening's state of each criterion, which are mandatory and claimed, weights."""

    states: Mapping[str, str]
    mandatory: frozenset[str]
    claimed: frozenset[str]
    weights: Mapping[str, int]


def grade_faults(grades: Grades, ground: Ground) -> list[Fault]:
    """What is wrong with grades as they are: `null` says not applicable, which a mandatory or claimed criterion never is."""
    return [
        Fault(
            f"/grades/{letter}",
            "not_applicable_refused",
            f"{letter} is {'mandatory' if letter in ground.mandatory else 'claimed by IOM'}; give it a grade.",
        )
        for letter, grade in grades.items()
        if grade is None and letter in ground.mandatory | ground.claimed
    ]


def departs(grade: int | None, state: str) -> bool:
    """Whether a grade says another thing than the screening did."""
    return grade is not None and (grade >= ENOUGH) != (state == "met")


def lacking(grades: Grades, comments: Mapping[str, str], overall: str, ground: Ground) -> list[Fault]:
    """What an assessment needs to be completed: every grade, a comment where it departs from the screening, a word on all."""
    found = [
        Fault(f"/grades/{letter}", "required", f"{letter} needs a grade, or null for not applicable.")
        for letter in LETTERS
        if letter not in grades
    ]
    found += grade_faults(grades, ground)
    found += [
        Fault(f"/comments/{letter}", "required", f"The grade of {letter} departs from the screening; say why.")
        for letter in LETTERS
        if letter in grades and departs(grades[letter], ground.states[letter]) and not comments.get(letter)
    ]
    if not overall:
        found.append(Fault("/overall", "required", "An overall comment is needed."))
    return found


def suggested(earned: int, possible: int, state: str, applicable: bool) -> int | None:
    """The grade that says what the screening says: met 2 to 4, not met 0 or 1 by the points earned; None: not applicable."""
    if not applicable:
        return None
    share = Fraction(earned, possible)
    if state == "met":
        return 4 if share >= Fraction(9, 10) else 3 if share >= Fraction(7, 10) else ENOUGH
    return 1 if earned else 0


@dataclass(frozen=True, slots=True)
class Consolidated:
    """What the completed assessments of one snapshot come to for one criterion; `mean` None where nobody found it applicable."""

    letter: str
    grades: tuple[int | None, ...]
    mean: Fraction | None

    @property
    def met(self) -> bool | None:
        return None if self.mean is None else self.mean >= ENOUGH

    @property
    def flagged(self) -> bool:
        given = [grade for grade in self.grades if grade is not None]
        return bool(given) and max(given) - min(given) >= APART


def consolidate(assessments: Sequence[Grades]) -> list[Consolidated]:
    """Criterion by criterion, the mean of the grades given; not applicable counts neither for nor against."""
    found = []
    for letter in LETTERS:
        grades = tuple(one.get(letter) for one in assessments)
        given = [grade for grade in grades if grade is not None]
        found.append(Consolidated(letter, grades, Fraction(sum(given), len(given)) if given else None))
    return found


def score_tenths(consolidated: Sequence[Consolidated], weights: Mapping[str, int]) -> int | None:
    """100 x the weighted mean of mean/4 over the criteria that have one, in tenths, rounded half up; None without any."""
    weighed = [(weights[one.letter], one.mean) for one in consolidated if one.mean is not None]
    if not weighed:
        return None
    share = sum((weight * mean / HIGHEST for weight, mean in weighed), Fraction(0)) / sum(
        weight for weight, _ in weighed
    )
    return int(share * 1000 + Fraction(1, 2))


def one_decimal(mean: Fraction | None) -> float | None:
    """A mean as shown, rounded half up to one decimal."""
    return None if mean is None else int(mean * 10 + Fraction(1, 2)) / 10


def mandatory_met(consolidated: Sequence[Consolidated], mandatory: frozenset[str]) -> bool:
    return all(one.met is True for one in consolidated if one.letter in mandatory)


def as_json(consolidated: Sequence[Consolidated], weights: Mapping[str, int]) -> dict[str, Any]:
    """Grades, mean, met and flag of each criterion, and the score."""
    tenths = score_tenths(consolidated, weights)
    return {
        "criteria": {
            one.letter: {
                "grades": list(one.grades),
                "mean": one_decimal(one.mean),
                "met": one.met,
                "flagged": one.flagged,
            }
            for one in consolidated
        },
        "score": None if tenths is None else tenths / 10,
        "flagged": [one.letter for one in consolidated if one.flagged],
    }
