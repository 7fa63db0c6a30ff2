"""Forms as browsers send them: named fields, and at most one file of text; what is missing is empty."""

from fastapi import Request
from starlette.datastructures import UploadFile

from app.errors import UnsupportedMediaType

MOST_FIELDS = 1000  # a budget's lines, four fields each
LONGEST_FIELD = 2_000_000


async def read_form(request: Request) -> dict[str, str]:
    """Every field of a form by its name, the last where one comes twice; a file of text is a field like any other."""
    state = request.scope["state"]
    if "form" in state:
        return dict(state["form"])
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise UnsupportedMediaType("not_a_form", "This takes what the page's own form sends.")
    async with request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD) as form:
        items = form.multi_items()
        found = {name: _lines(value) if isinstance(value, str) else await _text_of(value) for name, value in items}
    state["form"] = found
    return dict(found)


async def _text_of(file: UploadFile) -> str:
    """A file's text; bytes that are none are marked, for whoever reads the text to refuse in its place."""
    return (await file.read(LONGEST_FIELD)).decode("utf-8-sig", "replace")


def _lines(text: str) -> str:
    """Browsers end lines with two signs; ours end with one."""
    return text.replace("\r\n", "\n")
