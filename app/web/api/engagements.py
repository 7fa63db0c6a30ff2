"""Danish engagements for everybody, and for the Danish side what a proposal is similar to."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.services import engagements, similar
from app.web.answers import ok, response
from app.web.api import shapes
from app.web.api.docs import answers
from app.web.api.proposals import Ref
from app.web.requests import caller, check_query, house
from app.web.sheets import paged

router = APIRouter(prefix="/api/v1", tags=["engagements"])


class ReportingOrgOut(shapes.Out):
    ref: str
    name: str


class EngagementOut(shapes.Out):
    """Of the register, or imported: then with reporting organisation, status, file (`source`), its SHA-256 and time.

    `sectors` are the register's words, or vocabulary:code as IATI has them.
    """

    iati_identifier: str | None
    title: str
    countries: list[str]
    start: date | None
    end: date | None
    sectors: list[str]
    summary: str
    source: str
    reporting_org: ReportingOrgOut | None
    status: str | None
    imported_at: datetime | None
    sha256: str | None


class EngagementPage(shapes.Out):
    items: list[EngagementOut]
    next_cursor: int | None


class SimilarProposal(shapes.Out):
    ref: str
    title: str
    state: str
    cycle: int
    countries_shared: list[str]
    types_shared: list[str]
    period_overlap_months: int
    overlapping_projects_named: bool


class SimilarEngagement(shapes.Out):
    """`referred_to`: a synergy of the proposal has its identifier. Months are null where its dates are not known."""

    iati_identifier: str | None
    title: str
    countries_shared: list[str]
    period_overlap_months: int | None
    referred_to: bool


class SynergyOut(shapes.Out):
    """`named` is IOM's own word for it, `engagement` the entry that its identifier is of."""

    named: str
    iati_identifier: str
    countries: list[str]
    embassy_consulted: bool
    joint_action: str
    engagement: SimilarEngagement | None


class SimilarProposals(shapes.Out):
    activities: list[SimilarProposal]


class SimilarEngagements(shapes.Out):
    engagements: list[SimilarEngagement]
    synergies: list[SynergyOut]


class SimilarOut(shapes.Out):
    """What is shared, most first, at most fifty of each; no verdict."""

    ref: str
    criterion_e: SimilarProposals
    criterion_g: SimilarEngagements


_ENGAGEMENT = {
    "iati_identifier": None,
    "title": "Danish development programme for Niger",
    "countries": ["NE"],
    "start": "2023-01-01",
    "end": "2027-12-31",
    "sectors": ["country programme"],
    "summary": "Announced in May 2023.",
    "source": "A newspaper.",
    "reporting_org": None,
    "status": None,
    "imported_at": None,
    "sha256": None,
}
_NOTHING: dict[str, Any] = {"criterion_e": {"activities": []}, "criterion_g": {"engagements": [], "synergies": []}}


@router.get(
    "/engagements",
    operation_id="list_engagements",
    summary="Danish engagements: the register, then activities imported from IATI files",
    responses=answers(EngagementPage, {"items": [_ENGAGEMENT], "next_cursor": None}, 422),
)
async def list_engagements(
    request: Request,
    actor: Annotated[Actor, Depends(caller)],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int, Query(ge=0, le=2**53)] = 0,
    country: Annotated[str | None, Query(pattern="^[A-Z]{2}$")] = None,
) -> Response:
    """`country` is a code of two capitals; `cursor` is the `next_cursor` of the page before."""
    check_query(request, {"limit", "cursor", "country"})
    here = house(request)
    register = here.library.engagements

    def page(tx: Tx, most: int) -> tuple[list[dict[str, Any]], int | None]:
        return engagements.listed(tx, register, country, most, cursor)

    return await paged(request, EngagementOut, page, limit)


@router.get(
    "/proposals/{ref}/similar",
    operation_id="read_similar",
    summary="Other proposals and Danish engagements in the same countries",
    responses=answers(SimilarOut, {"ref": "DK-IOM-2027-003", **_NOTHING}, 404),
)
async def read_similar(ref: Ref, request: Request) -> Response:
    """For criteria e and g: facts and overlap, of the snapshot under review. The screening does not look here."""
    actor, here = await caller(request), house(request)
    register = here.library.engagements
    return response(ok(await here.database.read_long(lambda tx: similar.of_proposal(tx, actor, ref, register))))
