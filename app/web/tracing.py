"""One span for each request, sent by OTLP over HTTP; imported only where OTEL_EXPORTER_OTLP_ENDPOINT is set.

A span says method, route template and status, and goes on with the trace of a `traceparent` header: nobody's name, address,
query or content is in it. The SDK reads its other variables (`OTEL_...`) itself.
"""

import os
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.web.figures import METHODS

_PROPAGATOR = TraceContextTextMapPropagator()


def provider_to(endpoint: str) -> TracerProvider:
    """Where spans are made and, in a thread, sent from; `shutdown` sends the last ones."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "earmark")})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
    return provider


class Tracing:
    """Around everything, plain ASGI."""

    def __init__(self, app: Any, provider: TracerProvider) -> None:
        self.app, self.tracer = app, provider.get_tracer("earmark")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        said = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"}
        span = self.tracer.start_span(method, _PROPAGATOR.extract(said), SpanKind.SERVER)
        status = 500

        async def answer(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, answer)
        finally:
            if route := getattr(scope.get("route"), "path", None):
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
            span.set_attributes({"http.request.method": method, "http.response.status_code": status})
            if status >= 500:
                span.set_status(StatusCode.ERROR)
            span.end()
