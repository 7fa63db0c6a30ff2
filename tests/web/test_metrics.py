"""The figures of delivery: for the operator's networks and nobody else, in the form that Prometheus reads."""

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.services.queue import Metric
from app.web.figures import Figures
from app.web.metrics import as_text
from tests.conftest import Service, copy_of, settings_for
from tests.notify.post import owe
from tests.notify.test_hostile import change

LINE = re.compile(r'[a-z_]+\{[a-z]+="[a-z]+"(,[a-z]+="[a-z]+")*\} [0-9]+')


def asked(url: str, folder: Path, peer: str, headers: dict[str, str], **env: str) -> httpx.Response:
    async def one() -> httpx.Response:
        app = create_app(settings_for(url, folder, env=env))
        transport = httpx.ASGITransport(app=app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://earmark.test") as client:
            answer = await client.get("/metrics", headers=headers)
        await app.state.house.database.close()
        return answer

    return asyncio.run(one())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_queue_is_shown_by_depth_state_and_age(kind: str, filled: dict[str, Any], tmp_path: Path) -> None:
    with copy_of(kind, filled, tmp_path) as url:
        owe(url, 3, datetime.now(UTC) - timedelta(seconds=1))
        change(url, "UPDATE message SET state = 'dead' WHERE id = (SELECT max(id) FROM message)")
        said = asked(url, tmp_path, "127.0.0.1", {}, EARMARK_TODAY="")
    assert said.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in said.text.splitlines() if line.startswith(("earmark_messages", "earmark_oldest"))]
    assert all(LINE.fullmatch(line) for line in lines), lines
    found = dict(line.rsplit(" ", 1) for line in lines)
    assert found['earmark_messages{channel="mail",state="waiting"}'] == "5"
    assert found['earmark_messages{channel="mail",state="dead"}'] == "1"
    assert found['earmark_messages{channel="webhook",state="waiting"}'] == "0"
    assert found['earmark_messages_late{channel="mail"}'] == "5"
    assert 1 <= int(found['earmark_oldest_late_seconds{channel="mail"}']) < 60


@pytest.mark.parametrize(
    ("peer", "headers", "env", "status"),
    [
        ("127.0.0.1", {}, {}, 200),
        ("10.1.2.3", {}, {}, 403),
        ("10.1.2.3", {}, {"EARMARK_METRICS_NETWORKS": "10.1.0.0/16"}, 200),
        ("127.0.0.1", {}, {"EARMARK_METRICS_NETWORKS": "10.1.0.0/16"}, 403),
        ("10.1.2.3", {"X-Forwarded-For": "127.0.0.1"}, {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.5"}, {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.5"}, {"EARMARK_TRUSTED_PROXIES": "127.0.0.1"}, 403),
        ("10.9.9.9", {"X-Forwarded-For": "127.0.0.1"}, {"EARMARK_TRUSTED_PROXIES": "10.9.9.9"}, 200),
    ],
)
def test_metrics_are_for_the_operators_networks(
    peer: str, headers: dict[str, str], env: dict[str, str], status: int, filled: dict[str, Any], tmp_path: Path
) -> None:
    with copy_of("sqlite", filled, tmp_path) as url:
        said = asked(url, tmp_path, peer, headers, **env)
    assert said.status_code == status
    assert status == 200 or said.json()["code"] == "not_from_here"


def test_requests_are_counted_by_route_method_and_status_and_by_how_long_they_took(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for ref in ("DK-IOM-2023-001", "DK-IOM-2023-001", "DK-IOM-2099-999"):
            await service.call("auditor", "GET", f"/proposals/{ref}")
        await service.client.request("BREW", "/<script>")
        said = service.house.figures.as_text()
        lines = dict(line.rsplit(" ", 1) for line in said.splitlines() if not line.startswith("#"))
        where = 'route="/api/v1/proposals/{ref}"'
        assert lines[f'earmark_http_requests_total{{method="GET",{where},status="2xx"}}'] == "2"
        assert lines[f'earmark_http_requests_total{{method="GET",{where},status="4xx"}}'] == "1"
        assert lines['earmark_http_requests_total{method="other",route="",status="4xx"}'] == "1"
        assert lines[f'earmark_http_request_seconds_bucket{{{where},le="+Inf"}}'] == "3"
        assert lines[f"earmark_http_request_seconds_count{{{where}}}"] == "3"
        assert 0 < float(lines[f"earmark_http_request_seconds_sum{{{where}}}"]) < 30
        assert (lines["earmark_http_requests_in_flight"], "script" in said) == ("0", False)
        assert int(lines["process_resident_memory_bytes"]) > 10**7
        assert abs(float(lines["process_start_time_seconds"]) - time.time()) < 600

    run(scenario)


def test_a_bound_belongs_to_its_bucket() -> None:
    figures = Figures()
    figures.note("GET", "/one", 200, 0.005)
    figures.note("GET", "/one", 200, 99)
    counts = re.findall(r'_bucket\{route="/one",le="(.*)"\} (.*)', figures.as_text())
    assert (counts[0], counts[-2:]) == (("0.005", "1"), [("10.0", "1"), ("+Inf", "2")])


def test_a_label_is_escaped() -> None:
    text = as_text([Metric("one", "a\nb", (({"name": 'a"b\\c\nd'}, 1),))])
    assert text == '# HELP one a\\nb\n# TYPE one gauge\none{name="a\\"b\\\\c\\nd"} 1\n'
