"""A rate held: submissions sent at fixed times whatever comes back, how long each waits for its answer, and what is there after."""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.rates import Store, environment, rows, whole
from tests.benchmarks.serving import free_port, request, running

LINES = 32


@dataclass(frozen=True, slots=True)
class Held:
    """What came of a rate: answered a second, milliseconds from the moment each was due, how many answered ones are missing."""

    rate: float
    p50: float
    p99: float
    lost: int
    refused: int


def held(store: Store, folder: Path, rate: int, seconds: int) -> Held:
    """Send `rate` whole proposals a second to one instance over a copy of `base`."""
    url, port = store.copy("base", "held"), free_port()
    token = json.loads((folder / "demo.json").read_text())["iom_focal_point"]["token"]
    sent = request("POST", "/api/v1/proposals", json.dumps(whole()).encode(), token)
    before = rows(url, "proposal")
    with running(["app", "serve"], port, environment(url, folder) | {"EARMARK_PORT": str(port)}):
        waited, refused, took = asyncio.run(_send(port, sent, rate, rate * seconds))
    lost = before + len(waited) - rows(url, "proposal")
    store.drop("held")
    cut = statistics.quantiles(waited, n=100)
    return Held(len(waited) / took, 1000 * cut[49], 1000 * cut[98], lost, refused)


async def _send(port: int, sent: bytes, rate: int, number: int) -> tuple[list[float], int, float]:
    """Seconds that each waited, how many were refused, how long it took in all."""
    due: asyncio.Queue[float | None] = asyncio.Queue()
    waited: list[float] = []
    refused = 0

    async def line() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (at := await due.get()) is not None:
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            if head.startswith(b"HTTP/1.1 201"):
                waited.append(time.perf_counter() - at)
            else:
                refused += 1
        writer.close()

    lines = [asyncio.create_task(line()) for _ in range(LINES)]
    start = time.perf_counter()
    for one in range(number):
        at = start + one / rate
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        due.put_nowait(at)
    for _ in lines:
        due.put_nowait(None)
    await asyncio.gather(*lines)
    return waited, refused, time.perf_counter() - start
