"""Screening: a pure function of content, rulebook and frame. The same inputs always give the same bytes."""

from typing import Any

from app.domain.case import Frame, derive
from app.domain.proposal import Content
from app.domain.rulebook import Rulebook
from app.encoding import canonical


def screen(content: Content, rulebook: Rulebook, frame: Frame) -> dict[str, Any]:
    """The result of API.md: outcome, totals, every check and criterion with reason, facts and remedy.

    A field the content leaves out makes what depends on it `undetermined`; it never raises for valid content.
    """
    functions, derived = rulebook.functions, derive(content, frame.envelopes)
    whole = functions.fields <= content.model_fields_set
    explain = functions.explain if whole else functions.explain_draft
    result = explain(content, derived, frame.cycle)
    result["screened_on"] = frame.screened_on.isoformat()
    result["rulebook"] = rulebook.reference
    return result


def decide(content: Content, rulebook: Rulebook, frame: Frame) -> tuple[str, int]:
    """Outcome and total in tenths of a whole content, without the explanation."""
    derived = derive(content, frame.envelopes)
    outcome, tenths, _ = rulebook.functions.decide(content, derived, frame.cycle)
    return outcome, tenths


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """What a proposal shows of its screening: outcome, totals, the state of every criterion, the rulebook."""
    return {
        "outcome": result["outcome"],
        "total": result["total"],
        "total_reachable": result["total_reachable"],
        "screened_on": result["screened_on"],
        "criteria": {one["letter"]: one["state"] for one in result["criteria"]},
        "rulebook": result["rulebook"],
    }


def result_bytes(result: dict[str, Any]) -> bytes:
    """The result in the one form that is stored, hashed and sent."""
    return canonical(result)
