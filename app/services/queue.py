"""How delivery stands, in figures: what waits, since when, what is dead, how often was tried."""

from dataclasses import dataclass
from datetime import datetime

from app.db import Tx
from app.notify.outbox import HOOK, MAIL
from app.records import notices


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure with its labels, for several of which there is one name and one sentence."""

    name: str
    about: str
    values: tuple[tuple[dict[str, str], int], ...]


def metrics(tx: Tx, now: datetime) -> list[Metric]:
    """The figures of the outbox, by channel; 0 where there is nothing, so that a chart has no gaps."""
    late, tried = notices.late(tx, now), notices.tried(tx)
    counted = {(channel, state): number for channel, state, number in notices.counts(tx)}
    return [
        Metric(
            "earmark_messages",
            "Messages by channel and state.",
            tuple(
                ({"channel": channel, "state": state}, counted.get((channel, state), 0))
                for channel in (MAIL, HOOK)
                for state in notices.STATES
            ),
        ),
        _by_channel(
            "earmark_messages_late",
            "Messages that are due, or were tried in vain and wait for another attempt.",
            {name: number for name, (number, _) in late.items()},
        ),
        _by_channel(
            "earmark_oldest_late_seconds",
            "How long ago that happened which the oldest of these tells of.",
            {name: max(0, round((now - since).total_seconds())) for name, (_, since) in late.items()},
        ),
        _by_channel("earmark_delivery_attempts", "Attempts to deliver the messages there are.", tried),
    ]


def _by_channel(name: str, about: str, found: dict[str, int]) -> Metric:
    return Metric(name, about, tuple(({"channel": channel}, found.get(channel, 0)) for channel in (MAIL, HOOK)))
