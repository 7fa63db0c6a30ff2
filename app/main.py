"""The web application, put together: database, rulebooks, doors, routers, and what it does every hour."""

import asyncio
import contextlib
import gc
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import fastapi_offline
import fontpkg_ibm_plex_sans
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.staticfiles import StaticFiles

from app.db import open_database
from app.delivering import GRACE, Worker
from app.domain.people import Role
from app.files import Files
from app.logs import logger
from app.services import access, casework, clock, upkeep
from app.services.provider import Provider
from app.services.rulebooks import open_library
from app.services.uploads import LARGEST
from app.settings import RULES, Settings, SettingsError
from app.web import docs_page, health, metrics
from app.web.access import DOORS, Door
from app.web.answers import install_handlers
from app.web.api import (
    agreements,
    amendments,
    audit,
    casefile,
    consultations,
    engagements,
    evaluations,
    extracts,
    finance,
    meetings,
    money,
    notifications,
    offices,
    opendata,
    papers,
    payments,
    people,
    portfolio,
    preferences,
    proposals,
    remarks,
    reports,
    review,
    rules,
    screenings,
    webhooks,
    workbooks,
    yearly,
)
from app.web.api.docs import install_openapi
from app.web.pages import (
    account,
    board,
    concluding,
    content,
    dashboard,
    drafts,
    failures,
    hooks,
    login,
    notices,
    queue,
    rendering,
    rulebook,
    trail,
    unsubscribe,
    windows,
    workspace,
)
from app.web.pages import amendments as amendment_pages
from app.web.pages import consultations as consultation_pages
from app.web.pages import envelopes as envelope_pages
from app.web.pages import extract as extract_pages
from app.web.pages import meetings as meeting_pages
from app.web.pages import money as money_pages
from app.web.pages import papers as papers_page
from app.web.pages import payments as payment_pages
from app.web.pages import people as people_pages
from app.web.pages import reports as report_pages
from app.web.requests import House
from app.web.shield import Shield

log = logger("service")
HOUR = 3600.0
ROOMS = (
    *(screenings, rules, proposals, review, remarks, money, consultations, papers, portfolio, meetings, evaluations),
    *(agreements, amendments, finance, payments, reports),  # finance first: /payments/export is no number
    *(extracts, yearly, workbooks, opendata, casefile, engagements),
    *(notifications, webhooks, preferences, unsubscribe, people, offices, audit, health, metrics),
    *(login, queue, workspace, content, papers_page, drafts, dashboard, docs_page),
    *(notices, hooks, trail, rulebook, people_pages, windows, account),
    *(consultation_pages, board, concluding, meeting_pages),
    *(money_pages, amendment_pages, report_pages, extract_pages, payment_pages, envelope_pages),
)
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
        max_body_size=LARGEST + 100_000,
        lifespan=_lifespan,
    )
    for room in ROOMS:
        app.router.routes.extend(room.router.routes)  # flat: include_router matches every route twice
    app.mount("/docs/assets", StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))
    install_handlers(app, failures.answer)
    install_openapi(app)
    database = open_database(settings.database_url, lasting=True)
    library = open_library(RULES, settings.framework)
    app.mount("/static/font", StaticFiles(directory=Path(fontpkg_ibm_plex_sans.__file__).parent / "files"))
    app.mount("/static", StaticFiles(directory=rendering.HERE / "static"))
    unknown = set(settings.oidc.roles.values()) - set(Role) if settings.oidc else set()
    if unknown:
        raise SettingsError(f"EARMARK_OIDC_ROLES names roles there are not: {', '.join(sorted(unknown))}.")
    provider = Provider(settings.oidc, f"{settings.public_url}/login/callback") if settings.oidc else None
    app.state.house = House(settings, database, library, _doors(app), Files(settings.files), provider)
    here = app.state.house
    app.add_middleware(Shield, settings=settings, say=failures.answer, ending=here.ending, figures=here.figures)
    app.state.stop_tracing = _trace(app, settings.telemetry) if settings.telemetry else None
    return app


def _trace(app: FastAPI, endpoint: str) -> Callable[[], None]:
    """Make a span of every request from now on; what is returned sends the last ones."""
    from app.web.tracing import Tracing, provider_to  # noqa: PLC0415  # nothing of it is imported where it is not wanted

    provider = provider_to(endpoint)
    app.add_middleware(Tracing, provider=provider)
    stop: Callable[[], None] = provider.shutdown
    return stop


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
    worker = Worker(app.state.house.settings, app.state.house.database, app.state.house.library)
    thread = threading.Thread(target=worker.run, name="delivery", daemon=True)
    if app.state.house.settings.deliver:
        thread.start()
    chores = [asyncio.create_task(_every_hour(app)), asyncio.create_task(_every_minute(app))]
    gc.freeze()  # rulebooks, models and routes stay for good; collections need not walk them for every request
    yield
    for chore in chores:
        chore.cancel()
    await asyncio.gather(*chores, return_exceptions=True)
    worker.stop()
    if thread.is_alive():
        await asyncio.to_thread(thread.join, 2 * GRACE)
    await _note_token_uses(app.state.house)
    await app.state.house.database.close()
    if app.state.stop_tracing:
        await asyncio.to_thread(app.state.stop_tracing)


async def _every_hour(app: FastAPI) -> None:
    """Lapse what is overdue, now and every hour; a failure is logged and tried again."""
    here: House = app.state.house
    while True:
        try:
            now = clock.now(here.settings.today)
            lapsed = await here.database.write(partial(casework.lapse_overdue, now=now))
            if lapsed:
                log.info("lapsed", proposals=lapsed)
            tidied = await here.database.write(partial(upkeep.tidy, keep_days=here.settings.keep_days, now=now))
            log.info("tidied", **tidied)
            await _tell_head(here, now)
        except Exception:
            log.exception("hourly chores failed")
        await asyncio.sleep(HOUR)


async def _tell_head(here: House, now: clock.Now) -> None:
    """Once a day the log of acts is anchored in the logs: whoever cuts or rewrites it contradicts them."""
    if here.head_told != now.today:
        head = await here.database.read(upkeep.head)
        log.info("audit_head", seq=head.seq if head else None, hash=head.hash if head else None)
        here.head_told = now.today


async def _every_minute(app: FastAPI) -> None:
    while True:
        await asyncio.sleep(60)
        try:
            await _note_token_uses(app.state.house)
        except Exception:
            log.exception("noting token uses failed")


async def _note_token_uses(here: House) -> None:
    """Write down when tokens were last used, all of a minute in one transaction."""
    uses, here.token_uses = here.token_uses, {}
    if uses:
        await here.database.write(lambda tx: access.note_uses(tx, uses))
