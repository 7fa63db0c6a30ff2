"""The page of a proposal: what it says, what the screening found, what people judge, what can be done with it now."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.assessment import LETTERS, departs
from app.domain.people import Actor
from app.domain.proposal import requested_by_year, stored_content
from app.domain.rulebook.evidence import fields_read
from app.domain.workflow import Event, State
from app.errors import AppError, Conflict
from app.services import casework, remarks, review, workspace
from app.services.casework import Request as MoveRequest
from app.services.workspace import Workspace
from app.web.api import bodies
from app.web.pages.addresses import Id, whole
from app.web.pages.deeds import Form, Work, as_model, may, take, version
from app.web.pages.forms import read_form
from app.web.pages.language import _, translator
from app.web.pages.queue import TONES
from app.web.pages.rendering import language_for, page
from app.web.requests import caller, house, read_as

router = APIRouter(include_in_schema=False)
GRADES = {0: _("absent"), 1: _("weak"), 2: _("adequate"), 3: _("good"), 4: _("excellent")}
VERDICTS = {"approve": _("approve"), "reject": _("reject"), "defer": _("defer")}
NOT_APPLICABLE = "na"
MOVES = {
    Event.SUBMIT: _("Submit"),
    Event.ADMIT: _("Admit"),
    Event.START_REVIEW: _("Start the review"),
    Event.RETURN: _("Return to IOM"),
    Event.RECOMMEND: _("Recommend"),
    Event.CLOSE: _("Close"),
    Event.WITHDRAW: _("Withdraw"),
    Event.TERMINATE: _("Terminate"),
}
EVENTS = {
    "create": _("Draft made"), "submit": _("Submitted"), "admit": _("Admitted"), "start_review": _("Review started"),
    "return": _("Returned to IOM"), "recommend": _("Recommended"), "approve": _("Approved"), "reject": _("Rejected"),
    "defer": _("Deferred"), "sign": _("Agreement in force"), "amend": _("Agreement amended"),
    "complete": _("All tranches received"), "close": _("Closed"), "withdraw": _("Withdrawn"),
    "terminate": _("Terminated"), "lapse": _("Lapsed"),
}  # fmt: skip
# The stations of a proposal's life; what left the road stands where it left it.
STATIONS = (
    (_("Draft"), (State.DRAFT,)),
    (_("Screened"), (State.SUBMITTED, State.RETURNED)),
    (_("Reviewed"), (State.UNDER_REVIEW,)),
    (_("Consulted"), (State.RECOMMENDED, State.DEFERRED)),
    (_("Decided"), (State.APPROVED, State.REJECTED)),
    (_("Agreed"), (State.AGREED,)),
    (_("Paid"), (State.DISBURSED,)),
    (_("Closed"), (State.CLOSED,)),
)


@router.get("/proposals/{ref}")
async def show_proposal(ref: str, request: Request) -> Response:
    return await _workspace(request, await caller(request), ref)


async def _workspace(
    request: Request, actor: Actor, ref: str, error: AppError | None = None, sent: Mapping[str, str] | None = None
) -> Response:
    """The page, with what was refused and what the refused form held."""
    here = house(request)
    book, now = here.book, here.now()
    found = await here.database.read(lambda tx: workspace.of(tx, actor, ref, book, now))
    evidence = fields_read(book.criteria)
    return page(
        request,
        "workspace.html",
        error.status if error else 200,
        row=found.row,
        content=found.content,
        found=found,
        error=error,
        sent=defaultdict(str, sent or {}),
        today=now.today,
        tone=TONES[found.row.state],
        criteria=[_criterion(one, found, sent or {}, evidence) for one in found.screening["criteria"]],
        checks=[{**one, "fields": evidence.get(one["id"], ())} for one in found.screening["checks"]],
        years=sorted(requested_by_year(stored_content(found.row.content)).items()),
        stations=_stations(found),
        history=[{**one, "said": EVENTS[one["event"]]} for one in reversed(found.history)],
        actions=[{**one, "label": MOVES[one["move"]]} for one in found.moves],
        grades=GRADES,
        verdicts=VERDICTS,
        overall=(sent or {}).get("overall", _begun(found)["overall"]),
        carried=_carried(found),
        seen=_seen(found),
        declares=may(actor, "POST /proposals/{ref}/conflict"),
        lost=_lost(found, sent or {}),
        newer=(found.judged or {}).get("mine") if sent and sent.get("seen", _seen(found)) != _seen(found) else None,
    )


def _criterion(
    one: Mapping[str, Any], found: Workspace, sent: Mapping[str, str], evidence: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """A criterion with its indicators, IOM's statement, and the reader's own grade as far as it goes."""
    letter = one["letter"]
    mine = _begun(found)
    grade = mine["grades"].get(letter, "") if letter in mine["grades"] else ""
    chosen = sent.get(f"grade-{letter}", NOT_APPLICABLE if grade is None else str(grade))
    given = int(chosen) if chosen.isascii() and chosen.isdecimal() else None
    return {
        **one,
        "indicators": [{**each, "fields": evidence.get(each["id"], ())} for each in one["indicators"]],
        "claim": (found.content.get("criteria") or {}).get(letter),
        "chosen": chosen,
        "comment": sent.get(f"comment-{letter}", mine["comments"].get(letter, "")),
        "differs": departs(given, one["state"]),
        "needed": letter in found.ground.mandatory | found.ground.claimed,
    }


def _begun(found: Workspace) -> Mapping[str, Any]:
    """What the form starts from: one's own assessment, before there is one that of the submission before, else nothing."""
    judged = found.judged or {}
    earlier = judged.get("earlier") if found.assessing else None
    return judged.get("mine") or earlier or {"grades": {}, "comments": {}, "overall": ""}


