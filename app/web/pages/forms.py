"""Forms as browsers send them: small, with named fields; what is missing is empty."""

from fastapi import Request

from app.errors import UnsupportedMediaType

MOST_FIELDS = 60
LONGEST_FIELD = 40_000


async def read_form(request: Request) -> dict[str, str]:
    """Every field of a form by its name, the last where one comes twice; files are no fields. Lines end as ours do, with a newline."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise UnsupportedMediaType("not_a_form", "This takes what the page's own form sends.")
    form = await request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD)
    return {name: value.replace("\r\n", "\n") for name, value in form.multi_items() if isinstance(value, str)}
