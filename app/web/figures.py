"""What this process has answered since it started, in Prometheus' text format: requests, how long they took, its memory.

Counted for every request, so nothing is done then but adding; a monitoring system adds up the processes.
"""

import os
import time
from bisect import bisect_left
from pathlib import Path

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
_STATM = Path("/proc/self/statm")


class Figures:
    """The figures of one process. `route` is a template, empty where there is none: never what somebody wrote."""

    def __init__(self) -> None:
        self.began = time.time()
        self.in_flight = 0
        self.requests: dict[tuple[str, str, int], int] = {}
        self.took: dict[str, list[float]] = {}  # by route: how many up to each bound and beyond, and their sum

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request that has been answered."""
        key = (method if method in METHODS else "other", route, status // 100)
        self.requests[key] = self.requests.get(key, 0) + 1
        row = self.took.get(route)
        if row is None:
            row = self.took[route] = [0] * (len(BOUNDS) + 1) + [0.0]
        row[bisect_left(BOUNDS, seconds)] += 1
        row[-1] += seconds

    def as_text(self) -> str:
        """All of it as Prometheus reads it, version 0.0.4."""
        lines = [*_head("earmark_http_requests_total", "counter", "Requests answered by this process.")]
        for (method, route, status), number in self.requests.items():
            labels = f'method="{method}",route="{route}",status="{status}xx"'
            lines.append(f"earmark_http_requests_total{{{labels}}} {number}")
        lines += _head("earmark_http_request_seconds", "histogram", "How long they took, to the last byte.")
        for route, (*numbers, total) in self.took.items():
            lines += _histogram(route, numbers, total)
        lines += _alone("earmark_http_requests_in_flight", "Requests this process is at work on.", self.in_flight)
        lines += _alone("process_start_time_seconds", "When this process started, in Unix time.", round(self.began, 2))
        if _STATM.exists():
            memory = int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            lines += _alone("process_resident_memory_bytes", "The memory this process holds.", memory)
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]


def _alone(name: str, about: str, value: float) -> list[str]:
    return [*_head(name, "gauge", about), f"{name} {value}"]


def _histogram(route: str, numbers: list[float], total: float) -> list[str]:
    name, so_far, lines = "earmark_http_request_seconds", 0.0, []
    for bound, number in zip((*map(str, BOUNDS), "+Inf"), numbers, strict=True):
        so_far += number
        lines.append(f'{name}_bucket{{route="{route}",le="{bound}"}} {so_far:.0f}')
    return [*lines, f'{name}_sum{{route="{route}"}} {total:.6f}', f'{name}_count{{route="{route}"}} {so_far:.0f}']
