"""How many requests a minute one person may send, over all instances: each counts for itself and tells the others now and then."""

import time
from dataclasses import dataclass
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
class _Count:
    """Requests of this minute: those the others do not know of yet, and all that were told when we last looked."""

    untold: int = 0
    told: int = 0


class Quota:
    """The counts of this minute, by whoever they are of: people and feeds that have shown who they are."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.minute, self.counts = 0, dict[str, _Count]()

    async def use(self, who: str, most: int) -> None:
        """Use one request up, or TooManyRequests when `most` have been let through this minute.

        With n instances it can be n parts of the quota more; nobody is refused because of what others might still use.
        """
        minute = int(time.time()) // quotas.MINUTE
        if minute != self.minute:
            self.minute, self.counts = minute, {}
        own = self.counts.setdefault(who, _Count())
        if own.told + own.untold >= most:
            raise too_many(most)
        own.untold += 1
        if own.untold >= max(1, most // quotas.PARTS):
            await self._tell(own, who, minute)
            if own.told > most:
                raise too_many(most)

    async def _tell(self, own: _Count, who: str, minute: int) -> None:
        """Add ours to the count of all. Where nothing can be written reading goes on, and this instance counts for itself."""
        ours, own.untold = own.untold, 0
        own.told += ours
        try:
            all_told = await self.database.write(partial(quotas.add, who=who, number=ours, minute=minute))
            own.told = max(own.told, all_told)
        except Exception:
            log.exception("quota not counted")
