"""The web application, put together: database, rulebooks, doors, routers, and what it does every hour."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.staticfiles import StaticFiles

from app.db import open_database
from app.services import casework, clock
from app.services.rulebooks import open_library
from app.settings import RULES, Settings
from app.web import docs_page, health
from app.web.access import DOORS, Door
from app.web.answers import install_handlers
from app.web.api import proposals, rules, screenings
from app.web.api.docs import install_openapi
from app.web.requests import House

log = logging.getLogger(__name__)
HOUR = 3600.0
ABOUT = "Where Denmark's Ministry of Foreign Affairs and IOM settle which softly earmarked proposals are funded."


def create_app(settings: Settings) -> FastAPI:
    """The application over the database and framework that the settings name."""
    app = FastAPI(
        title="Earmark",
        version="1",
        description=ABOUT,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    for room in (screenings, rules, proposals, health, docs_page):
        app.router.routes.extend(room.router.routes)  # flat: include_router matches every route twice
    app.mount("/docs/assets", StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))
    install_handlers(app)
    install_openapi(app)
    database = open_database(settings.database_url)
    library = open_library(RULES, settings.framework)
    app.state.house = House(settings, database, library, _doors(app), set())
    return app


def _doors(app: FastAPI) -> dict[object, Door]:
    """Endpoint -> its line in the access table; a route without one stops the start."""
    doors: dict[object, Door] = {}
    for route in iter_route_contexts(app.routes):
        for method in sorted(route.methods or ()):
            name = f"{method} {route.path}"
            if method == "HEAD" or route.endpoint is None:
                continue
            if name not in DOORS:
                raise RuntimeError(f"the route {name} is not in the access table")
            doors[route.endpoint] = DOORS[name]
    return doors


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    hourly = asyncio.create_task(_every_hour(app))
    gc.freeze()  # rulebooks, models and routes stay for good; collections need not walk them for every request
    yield
    hourly.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await hourly
    await app.state.house.database.close()


async def _every_hour(app: FastAPI) -> None:
    """Lapse what is overdue, now and every hour; a failure is logged and tried again."""
    here: House = app.state.house
    while True:
        try:
            now = clock.now(here.settings.today)
            lapsed = await here.database.write(partial(casework.lapse_overdue, now=now))
            if lapsed:
                log.info("%d proposals lapsed", lapsed)
        except Exception:
            log.exception("lapsing overdue proposals failed")
        await asyncio.sleep(HOUR)
