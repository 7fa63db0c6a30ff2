"""Spans, as a collector takes them: one a request, in the caller's trace, with nobody's name in it; and none unless asked for."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.settings import ROOT
from tests.conftest import copy_of
from tests.serving import started

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A receiver of OTLP over HTTP on loopback, and what it took."""
    taken: list[bytes] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append(raw if self.path == "/v1/traces" else b"")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *said: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", taken
        finally:
            server.shutdown()
            thread.join()


def spans(taken: list[bytes]) -> dict[str, Any]:
    """The spans by name, each with its attributes as a dict."""
    found = {}
    for raw in taken:
        for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
            service = {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"]
            for span in resource.scope_spans[0].spans:
                said = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
                found[span.name] = (service, span, said)
    return found


def test_a_request_is_one_span_in_its_callers_trace_and_names_nobody(filled: dict[str, Any], tmp_path: Path) -> None:
    token = filled["sqlite"]["auditor"]["token"]
    with copy_of("sqlite", filled, tmp_path) as url, collector() as (endpoint, taken):
        more = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
        with started(url, tmp_path, demo="0", **more) as (address, process):
            headers = {"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-{PARENT}-01"}
            path = f"{address}/api/v1/proposals/DK-IOM-2023-001?secret=Fatima"
            assert httpx.get(path.partition("?")[0], headers=headers).status_code == 200
            assert httpx.get(f"{address}/api/v1/proposals?q=Fatima", headers=headers).status_code == 200
            assert httpx.request("PROPFIND", path).status_code == 405
            process.terminate()
            process.wait(10)
    found = spans(taken)
    service, span, said = found["GET /api/v1/proposals/{ref}"]
    assert service == "earmark"
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.kind) == (TRACE, PARENT, 2)
    route = {"http.route": "/api/v1/proposals/{ref}", "http.request.method": "GET"}
    assert said == {**route, "http.response.status_code": 200}
    assert any(name.startswith("_OTHER") for name in found)
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 10**10
    whole = b"".join(taken)
    assert not [one for one in ("Fatima", "DK-IOM-2023-001", "127.0.0.1", token) if one.encode() in whole]


def test_nothing_of_it_is_imported_where_it_is_not_wanted() -> None:
    code = "import sys, app.cli; print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