def _carried(found: Workspace) -> int | None:
    """The submission whose assessment one's own is, or would be, carried over from."""
    mine, begun = (found.judged or {}).get("mine"), _begun(found)
    carried: int | None = mine["carried_from"] if mine else begun.get("snapshot")
    return carried


def _seen(found: Workspace) -> str:
    """Which version of one's own assessment the page shows: another tab may have saved one since."""
    mine = (found.judged or {}).get("mine")
    return mine["updated_at"].isoformat() if mine else ""


def _lost(found: Workspace, sent: Mapping[str, str]) -> list[str]:
    """What a refused form held that the page has no form for any more: somebody else was faster, or the state moved on."""
    names: tuple[str, ...] = ()
    if move := sent.get("move"):
        names = () if any(one["move"] == move and one["allowed"] for one in found.moves) else ("reason", "memo")
    elif sent.get("form", "").startswith("answer-"):
        open_ = {f"answer-{one['id']}" for one in found.questions if not one["answer"]}
        names = () if sent["form"] in open_ else ("answer",)
    elif "seen" in sent:
        mine = (found.judged or {}).get("mine")
        grading = found.assessing and not (mine and mine["completed_at"])
        names = () if grading else (*(f"comment-{letter}" for letter in LETTERS), "overall")
    return [sent[name] for name in names if sent.get(name, "").strip()]


def _stations(found: Workspace) -> list[tuple[str, str]]:
    """Label and `done`, `here`, `left` (it ended there) or `ahead`."""
    state = found.row.state
    if state == State.CANCELLED:
        last = found.history[-1]["from"]
        at = next((i for i, (_label, states) in enumerate(STATIONS) if last in states), 0)
    else:
        at = next(i for i, (_label, states) in enumerate(STATIONS) if state in states)
    mark = "left" if state in (State.CANCELLED, State.REJECTED) else "here"
    return [
        (label, "done" if place < at else mark if place == at else "ahead")
        for place, (label, _states) in enumerate(STATIONS)
    ]


async def _do(request: Request, ref: str, said: str, work: Work) -> Response:
    """Take a form of this page, and come back to the part of it that the form names."""
    part = (await read_form(request)).get("back", "")

    async def again(actor: Actor, error: AppError, form: Form) -> Response:
        return await _workspace(request, actor, ref, error, form)

    return await take(
        request, work, again, f"/proposals/{ref}" + (f"#{part}" if part.isascii() and part.isalpha() else ""), said
    )


