"""What is large: a consultation of 50 concluded, exports of 10,000 proposals, the outbox emptied."""

import time
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from app.records.tables import metadata, screening
from tests.benchmarks.rates import SUBMIT, Ask, Operation, Store, beside, environment, in_process, rows, whole
from tests.benchmarks.serving import free_port, running
from tests.serving import TODAY

PROPOSALS, EXPORTED, TIMES, EXPORTS_TIMES = 50, 10_000, 4, 2  # the first of each warms up
GRADES = {"grades": dict.fromkeys("abcdefgh", 3), "overall": "Sound."}
MEMO = {"move": "recommend", "recommendation": "approve", "reason": "It fits.", "memo": "Approve."}
EXPORTS = (
    Operation("workbook", "mfa_reviewer", "GET", lambda n, made: "/cycles/2026/workbook", reads=True),
    Operation("IATI", "mfa_reviewer", "GET", lambda n, made: "/iati/activities.xml", reads=True),
)
COPIED = ("proposal", "snapshot", "face", "facet", "ledger", "agreement", "signature", "payment", "report")


def concluding(store: Store, folder: Path) -> tuple[float, float]:
    """Consultations of 50 proposals concluded a second: the service, and the bare application doing the same rows."""
    made: dict[str, list[str]] = {"consultations": []}

    async def prepare(ask: Ask, app: Any) -> None:
        voted = {"amount": 10**10, "status": "voted", "reason": "A bench."}
        await ask("mfa_finance", "PUT", "/envelopes/2027", voted, {"If-Match": "*"})
        for _ in range(TIMES):
            made["consultations"].append(await _decided(ask, [await _recommended(ask) for _ in range(PROPOSALS)]))

    in_process(store.copy("base", "tabled"), folder, prepare)
    one = Operation(
        "conclude", "mfa_head", "POST", lambda n, made: f"{made['consultations'][n]}/conclude", {"reason": "A bench."}
    )
    found = beside(store, folder, one, made, base="tabled", rounds=TIMES, each=1)
    store.drop("tabled")
    return found


async def _recommended(ask: Ask) -> str:
    ref = str((await ask("iom_focal_point", "POST", "/proposals", whole())).json()["ref"])
    await ask("iom_focal_point", "POST", f"/proposals/{ref}/moves", SUBMIT)
    await ask("mfa_reviewer", "POST", f"/proposals/{ref}/moves", {"move": "start_review"})
    for role in ("mfa_reviewer", "mfa_reviewer_2"):
        await ask(role, "PUT", f"/proposals/{ref}/assessments/mine", GRADES)
        await ask(role, "POST", f"/proposals/{ref}/assessments/mine/complete")
    await ask("mfa_reviewer", "POST", f"/proposals/{ref}/moves", MEMO)
    return ref


async def _decided(ask: Ask, refs: list[str]) -> str:
    plan = {"cycle": 2027, "date": TODAY.isoformat(), "place": "Geneva", "participants": [], "reason": "A bench."}
    path = f"/consultations/{(await ask('mfa_reviewer', 'POST', '/consultations', plan)).json()['id']}"
    await ask("mfa_reviewer", "PUT", f"{path}/agenda", {"proposals": refs})
    await ask("mfa_head", "POST", f"{path}/open")
    for ref in refs:
        decision = {"decision": "approve", "amounts": {"2027": 10_000}, "conditions": []}
        await ask("mfa_head", "PUT", f"{path}/decisions/{ref}", decision)
    return path


def exporting(store: Store, folder: Path) -> dict[str, tuple[float, float]]:
    """Exports a second of a register with 10,000 proposals more: the service, and the bare application reading the same."""
    _multiply(store.copy("base", "many"), EXPORTED)
    found = {one.name: beside(store, folder, one, {}, base="many", rounds=EXPORTS_TIMES, each=1) for one in EXPORTS}
    store.drop("many")
    return found


def _multiply(url: str, number: int) -> None:
    """So many proposals more in the cycle of 2026: what the demo's have been through, with all that hangs on them."""
    engine = create_engine(url)
    with engine.begin() as tx:
        olds = tx.scalars(text("SELECT id FROM proposal WHERE snapshots > 0 ORDER BY id LIMIT 12")).all()
        first = int(tx.scalar(text("SELECT max(id) + 1 FROM proposal")) or 1)
        tx.execute(text("CREATE TABLE copied (id bigint PRIMARY KEY, old bigint, ref varchar(20))"))
        copies = [{"id": first + i, "old": olds[i % len(olds)], "ref": f"B-{first + i}"} for i in range(number)]
        tx.execute(text("INSERT INTO copied VALUES (:id, :old, :ref)"), copies)
        for name in COPIED:
            table = metadata.tables[name]
            own = {"id": "c.id", "ref": "c.ref", "number": "c.id"} if name == "proposal" else {"proposal_id": "c.id"}
            own |= {"cycle_year": "2026"}
            columns = [one.name for one in table.c if one.name != "id" or name == "proposal"]
            values = ", ".join(own.get(one, f"t.{one}") for one in columns)
            key = "id" if name == "proposal" else "proposal_id"
            source = f"SELECT {values} FROM copied c JOIN {name} t ON t.{key} = c.old"
            tx.execute(text(f"INSERT INTO {name} ({', '.join(columns)}) {source}"))
        columns = [one.name for one in screening.c if one.name not in ("id", "snapshot_id")]
        theirs = "snapshot n ON n.proposal_id = c.id JOIN snapshot o ON o.proposal_id = c.old AND o.number = n.number"
        kept = ", ".join(f"t.{name}" for name in columns)
        source = f"SELECT n.id, {kept} FROM copied c JOIN {theirs} JOIN screening t ON t.snapshot_id = o.id"
        tx.execute(text(f"INSERT INTO screening (snapshot_id, {', '.join(columns)}) {source}"))
        tx.execute(text("DROP TABLE copied"))
    engine.dispose()


def emptying(store: Store, folder: Path) -> float:
    """Messages a second that one worker takes from the outbox and writes as mails, until none is due."""
    url = store.copy("base", "owed")
    env = environment(url, folder) | {"EARMARK_PORT": str(free_port())}
    number, start = rows(url, "message", "state = 'waiting'"), time.perf_counter()
    with running(["app", "deliver"], None, env):
        while left := rows(url, "message", f"state = 'waiting' AND next_at <= '{TODAY.isoformat()} 23:59:59'"):
            time.sleep(0.2)
            assert time.perf_counter() - start < 300, f"{left} are left"
    took = time.perf_counter() - start
    sent = number - rows(url, "message", "state = 'waiting'")
    store.drop("owed")
    return sent / took
