"""Is the process alive, and can it do its work."""

from fastapi import APIRouter, Request, Response

from app.encoding import encode
from app.services import readiness
from app.web.api import shapes
from app.web.requests import house

router = APIRouter(tags=["health"])
_READY = {
    "status": "ready",
    "checks": {"database": "ok", "migrations": "ok", "rulebook": "2023.1", "queue": "ok", "files": "ok"},
}


@router.get(
    "/health/live",
    operation_id="live",
    summary="The process answers",
    responses={200: {"description": "Alive", "x-shape": "Health", "x-example": {"status": "live"}}},
)
async def live() -> Response:
    return Response(encode({"status": "live"}), media_type="application/json")


@router.get(
    "/health/ready",
    operation_id="ready",
    summary="Database, migrations and rulebook are there; how queue and files stand, which makes no instance unready",
    responses={
        200: {"description": "Ready", "x-shape": "Health", "x-example": _READY},
        503: {
            "description": "Not ready; `checks` says what is wrong. `draining`: about to stop, and still answering",
            "x-shape": shapes.Health.__name__,
        },
    },
)
async def ready(request: Request) -> Response:
    here = house(request)
    if here.ending.is_set():
        return Response(encode({"status": "draining"}), 503, media_type="application/json")
    fit, checks = await readiness.checks(here.database, here.library, here.files, here.now().at)
    body = encode({"status": "ready" if fit else "not ready", "checks": checks})
    return Response(body, 200 if fit else 503, media_type="application/json")
