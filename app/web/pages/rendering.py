"""Pages from templates: everything escaped, nothing inline, in the reader's language."""

from collections.abc import Callable
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
    ("/notifications", _("Notifications")),
    ("/audit", _("Audit log")),
    ("/rules", _("Rules")),
    ("/users", _("Users and tokens")),
)
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
    standing = {state: say(sentence) for state, sentence in STANDING.items()}
    env.globals |= {"language": language, "word": words(language), "standing": standing}
    return env


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


def _navigation(request: Request, me: Actor | None, say: Callable[[str], str]) -> list[tuple[str, str, bool]]:
    if me is None:
        return []
    here = request.url.path
    return [
        (place, say(label), here == place or (place != "/" and here.startswith(f"{place}/")))
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
    "attached": _("The file hangs on the proposal."),
    "drafted": _("The draft is kept. It can be changed until it is submitted."),
    "replaced": _("The content is replaced by that of the file."),
    "declared": _("Your conflict of interest is on record; others take over."),
}


def _said(request: Request, language: str) -> str | None:
    known = SAID.get(request.query_params.get("said", ""))
    return translator(language)(known) if known else None


def redirect(place: str) -> Response:
    """See other: after a form has been taken, or where somebody must go first."""
    return Response(status_code=303, headers={"Location": place})
