"""A draft from a file: pre-checked on the page, in words, before anything is stored; then kept, new or in place of another."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from app.db import Tx
from app.documents import proposal_files
from app.documents.proposal_files import Sent
from app.documents.workbook import MOST_BYTES
from app.domain.people import Actor
from app.encoding import canonical
from app.errors import AppError, BadRequest, Fault, Invalid, UnsupportedMediaType
from app.services import intake, precheck
from app.services.idempotency import Answer, once
from app.services.precheck import Checked, Places
from app.web.answers import note_refusal
from app.web.api.submission import Submission, in_parts
from app.web.pages.addresses import whole
from app.web.pages.labels import FIELDS
from app.web.pages.rendering import page, redirect
from app.web.requests import LARGEST_BODY, caller, fingerprint, house, parse

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Upload:
    """A file that was read: what it says, and how its faults are told."""

    name: str
    sent: Sent
    submission: Submission

    def told(self, faults: list[Fault]) -> list[str]:
        return self.sent.told(faults)


@router.get("/drafts/new")
async def show_upload(request: Request) -> Response:
    actor = await caller(request)
    return await _shown(request, actor, target=request.query_params.get("ref", "")[:20])


async def _shown(
    request: Request,
    actor: Actor,
    upload: _Upload | None = None,
    error: AppError | None = None,
    target: str = "",
) -> Response:
    """The page: where to send a file, and of one that was sent what it would come to."""
    here = house(request)
    book, now = here.book, here.now()

    def read(tx: Tx) -> tuple[Places, Checked | None]:
        said = upload.submission if upload else None
        checked = precheck.check(tx, said.cycle, said.content, list(said.faults), book, now) if said else None
        return precheck.places(tx, actor, now, target), checked

    places, checked = await here.database.read(read)
    told = upload.told(checked.faults) if upload and checked else []
    return page(
        request,
        "drafts.html",
        error.status if error else 200,
        places=places,
        most=precheck.MOST,
        checked=checked,
        told=told,
        error=error,
        target=target,
        upload=upload,
        value=_value(upload),
        fields=FIELDS,
        open=[one for one in _rules(checked) if one["state"] != "met"],
        title=upload.submission.content.title if upload and upload.submission.content else None,
    )


def _value(upload: _Upload | None) -> str:
    """What the form that keeps it carries along: the file's proposal as JSON."""
    return _as_json(upload.sent.value).decode() if upload else ""


def _as_json(value: dict[str, Any]) -> bytes:
    """The JSON of what was read, or Invalid where it holds what there is no JSON for, such as names that are numbers."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_STRICT_INTEGER)
    except TypeError as error:
        said = f"The file holds what JSON cannot say ({error}): put names in quotes, and write no larger numbers."
        raise Invalid("file_unreadable", said, faults=[Fault("/file", "not_json", said)]) from None


def _rules(checked: Checked | None) -> list[dict[str, Any]]:
    """Checks, then indicators with their criterion's letter, each with its reason."""
    result = checked.screening if checked else None
    if result is None:
        return []
    of_criteria = [{**each, "letter": one["letter"]} for one in result["criteria"] for each in one["indicators"]]
    return [*({**one, "letter": ""} for one in result["checks"]), *of_criteria]


@router.post("/drafts/new")
async def check_upload(request: Request) -> Response:
    """Read the file and show what it would come to; nothing is stored."""
    actor, here = await caller(request), house(request)
    form = await _form(request)
    target = str(form.get("target", ""))[:20]
    try:
        name, raw = await _file(form)
        sent = await asyncio.to_thread(proposal_files.read_upload, name, raw)
        _as_json(sent.value)
    except (AppError, ValueError) as error:
        refusal = error if isinstance(error, AppError) else Invalid("file_unreadable", str(error))
        return await _shown(request, actor, None, refusal, target)
    chosen = str(form.get("cycle", ""))
    if sent.value.get("cycle") is None and chosen.isascii() and chosen.isdecimal():
        sent.value["cycle"] = int(chosen[:4])
    upload = _Upload(name, sent, _submission(sent, here.book.indicator_codes))
    return await _shown(request, actor, upload, None, target)


def _submission(sent: Sent, codes: frozenset[str]) -> Submission:
    """The file's proposal with every fault in it; what a workbook has nothing for is not there."""
    value = {name: one for name, one in sent.value.items() if one is not None}
    found = in_parts(value, b"", codes)
    if sent.workbook and sent.workbook.faults:  # its cells' own faults keep it from being read at all
        return Submission(found.cycle, found.office, None, found.faults, b"")
    return found


async def _form(request: Request) -> FormData:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedMediaType("not_multipart", "This takes what the page's own form sends.")
    try:
        return await request.form(max_files=1, max_fields=8, max_part_size=LARGEST_BODY + 100_000)
    except HTTPException:
        raise BadRequest("malformed_multipart", "The form cannot be read, or is too large.") from None


async def _file(form: FormData) -> tuple[str, bytes]:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Invalid(
            "file_missing", "Choose a file first.", faults=[Fault("/file", "required", "Choose a file first.")]
        )
    raw = await file.read(MOST_BYTES + 1)
    await file.close()
    return file.filename[:200], raw


@router.post("/drafts")
async def keep_draft(request: Request) -> Response:
    """Keep what was pre-checked: a new draft, or the content of the draft or returned proposal that is named."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    sent = await _form(request)
    form = {name: value for name, value in sent.items() if isinstance(value, str)}
    await sent.close()
    request.scope["state"]["form"] = form  # as `read_form` keeps it, should this fail
    ref, _, version = form.get("target", "")[:40].partition(" ")
    try:
        upload = _again(form, book.indicator_codes)
    except AppError as error:
        return await _shown(request, actor, None, error, ref)
    said = upload.submission
    office = form.get("office") or said.office

    def make(tx: Tx) -> Answer:
        made = intake.create(tx, actor, said.cycle, office, said.content, list(said.faults), book, now)
        return Answer(303, made.encode())

    def work(tx: Tx) -> str:
        if form.get("deed") != "replace":
            mark = fingerprint(request, canonical(form))
            return once(tx, actor, f"form {mark.hex()}", mark, now, lambda: make(tx)).body.decode()
        seen = whole(version)
        expected = frozenset({seen}) if seen else frozenset[int]()
        faults = [Fault(one.pointer.removeprefix("/content"), one.code, one.message) for one in said.faults]
        intake.replace_content(tx, actor, ref, said.content, faults, expected, True, book, now)
        return ref

    try:
        kept = await here.database.write(work)
    except AppError as error:
        if error.status == 404:
            raise
        await note_refusal(request, error)
        return await _shown(request, actor, upload, error, ref)
    return redirect(f"/proposals/{kept}/content?said={'replaced' if form.get('deed') == 'replace' else 'drafted'}")


def _again(form: Mapping[str, str], codes: frozenset[str]) -> _Upload:
    """What the page carried along, read anew: nothing of it was kept here."""
    try:
        value = parse(form.get("value", "").encode("utf-8", "surrogatepass"))
    except BadRequest:
        value = None
    if not isinstance(value, dict):
        said = "The page's form came without its proposal; choose the file once more."
        raise Invalid("validation_failed", said, faults=[Fault("/file", "required", said)])
    _as_json(value)
    sent = Sent(value)
    return _Upload(form.get("name", ""), sent, _submission(sent, codes))
