"""Lists, answered in one place: as JSON, or where the reader accepts CSV, as a sheet of the same items of the same caller.

A sheet of a list that comes in pages holds the whole filtered list, read in one transaction, unless a page is asked for.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

import orjson
from fastapi import Request, Response
from pydantic import BaseModel

from app.db import Tx
from app.documents.csv_text import MEDIA_TYPE, csv_bytes
from app.encoding import encode
from app.errors import Invalid
from app.web.answers import ok, response
from app.web.requests import house, wants_csv

MOST = 10_000
_VARY = {"Vary": "Accept"}
Shape = type[BaseModel]


async def listed(
    request: Request, shape: Shape, read: Callable[[Tx], list[Any]], name: str | None = None, long: bool = False
) -> Response:
    """A list that comes in one piece; `shape` is that of an item, `name` that of the sheet; `long` takes over 10 ms."""
    if wants_csv(request):
        return await sheet(request, shape, await house(request).database.read_long(read), name)
    database = house(request).database
    return _json({"items": await (database.read_long if long else database.read)(read), "next_cursor": None})


async def paged(
    request: Request, shape: Shape, page: Callable[[Tx, int], tuple[list[Any], Any]], limit: int
) -> Response:
    """A page of at most `limit` items with the next cursor, or a sheet of the whole list; Invalid when it is too long."""
    database = house(request).database
    if not wants_csv(request):
        items, following = await database.read(lambda tx: page(tx, limit))
        return _json({"items": items, "next_cursor": following})
    if not {"limit", "cursor"} & request.query_params.keys():
        return await whole(request, shape, page)
    items, _ = await database.read_long(lambda tx: page(tx, limit))
    return await sheet(request, shape, items)


async def whole(
    request: Request, shape: Shape, page: Callable[[Tx, int], tuple[list[Any], Any]], name: str | None = None
) -> Response:
    """A list that comes in pages as one sheet, whatever the reader accepts; Invalid when it is too long."""
    items, following = await house(request).database.read_long(lambda tx: page(tx, MOST))
    if following is not None:
        raise Invalid(
            "too_many_rows", f"A sheet holds {MOST:,} rows and this list has more; filter it, or page through."
        )
    return await sheet(request, shape, items, name)


async def enclosed(request: Request, shape: Shape, read: Callable[[Tx], Mapping[str, Any]]) -> Response:
    """An answer that says more than its `items`; the sheet holds the items."""
    if wants_csv(request):
        said = await house(request).database.read_long(read)
        return await sheet(request, shape, said["items"])
    return _json(await house(request).database.read(read))


def _json(said: Mapping[str, Any]) -> Response:
    return response(ok(said, headers=dict(_VARY)))


async def sheet(request: Request, shape: Shape, items: Sequence[Any], name: str | None = None) -> Response:
    """The items as CSV to be saved, by address and day unless it is named; its columns follow from their shape alone."""
    made = await asyncio.to_thread(_sheet_bytes, shape, items)
    place = re.sub("[^A-Za-z0-9.-]+", "-", request.url.path.removeprefix("/api/v1/"))
    named = f'attachment; filename="{name or f"{place}-{house(request).now().today}"}.csv"'
    return Response(made, 200, {**_VARY, "Content-Disposition": named}, MEDIA_TYPE)


def _sheet_bytes(shape: Shape, items: Sequence[Any]) -> bytes:
    columns = columns_of(shape)
    values = orjson.loads(encode(items))
    return csv_bytes([".".join(path) for path in columns], [[_at(one, path) for path in columns] for one in values])


def columns_of(shape: Shape, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every column: the shape's fields in their order, those of a shape within it as `screening.outcome`."""
    found = []
    for name, field in shape.model_fields.items():
        path = (*above, field.alias or name)
        within = _shape_in(field.annotation)
        found += columns_of(within, path) if within else [path]
    return found


def _shape_in(annotation: Any) -> Shape | None:
    """The shape that a field has or may have, `By` or `By | None`; lists of shapes are not parted."""
    offered = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return next((one for one in offered if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _at(item: Any, path: Sequence[str]) -> Any:
    for name in path:
        item = item.get(name) if item is not None else None
    return item
