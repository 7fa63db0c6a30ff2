"""Quotas over all instances: allowances are taken from a shared count in blocks, so that most requests write nothing."""

from app.db import Tx
from app.records import logins

MINUTE = 60
PARTS = 10  # of a quota: so much of it, at most, lies unused with an instance
LARGEST = 500  # a block: what an instance holds when it is killed is lost until the minute ends
NAME = "requests:"


def take(tx: Tx, who: str, most: int, minute: int) -> int:
    """Take the next allowance of the `minute` (in minutes of Unix time); how many requests it is, 0 when all is given out."""
    block = min(LARGEST, max(1, most // PARTS))
    given = logins.count(tx, NAME + who, minute * MINUTE, block)
    return max(0, min(block, most - (given - block)))
