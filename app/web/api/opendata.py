"""Open data for everybody, without a token."""

from fastapi import APIRouter, Request, Response

from app.services import opendata
from app.web.requests import house

router = APIRouter(prefix="/api/v1", tags=["open data"])


@router.get(
    "/iati/activities.xml",
    operation_id="read_iati",
    summary="What is agreed, as IATI 2.03",
    response_class=Response,
    responses={200: {"description": "Done", "content": {"application/xml": {"schema": {"type": "string"}}}}},
)
async def read_iati(request: Request) -> Response:
    """One activity for the framework and one for every proposal whose agreement is signed."""
    here = house(request)
    library, now = here.library, here.now()
    address = here.settings.public_url
    made = await here.database.read_long(lambda tx: opendata.activities(tx, library, address, now))
    return Response(made, media_type="application/xml")
