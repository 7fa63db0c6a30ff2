"""Figures for a monitoring system, in the text format of Prometheus. Answered to the operator's networks only."""

from collections.abc import Iterable
from functools import partial
from ipaddress import ip_address

from fastapi import APIRouter, Request, Response

from app.errors import Forbidden
from app.services import queue
from app.services.queue import Metric
from app.web.requests import house

router = APIRouter(include_in_schema=False)
FORMAT = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    here = house(request)
    if not _may_read(request):
        said = (
            "Metrics are for this machine, or as EARMARK_METRICS_NETWORKS says; you are elsewhere, or behind a proxy."
        )
        raise Forbidden("not_from_here", said)
    found = await here.database.read_long(partial(queue.metrics, now=here.now().at))
    return Response(as_text(found) + here.figures.as_text(), media_type=FORMAT)


def _may_read(request: Request) -> bool:
    """Whether the request is from a network that may. Forwarded by a proxy that is not trusted, it is from nowhere."""
    settings = house(request).settings
    try:
        address = ip_address(request.scope["state"]["address"])
        sender = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    forwarded = any(name in request.headers for name in _FORWARDED)
    if forwarded and not any(sender in network for network in settings.trusted_proxies):
        return False
    return any(address in network for network in settings.metrics_networks)


def as_text(found: Iterable[Metric]) -> str:
    """The figures as Prometheus reads them, version 0.0.4."""
    lines = []
    for one in found:
        lines += [f"# HELP {one.name} {_escaped(one.about)}", f"# TYPE {one.name} gauge"]
        for labels, value in one.values:
            named = ",".join(f'{name}="{_quoted(said)}"' for name, said in labels.items())
            lines.append(f"{one.name}{{{named}}} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')
