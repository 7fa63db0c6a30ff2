"""Pages from templates: everything escaped, nothing inline, in the reader's language."""

import secrets
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.documents.words import dkk, number, quantity, words
from app.domain.people import Actor
from app.web.access import DOORS
from app.web.pages import figures
from app.web.pages.language import _, preferred, translator

HERE = Path(__file__).parent
# What leads where, in this order, for whoever the access table lets in.
NAVIGATION = (
    ("/", _("Queue")),
    ("/consultations", _("Consultations")),
    ("/dashboard", _("Dashboard")),
    ("/payments", _("Agreements and payments")),
    ("/envelopes", _("Envelopes")),
    ("/notifications", _("Notifications")),
    ("/audit", _("Audit log")),
    ("/rules", _("Rules")),
    ("/users", _("Users and tokens")),
)
# Pages that stand under another one's heading.
UNDER = {"/proposals": "/", "/drafts": "/", "/technical-meetings": "/consultations", "/tokens": "/users"}
STANDING = {"met": _("met"), "not_met": _("not met"), "undetermined": _("not yet determined")}


@cache
def environment(language: str) -> Environment:
    """The templates in one language, with its words and its ways to write figures."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    say = translator(language)
    env.install_gettext_callables(say, _plural(say), newstyle=True)  # type: ignore[attr-defined]
    shapes = ("million", "score", "decimal", "day", "moment", "country")
    env.filters |= {name: partial(getattr(figures, name), language=language) for name in shapes}
    written = {"dkk": dkk, "number": number, "quantity": quantity}
    env.filters |= {name: partial(shape, language=language) for name, shape in written.items()}
    env.filters["plain"] = figures.plain
    standing = {state: say(sentence) for state, sentence in STANDING.items()}
    env.globals |= {
        "texts_in": texts_in,
        "new_mark": partial(secrets.token_urlsafe, 12),
        "language": language,
        "word": words(language),
        "standing": standing,
    }
    return env


def texts_in(sent: Mapping[str, str]) -> list[str]:
    """What somebody wrote in a form: every field of more than one word, but the lists that forms carry unseen."""
    return [said for name, said in sent.items() if name != "refs" and " " in said.strip()]


def _plural(say: Callable[[str], str]) -> Callable[[str, str, int], str]:
    return lambda one, many, number: say(one if number == 1 else many)


def page(request: Request, template: str, status: int = 200, language: str | None = None, **shown: Any) -> Response:
    """A page with what it shows, in that language or the reader's own."""
    me: Actor | None = request.scope["state"].get("actor")
    language = language or language_for(request)
    shared = {"me": me, "navigation": _navigation(request, me, translator(language)), "said": _said(request, language)}
    html = environment(language).get_template(template).render(**shared, **shown)
    return Response(html, status, {"Vary": "Accept-Language, Cookie"}, "text/html; charset=utf-8")


def language_for(request: Request) -> str:
    """The reader's language: their own preference, else their browser's."""
    return str(request.scope["state"].get("language") or preferred(request.headers.get("accept-language")))


def _navigation(request: Request, me: Actor | None, say: Callable[[str], str]) -> list[tuple[str, str, str]]:
    """Address, label, and where one is: `page` on it, `true` below it."""
    if me is None:
        return []
    here = "/" + request.url.path.split("/")[1]
    here = UNDER.get(here, here)
    return [
        (place, say(label), ("page" if request.url.path == place else "true") if here == place else "")
        for place, label in NAVIGATION
        if (door := DOORS.get(f"GET {place}")) and me.role in door.roles
    ]


# What a page says after a deed, by the word the address carries; nothing else that an address says is shown.
SAID = {
    "moved": _("Done. The proposal has moved on, and whoever is concerned will hear of it."),
    "saved": _("Saved."),
    "completed": _("Your assessment is completed. You now see the others'."),
    "reopened": _("Your assessment is open again; what it was stays on record."),
    "asked": _("Your question is on its way to IOM."),
    "answered": _("Your answer is on its way to the MFA."),
    "commented": _("Your comment is kept with the proposal."),
    "again": _("It will be tried again. What comes of it will stand here."),
    "tried": _("A test is on its way to the webhook. What comes of it will stand here."),
    "resumed": _("The webhook is sent to again. What it missed can be replayed."),
    "replayed": _("What happened in that period is on its way to the webhook again."),
    "deleted": _("The webhook is deleted; what waited for it is dropped."),
    "user_added": _("The person is added."),
    "office_added": _("The office is added."),
    "office_changed": _("The office is changed."),
    "user_changed": _("The account is changed."),
    "revoked": _("The token is revoked and works no more."),
    "cycle_added": _("The cycle is added, with its own envelope."),
    "window_moved": _("The window is moved, with every deadline that hangs on it."),
    "envelope_set": _("The envelope is set."),
    "feed_ended": _("The calendar feed has ended; its address shows nothing any more."),
    "planned": _("Planned. Whoever is concerned is sent an invitation."),
    "changed": _("Changed. Whoever was invited hears of another day or place."),
    "agenda_set": _("The agenda is changed."),
    "opened": _("It is open: decisions can be recorded."),
    "recorded": _("Recorded. Nobody outside the MFA sees it before the conclusion."),
    "taken_back": _("The decision is taken back."),
    "concluded": _("Concluded. Every decision is in force, and the messages are on their way."),
    "called_off": _("Cancelled. Whoever was invited is told."),
    "corrected": _("The correction is on record, and whoever was told of the decision is told of it."),
    "confirmed": _("You have confirmed the minutes for IOM."),
    "objected": _("Your objection is on record with the minutes."),
    "written": _("The meeting is written down."),
    "attached": _("The file hangs on the proposal."),
    "drafted": _("The draft is kept. It can be changed until it is submitted."),
    "replaced": _("The content is replaced by that of the file."),
    "declared": _("Your conflict of interest is on record; others take over."),
    "signed": _("Signed for your side."),
    "adjusted": _("The budget is changed. Signatures given before are void."),
    "tranche_planned": _("The tranche is planned."),
    "tranche_prepared": _("The tranche is prepared; somebody else releases it."),
    "tranche_released": _("The tranche is released, and IOM is told."),
    "tranche_received": _("The receipt is confirmed."),
    "tranche_cancelled": _("The tranche is cancelled; its money stays approved."),
    "amendment_proposed": _("The amendment is proposed; both sides sign it now."),
    "amendment_withdrawn": _("The amendment is withdrawn and stays on record."),
    "report_submitted": _("The report is submitted, and the MFA is told."),
    "report_accepted": _("The report is accepted, and IOM is told."),
    "report_returned": _("The report is back with IOM, with your comment."),
    "extract_released": _("Released for your side."),
    "extract_withdrawn": _("Your side's release is taken back; the extract is not public."),
}


def _said(request: Request, language: str) -> str | None:
    known = SAID.get(request.query_params.get("said", ""))
    return translator(language)(known) if known else None


def redirect(place: str) -> Response:
    """See other: after a form has been taken, or where somebody must go first."""
    return Response(status_code=303, headers={"Location": place})
