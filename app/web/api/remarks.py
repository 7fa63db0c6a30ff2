"""Beside a proposal's life: internal comments, declared conflicts of interest, attachments."""

import asyncio
import hashlib
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from app.db import Tx
from app.domain.people import Actor
from app.errors import BadRequest, Fault, Invalid, NotFound, TooLarge, UnsupportedMediaType
from app.services import attachments, faces, remarks, uploads
from app.services.idempotency import Answer
from app.web.answers import ok, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.api.proposals import Ref
from app.web.requests import caller, house, read_body_about
from app.web.sheets import listed


class CommentOut(shapes.Out):
    id: int
    at: datetime
    by: shapes.By
    visibility: str
    text: str


class CommentList(shapes.Out):
    items: list[CommentOut]
    next_cursor: None


class ConflictOut(shapes.Out):
    at: datetime
    by: shapes.By
    reason: str


class ConflictList(shapes.Out):
    items: list[ConflictOut]
    next_cursor: None


class AttachmentOut(shapes.Out):
    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    visibility: Literal["shared", "internal"]
    at: datetime


class AttachmentList(shapes.Out):
    items: list[AttachmentOut]
    next_cursor: None


router = APIRouter(prefix="/api/v1", tags=["proposals"])
Whoever = Annotated[Actor, Depends(caller)]
_BY = {"role": "embassy", "name": "A. Diplomat"}
_COMMENT = {
    "id": 4,
    "at": "2026-11-23T09:07:00Z",
    "by": _BY,
    "visibility": "internal",
    "text": "We know the counterpart.",
}
_CONFLICT = {"at": "2026-11-23T09:07:00Z", "by": _BY, "reason": "My sister works for the partner."}
_ATTACHMENT = {
    "id": 9,
    "name": "Logframe.xlsx",
    "media_type": uploads.MEDIA_TYPES["xlsx"],
    "size": 18231,
    "sha256": "0" * 64,
    "visibility": "shared",
    "at": "2026-11-23T09:07:00Z",
}


@router.get(
    "/proposals/{ref}/comments",
    operation_id="list_comments",
    summary="What the Danish side says about a proposal",
    responses=answers(CommentList, {"items": [_COMMENT], "next_cursor": None}, 404),
)
async def list_comments(ref: Ref, request: Request) -> Response:
    actor = await caller(request)
    return await listed(request, CommentOut, lambda tx: remarks.comments(tx, actor, ref))


@router.post(
    "/proposals/{ref}/comments",
    operation_id="add_comment",
    summary="Comment on a proposal; IOM never sees it",
    status_code=201,
    responses=answers(CommentOut, _COMMENT, 400, 404, 409, 413, 415, 422, status=201),
)
async def add_comment(ref: Ref, request: Request) -> Response:
    actor, now = await caller(request), house(request).now()
    new, raw = await read_body_about(request, actor, ref, bodies.CommentIn)
    return await write(request, actor, raw, lambda tx: ok(remarks.comment(tx, actor, ref, new.text, now), 201))


@router.get(
    "/proposals/{ref}/conflicts",
    operation_id="list_conflicts",
    summary="Declared conflicts of interest",
    responses=answers(ConflictList, {"items": [_CONFLICT], "next_cursor": None}, 404),
)
async def list_conflicts(ref: Ref, request: Request) -> Response:
    actor = await caller(request)
    return await listed(request, ConflictOut, lambda tx: remarks.conflicts(tx, actor, ref))


@router.post(
    "/proposals/{ref}/conflicts",
    operation_id="declare_conflict",
    summary="Declare your own conflict of interest",
    status_code=201,
    responses=answers(ConflictOut, _CONFLICT, 400, 404, 409, 413, 415, 422, status=201),
)
async def declare_conflict(ref: Ref, request: Request) -> Response:
    """From then on every move on this proposal is refused to you."""
    actor, now = await caller(request), house(request).now()
    new, raw = await read_body_about(request, actor, ref, bodies.ReasonIn)
    return await write(
        request, actor, raw, lambda tx: ok(remarks.declare_conflict(tx, actor, ref, new.reason, now), 201)
    )


