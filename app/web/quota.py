"""How many requests a minute one person may send, over all instances: allowances come from the database, ever larger ones."""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial

from app.db import Database
from app.errors import TooManyRequests
from app.logs import logger
from app.services import quotas

log = logger("requests")


def too_many(most: int) -> TooManyRequests:
    """The refusal, with the time until the next minute."""
    wait = quotas.MINUTE - int(time.time()) % quotas.MINUTE
    said = f"More than {most} requests this minute; go on in {wait} seconds."
    return TooManyRequests("too_many_requests", said, headers={"Retry-After": str(wait)})


@dataclass(slots=True)
class _Allowance:
    """What this instance may still let through; `spent` when there is no more to be had this minute."""

    left: int = 0
    taken: int = 0  # times
    spent: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Quota:
    """The allowances of this minute, by whoever they are of: people and feeds that have shown who they are."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.minute, self.allowances = 0, dict[str, _Allowance]()

    async def use(self, who: str, most: int) -> None:
        """Use one request up, or TooManyRequests when all instances together have let `most` through this minute."""
        minute = int(time.time()) // quotas.MINUTE
        if minute != self.minute:
            self.minute, self.allowances = minute, {}
        own = self.allowances.setdefault(who, _Allowance())
        if not own.left and not own.spent:
            async with own.turn:
                if not own.left and not own.spent:
                    own.left = await self._take(who, most, minute, own.taken)
                    own.taken, own.spent = own.taken + 1, not own.left
        if not own.left:
            raise too_many(most)
        own.left -= 1

    async def _take(self, who: str, most: int, minute: int, before: int) -> int:
        """As `quotas.take`. Where nothing can be written reading goes on, and this instance counts for itself."""
        try:
            return await self.database.write(partial(quotas.take, who=who, most=most, minute=minute, before=before))
        except Exception:
            log.exception("quota not counted")
            return most
