"""One process of spenders: threads that take amounts out of an envelope as the service does, then naively. Run by a test.

Arguments: database address, seed, threads, attempts a thread as the service does and naively. Prints for each how many were taken
and the milliseconds that every attempt took.
"""

import asyncio
import json
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import select, text

from app.db import Database, open_database
from app.domain.envelope import Kind
from app.errors import Conflict
from app.records import proposals
from app.records.tables import proposal
from app.services import clock, envelopes

YEAR, AMOUNT = 2027, 1000


def approve_one(database: Database, number: int, amount: int) -> bool:
    """One approval as a conclusion makes it: the state, the envelope, the ledger, in one transaction."""
    try:
        with database.transaction() as tx:
            row = tx.execute(select(proposal).where(proposal.c.id == number)).one()
            if row.state != "recommended":
                return False
            if not proposals.change_proposal(tx, number, row.state, row.lock, {"state": "approved"}):
                return False
            envelopes.commit(tx, {YEAR: amount})
            envelopes.enter(tx, Kind.APPROVED, number, 1, {YEAR: amount}, None, clock.now())
            tx.execute(
                text("UPDATE proposal SET state = 'recommended' WHERE id = :id AND number % 2 = 0"), {"id": number}
            )
    except Conflict:
        return False
    return True


def approve_naively(database: Database, number: int, amount: int) -> bool:
    """Read, check, write: the control that must overspend."""
    with database.reading() as tx:
        left = tx.execute(text("SELECT amount - committed FROM naive")).scalar_one()
    if left < amount:
        return False
    time.sleep(0.005)  # what a service does between the two; in memory the statements alone hardly ever meet
    with database.transaction() as tx:
        tx.execute(text("UPDATE naive SET committed = committed + :amount"), {"amount": amount})
    return True


def main(url: str, seed: str, threads: str, *attempts: str) -> None:
    database = open_database(url, lasting=True)
    with database.reading() as tx:
        numbers = list(tx.scalars(select(proposal.c.id).where(proposal.c.cycle_year == YEAR)))
    together = threading.Barrier(int(threads))
    with ThreadPoolExecutor(int(threads)) as pool:
        for once, times in zip((approve_one, approve_naively), attempts, strict=True):

            def spend(thread: int, once: Any = once, times: int = int(times)) -> list[tuple[bool, float]]:
                chance = random.Random(f"{seed} {thread}")
                together.wait()
                done = []
                for _ in range(times):
                    began = time.perf_counter()
                    taken = once(database, chance.choice(numbers), chance.randint(1, AMOUNT))
                    done.append((taken, round(1000 * (time.perf_counter() - began), 1)))
                return done

            both = [one for many in pool.map(spend, range(int(threads))) for one in many]
            print(json.dumps({"taken": sum(taken for taken, _ in both), "ms": [ms for _, ms in both]}))
    asyncio.run(database.close())


if __name__ == "__main__":
    main(*sys.argv[1:])
