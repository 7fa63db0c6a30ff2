"""The rules as people read them: every criterion with its source, every condition in words; versions held side by side,
tried on a proposal, and what a draft would change for all that is stored."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request, Response

from app.domain.people import MFA, Actor, Role
from app.domain.rulebook import Rulebook
from app.domain.rulebook.criteria import Alignment, Check, Criterion, Rule
from app.domain.rulebook.saying import called, condition, value
from app.errors import AppError, NotFound
from app.services import comparison, rulebooks
from app.services.comparison import Difference
from app.services.rulebooks import Draft
from app.web.pages.language import _
from app.web.pages.rendering import language_for, page
from app.web.requests import House, caller, house

router = APIRouter(include_in_schema=False)
DRAFT = "draft"
INSIDE = MFA | {Role.AUDITOR, Role.ADMIN}  # who reads what is not published
JUDGES = MFA | {Role.AUDITOR}  # who sees every proposal that was submitted
MOST_TRIED = 500
_SHORTENED = 400
OUTCOMES = {
    "eligible": _("eligible"),
    "ineligible": _("not eligible"),
    "undetermined": _("not yet determined"),
}


@router.get("/rules")
async def show_rules(request: Request) -> Response:
    """`version` shows one, `from` and `to` hold two side by side, `ref` and `version` try one on a proposal, for whom they may."""
    actor, here, query = await caller(request), house(request), request.query_params
    drafts = await _drafts(here, actor)
    books = {**here.library.books, **{one.name: one.book for one in drafts if one.book}}
    shared: dict[str, Any] = {
        "versions": [(name, name in here.library.books, book is here.book) for name, book in reversed(books.items())],
        "drafts": drafts,
        "outcomes": OUTCOMES,
        "tries": actor.role is not Role.ADMIN,
    }
    if query.get("from") and query.get("to"):
        old, new = (_chosen(books, drafts, query[name]) for name in ("from", "to"))
        return await _compared(request, actor, old, new, shared)
    name = _named(drafts, query.get("version") or _current(here))
    if query.get("ref") and shared["tries"]:
        return await _tried(request, actor, query["ref"], _chosen(books, drafts, name), shared | {"version": name})
    said = _said(_chosen(books, drafts, name), language_for(request))
    return page(request, "rules.html", version=name, shown=said, ref="", error=None, **shared)


async def _drafts(here: House, actor: Actor) -> list[Draft]:
    """The drafts, to whom they may be shown; read in a thread."""
    if actor.role not in INSIDE or not rulebooks.any_drafts(here.library):
        return []
    return await asyncio.to_thread(rulebooks.drafts, here.library)


def _current(here: House) -> str:
    return here.book.version


def _named(drafts: list[Draft], name: str) -> str:
    """A version by its name; `draft` is the last draft there is."""
    whole = [one.name for one in drafts if one.book]
    return whole[-1] if name == DRAFT and whole else name


def _chosen(books: Mapping[str, Rulebook | None], drafts: list[Draft], name: str) -> Rulebook:
    found = books.get(_named(drafts, name))
    if found is None:
        raise NotFound("rulebook_not_found", f"There is no rulebook version '{name}' that you can see.")
    return found


async def _compared(request: Request, actor: Actor, old: Rulebook, new: Rulebook, shared: dict[str, Any]) -> Response:
    """What differs, and to whom it may be told what that would change for what is stored."""
    impact = None
    if actor.role in JUDGES:
        impact = await house(request).database.read_long(lambda tx: comparison.impact(tx, old, new, MOST_TRIED))
    language = language_for(request)
    lines = [_line(one, language) for one in comparison.between(old, new)]
    shown = shared | {"old": old, "new": new, "lines": lines, "impact": impact, "most": MOST_TRIED}
    return page(request, "rules_compared.html", **shown)


def _line(one: Difference, language: str) -> dict[str, Any]:
    """A difference as text; a condition also in words."""
    last = one.place.rpartition(".")[2]
    says = condition if last in ("when", "error_when") else None
    return {
        "place": one.place,
        "before": _brief(one.before),
        "after": _brief(one.after),
        "words": (says(one.before, language), says(one.after, language)) if says and one.before and one.after else None,
    }


def _brief(held: Any) -> str | None:
    if held is None:
        return None
    said = ", ".join(map(str, held)) if isinstance(held, list) else str(held)
    return said if len(said) <= _SHORTENED else f"{said[:_SHORTENED]}\u2026"


async def _tried(request: Request, actor: Actor, ref: str, book: Rulebook, shared: dict[str, Any]) -> Response:
    """A proposal by this version beside its screening as it stands; a reference that is not to be seen is told in the page."""
    here = house(request)
    current, now = here.book, here.now()
    try:
        found = await here.database.read_long(lambda tx: comparison.trial(tx, actor, ref, current, book, now))
    except NotFound as error:
        return _not_tried(request, book, ref, error, shared)
    criteria = list(zip(found.before["criteria"], found.after["criteria"], strict=False))
    return page(request, "rules_tried.html", found=found, criteria=criteria, book=book, ref=ref, **shared)


def _not_tried(request: Request, book: Rulebook, ref: str, error: AppError, shared: dict[str, Any]) -> Response:
    said = _said(book, language_for(request))
    return page(request, "rules.html", error.status, shown=said, ref=ref, error=error, **shared)


def _said(book: Rulebook, language: str) -> dict[str, Any]:
    """The rulebook as the page shows it, made once for each version and language."""
    return _written(_Held(book), language)


class _Held:
    """A rulebook as a key: two with the same bytes are the same."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book

    def __hash__(self) -> int:
        return hash(self.book.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.book.sha256 == self.book.sha256


@lru_cache(32)
def _written(held: _Held, language: str) -> dict[str, Any]:
    criteria, reads = held.book.criteria, held.book.functions.reads
    return {
        **held.book.reference,
        "document": criteria.document,
        "weights": criteria.weights,
        "facts": [_fact(name, text, language, {}) for name, text in criteria.facts.items()],
        "checks": [_rule(one, language, reads[one.id]) for one in criteria.checks],
        "criteria": [_group(one, language, reads) for one in criteria.criteria],
        "alignment": [_group(one, language, reads) for one in criteria.alignment],
    }


def _group(one: Criterion | Alignment, language: str, reads: Mapping[str, Any]) -> dict[str, Any]:
    rules = [_rule(indicator, language, reads[indicator.id]) for indicator in one.indicators]
    weight = one.weight if isinstance(one, Criterion) else None
    name = one.letter if isinstance(one, Criterion) else one.key
    return {"one": one, "name": name, "weight": weight, "rules": rules}


def _rule(one: Rule, language: str, fields: Any) -> dict[str, Any]:
    params = one.params
    error_when = one.error_when if isinstance(one, Check) else None
    return {
        "one": one,
        "fields": fields,
        "level": one.level if isinstance(one, Check) else None,
        "words": condition(one.when, language, params),
        "error_when": error_when,
        "error_words": condition(error_when, language, params) if error_when else None,
        "facts": [_fact(name, text, language, params) for name, text in one.facts.items()],
        "params": [
            (name, ", ".join(map(str, held)) if isinstance(held, list) else held) for name, held in params.items()
        ],
    }


def _fact(name: str, text: str, language: str, params: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Its name, what it is called, its expression, and that in words."""
    return name, called(name, language), text, value(text, language, params)