@router.get(
    "/proposals/{ref}/attachments",
    operation_id="list_attachments",
    summary="The files on a proposal that you can see",
    responses=answers(AttachmentList, {"items": [_ATTACHMENT], "next_cursor": None}, 404),
)
async def list_attachments(ref: Ref, request: Request) -> Response:
    actor = await caller(request)
    return await listed(request, AttachmentOut, lambda tx: attachments.listed(tx, actor, ref))


@router.post(
    "/proposals/{ref}/attachments",
    operation_id="add_attachment",
    summary="Attach a PDF, DOCX, XLSX, PNG or JPEG file",
    status_code=201,
    responses=answers(AttachmentOut, _ATTACHMENT, 400, 404, 409, 413, 415, 422, status=201),
)
async def add_attachment(ref: Ref, request: Request) -> Response:
    """Multipart with `file` and, if only your own side is to see it, `visibility` = `internal`. Judged by content."""
    actor, here = await caller(request), house(request)
    now = here.now()
    await here.database.read(lambda tx: attachments.check_room(tx, faces.seen(tx, actor, ref)))
    name, data, visibility = await read_file(request)
    media_type = await asyncio.to_thread(uploads.judge, name, data)
    sha256 = hashlib.sha256(data).hexdigest()
    await here.files.put(sha256, data)

    def work(tx: Tx) -> Answer:
        made = attachments.add(tx, actor, ref, name, media_type, len(data), sha256, visibility, now)
        return ok(made, 201, {"Location": f"/api/v1/proposals/{ref}/attachments/{made['id']}"})

    return await write(request, actor, f"{sha256} {visibility} {name}".encode(), work)


async def read_file(request: Request) -> tuple[str, bytes, str]:
    """Name, bytes and visibility of the file that a form sends, within the limits of an attachment."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedMediaType("not_multipart", "Send multipart/form-data with a part `file`.")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > uploads.LARGEST + 100_000:
        raise _too_large()
    try:
        async with request.form(max_files=1, max_fields=3, max_part_size=10_000) as form:
            return await _parts(form)
    except MultiPartException:
        raise _unreadable() from None
    except HTTPException as error:  # what Starlette makes of a MultiPartException inside an application
        raise (_unreadable() if error.status_code == HTTPStatus.BAD_REQUEST else error) from None


def _unreadable() -> BadRequest:
    return BadRequest("malformed_multipart", "The multipart body cannot be read, or has more than one file.")


async def _parts(form: FormData) -> tuple[str, bytes, str]:
    """Name, bytes and visibility, once everything in the form is as it must be."""
    file, visibility = form.get("file"), form.get("visibility", "shared")
    faults = [Fault(f"/{name}", "unknown_field", f"There is no part '{name}'.") for name in form if name not in _PARTS]
    if not isinstance(file, UploadFile):
        faults.append(Fault("/file", "required", "A part `file` with a file name is needed."))
    if visibility not in ("shared", "internal"):
        faults.append(Fault("/visibility", "not_listed", "Must be shared or internal."))
    if faults or not isinstance(file, UploadFile):
        raise Invalid("validation_failed", "The file cannot be taken as it was sent.", faults=faults)
    data = await file.read(uploads.LARGEST + 1)
    if len(data) > uploads.LARGEST:
        raise _too_large()
    return file.filename or "", data, str(visibility)


def _too_large() -> TooLarge:
    return TooLarge("file_too_large", f"An attachment may have {uploads.LARGEST:,} bytes.")


_PARTS = frozenset({"file", "visibility"})


@router.get(
    "/proposals/{ref}/attachments/{id}",
    operation_id="read_attachment",
    summary="A file, for download",
    responses={
        **answers(None, None, 404, 422),
        200: {"description": "The file", "content": {"application/octet-stream": {}}},
    },
)
async def read_attachment(
    ref: Ref, id: Annotated[int, Path(ge=1, le=2**53)], request: Request, actor: Whoever
) -> Response:
    here = house(request)
    now = here.now()
    found = await here.database.write(lambda tx: attachments.to_read(tx, actor, ref, id, now))
    data = await here.files.get(found.sha256)
    if data is None or hashlib.sha256(data).hexdigest() != found.sha256:
        raise NotFound("attachment_lost", "The file is not in the store as it was put there; tell the administrator.")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
        "ETag": f'"{found.sha256}"',
        "X-Content-SHA256": found.sha256,
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(data, 200, headers, found.media_type)