@router.post("/proposals/{ref}/assessment")
async def take_assessment(ref: str, request: Request) -> Response:
    """Save one's assessment as far as it goes, take over what the screening found, or complete it."""
    here = house(request)
    book, now, say = here.book, here.now(), translator(language_for(request))
    deed = {"save": "saved", "accept": "saved", "complete": "completed"}
    chosen = (await read_form(request)).get("deed", "save")

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        found = workspace.of(tx, actor, ref, book, now)
        if form.get("seen", "") != _seen(found):
            said = "You saved this assessment in another tab since; what you wrote here is still in the form below."
            raise Conflict("changed_meanwhile", said)
        mine = (found.judged or {}).get("mine")
        carried = mine["carried_from"] if mine else whole(form.get("carried_from"))
        sent = as_model(bodies.AssessmentIn, {**_assessment(form), "carried_from": carried}).model_dump()
        if chosen == "accept":
            review.accept(tx, actor, ref, sent, say(_ACCEPTED), book, now)
        else:
            review.save(tx, actor, ref, sent, book, now)
        if chosen == "complete":
            review.complete(tx, actor, ref, book, now)

    return await _do(request, ref, deed.get(chosen, "saved"), work)


_ACCEPTED = _("I share what the screening found.")


def _assessment(form: Form) -> dict[str, Any]:
    """A form's grades, comments and word on all, as the API takes them; a criterion without a key pressed has no grade."""
    grades: dict[str, int | None] = {}
    for letter in LETTERS:
        said = form.get(f"grade-{letter}", "")
        if said == NOT_APPLICABLE:
            grades[letter] = None
        elif said.isascii() and said.isdecimal():
            grades[letter] = int(said[:3])
    comments = {letter: said for letter in LETTERS if (said := form.get(f"comment-{letter}", "").strip())}
    return {"grades": grades, "comments": comments, "overall": form.get("overall", "").strip()}


@router.post("/proposals/{ref}/assessment/reopen")
async def reopen_assessment(ref: str, request: Request) -> Response:
    here = house(request)
    book, now = here.book, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        review.reopen(tx, actor, ref, as_model(bodies.ReasonIn, {"reason": form.get("reason", "")}).reason, book, now)

    return await _do(request, ref, "reopened", work)


@router.post("/proposals/{ref}/moves")
async def make_move(ref: str, request: Request) -> Response:
    """A move of the actions beside the proposal; the form carries the version that was seen."""
    here = house(request)
    book, now = here.book, here.now()
    if (await read_form(request)).get("move") == Event.SUBMIT:
        request.scope["state"]["submission"] = ref

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        value = {name: form[name] for name in bodies.MoveIn.model_fields if form.get(name, "").strip()}
        read, faults = read_as(bodies.MoveIn, value)
        wanted = MoveRequest(
            move=value.get("move", ""),
            reason=read.reason if read else None,
            deadline=read.deadline if read else None,
            recommendation=read.recommendation if read else None,
            memo=read.memo if read else None,
            named=frozenset(value),
            faults=tuple(faults),
            expected=version(form),
        )
        casework.make_move(tx, actor, ref, wanted, book, now)

    return await _do(request, ref, "moved", work)


@router.post("/proposals/{ref}/questions")
async def ask(ref: str, request: Request) -> Response:
    here = house(request)
    book, now = here.book, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        sent = {"question": form.get("question", ""), "criterion": form.get("criterion") or None}
        new = as_model(bodies.ClarificationIn, sent)
        review.ask(tx, actor, ref, new.criterion, new.field, new.question, book, now)

    return await _do(request, ref, "asked", work)


@router.post("/proposals/{ref}/questions/{number}")
async def answer(ref: str, number: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        review.answer(tx, actor, ref, number, as_model(bodies.AnswerIn, {"answer": form.get("answer", "")}).answer, now)

    return await _do(request, ref, "answered", work)


@router.post("/proposals/{ref}/conflict")
async def declare(ref: str, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        remarks.declare_conflict(
            tx, actor, ref, as_model(bodies.ReasonIn, {"reason": form.get("reason", "")}).reason, now
        )

    return await _do(request, ref, "declared", work)
