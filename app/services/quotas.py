"""Quotas over all instances: allowances are taken from a shared count in blocks, so that most requests write nothing."""

from app.db import Tx
from app.records import logins

MINUTE = 60
FIRST = 10  # requests of the first allowance in a minute; each next one is twice as large,
PARTS = 10  # up to this part of the quota: an instance holds hardly more unused than it has let through
NAME = "requests:"


def take(tx: Tx, who: str, most: int, minute: int, before: int) -> int:
    """Take an allowance for the `minute` (of Unix time) after so many `before`; how many requests it is, 0 when all is given out."""
    block = max(1, min(FIRST << min(before, 30), most // PARTS))
    given = logins.count(tx, NAME + who, minute * MINUTE, block)
    return max(0, min(block, most - (given - block)))
