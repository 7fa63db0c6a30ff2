"""The API's documentation page: Swagger UI from a wheel's assets, started by our own script under a strict CSP."""

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Earmark API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<noscript>The API is described at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</noscript>
<script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
"""
_START = 'SwaggerUIBundle({url: "/api/v1/openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)


@router.get("/docs")
async def page() -> Response:
    return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _CSP})


@router.get("/docs/start.js")
async def start() -> Response:
    return Response(_START, media_type="text/javascript")
