"""Forms as browsers send them: named fields, and at most one file of text; what is missing is empty."""

from fastapi import Request
from starlette.datastructures import UploadFile

from app.errors import Invalid, UnsupportedMediaType

MOST_FIELDS = 1000  # a budget's lines, four fields each
LONGEST_FIELD = 2_000_000


async def read_form(request: Request) -> dict[str, str]:
    """Every field of a form by its name, the last where one comes twice; a file of text is a field like any other."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise UnsupportedMediaType("not_a_form", "This takes what the page's own form sends.")
    form = await request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD)
    return {name: value if isinstance(value, str) else await _text_of(value) for name, value in form.multi_items()}


async def _text_of(file: UploadFile) -> str:
    """The text in a file, however often it is asked for."""
    await file.seek(0)
    try:
        return (await file.read(LONGEST_FIELD)).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("not_text", f"The file {file.filename} is no text in UTF-8.") from None
