"""Quotas over all instances: a shared count that each instance adds to in parts, so that most requests write nothing."""

from app.db import Tx
from app.records import logins

MINUTE = 60
PARTS = 50  # of a quota: how many requests an instance lets through before the others know
NAME = "requests:"


def add(tx: Tx, who: str, number: int, minute: int) -> int:
    """Count requests of a `minute` (of Unix time); how many there have been in all instances."""
    return logins.count(tx, NAME + who, minute * MINUTE, number)
