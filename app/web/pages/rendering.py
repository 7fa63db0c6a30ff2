"""Pages from templates: everything escaped, nothing inline, in the reader's language."""

from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.web.pages.words import language_of, words

HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(request: Request, template: str, status: int = 200, language: str | None = None, **shown: Any) -> Response:
    """A page with what it shows; `t` are the words of the language, where none is named that of the reader's browser."""
    language = language or language_of(request.headers.get("accept-language"))
    html = _TEMPLATES.get_template(template).render(t=words(language), language=language, **shown)
    return Response(html, status, {"Vary": "Accept-Language, Cookie"}, "text/html; charset=utf-8")


def redirect(place: str) -> Response:
    """See other: after a form has been taken, or where somebody must go first."""
    return Response(status_code=303, headers={"Location": place})
