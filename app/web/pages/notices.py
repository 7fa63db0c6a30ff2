"""What was told to whom: the list with what became of each message, one message as its reader gets it, once more by hand."""

from collections.abc import Mapping
from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor, Role
from app.errors import AppError
from app.notify.notices import NOTICES
from app.records.notices import STATES, Wanted
from app.services import notifications
from app.services.deliveries import Sender
from app.web.pages.addresses import Id, whole
from app.web.pages.deeds import Form, take
from app.web.pages.language import _
from app.web.pages.rendering import page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
PER_PAGE = 50
LABELS = {"waiting": _("waiting"), "sent": _("sent"), "dead": _("given up"), "superseded": _("taken back")}
TONES = {"waiting": "busy", "sent": "good", "dead": "bad", "superseded": "quiet"}
KINDS = {
    "proposal.submit": _("Proposal submitted"),
    "proposal.screened_out": _("Proposal back from the screening"),
    "proposal.deadline_moved": _("Deadline moved"),
    "proposal.return": _("Proposal returned"),
    "proposal.admit": _("Proposal admitted"),
    "proposal.recommend": _("Recommendation given"),
    "proposal.approve": _("Proposal approved"),
    "proposal.reject": _("Proposal rejected"),
    "proposal.defer": _("Proposal deferred"),
    "proposal.corrected": _("Decision corrected"),
    "proposal.withdraw": _("Proposal withdrawn"),
    "proposal.withdraw_approved": _("Approved proposal withdrawn"),
    "proposal.terminate": _("Support ended"),
    "proposal.lapse": _("Proposal lapsed"),
    "proposal.complete": _("Everything paid"),
    "proposal.close": _("Proposal closed"),
    "clarification.asked": _("Question asked"),
    "clarification.answered": _("Question answered"),
    "consultation.planned": _("Invitation to a consultation"),
    "consultation.moved": _("Consultation moved"),
    "consultation.uninvited": _("Consultation without the reader"),
    "consultation.cancelled": _("Consultation cancelled"),
    "minutes.to_confirm": _("Minutes to confirm"),
    "technical_meeting.planned": _("Invitation to a technical meeting"),
    "technical_meeting.moved": _("Technical meeting moved"),
    "technical_meeting.uninvited": _("Technical meeting without the reader"),
    "technical_meeting.cancelled": _("Technical meeting cancelled"),
    "agreement.to_sign": _("Agreement to sign"),
    "amendment.to_sign": _("Amendment to sign"),
    "payment.prepared": _("Tranche to release"),
    "payment.released": _("Tranche released"),
    "payment.received": _("Tranche received"),
    "report.submitted": _("Report submitted"),
    "report.returned": _("Report returned"),
    "report.accepted": _("Report accepted"),
    "evaluation.delivered": _("Evaluation delivered"),
    "evaluation.answered": _("Evaluation answered"),
    "window.opens": _("Reminder: the window opens"),
    "window.closes": _("Reminder: the window closes"),
    "report.due": _("Reminder: a report is due"),
    "report.overdue": _("Reminder: a report is overdue"),
    "webhook.paused": _("Webhook paused"),
    "webhook.test": _("Webhook tried out"),
}


@router.get("/notifications")
async def show_notifications(request: Request) -> Response:
    """Filters stand in the address; what is unknown there is left out."""
    actor, here = await caller(request), house(request)
    asked = _asked(request.query_params)
    wanted = Wanted(asked["state"] or None, asked["kind"] or None, asked["ref"] or None)
    below = whole(request.query_params.get("after"))
    rows, following = await here.database.read(
        lambda tx: notifications.listed(tx, actor, wanted, PER_PAGE, below),
    )
    said = {name: value for name, value in asked.items() if value}
    return page(
        request,
        "notifications.html",
        rows=rows,
        asked=asked,
        kinds=KINDS,
        labels=LABELS,
        tones=TONES,
        everybody=actor.role in notifications.OVERSEERS,
        next_page=f"/notifications?{urlencode({**said, 'after': following})}" if following else None,
    )


def _asked(query: Mapping[str, str]) -> dict[str, str]:
    state, kind = query.get("state", ""), query.get("kind", "")
    ref = query.get("ref", "").strip().upper()[:20]
    printable = ref.isascii() and ref.isprintable()
    return {
        "state": state if state in STATES else "",
        "kind": kind if kind in NOTICES else "",
        "ref": ref if printable else "",
    }


@router.get("/notifications/{id}")
async def show_notification(id: Id, request: Request) -> Response:
    return await _message(request, id, await caller(request))


async def _message(
    request: Request, number: int, actor: Actor, error: AppError | None = None, sent: Form | None = None
) -> Response:
    here = house(request)
    library, sender = here.library, Sender(here.settings.mail_from, here.settings.public_url)
    now = here.now()
    told = await here.database.read_long(lambda tx: notifications.one(tx, actor, number, library, sender, now))
    return page(
        request,
        "notification.html",
        error.status if error else 200,
        error=error,
        told=told,
        head=told.head,
        kinds=KINDS,
        labels=LABELS,
        tones=TONES,
        resend=actor.role is Role.ADMIN,
    )


@router.post("/notifications/{id}/resend")
async def resend(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        notifications.resend(tx, actor, id, now)

    return await take(request, work, partial(_message, request, id), f"/notifications/{id}", "again")
