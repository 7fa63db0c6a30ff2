"""The outbox: what people must be told, written in the transaction that made it true and read by delivery after its commit."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert

from app.db import Tx
from app.encoding import canonical
from app.records.decision_tables import notice


def owe(tx: Tx, kind: str, subject: str, at: datetime, facts: Mapping[str, object] | None = None) -> None:
    """Owe a notice of something that happened to a subject: a reference, or `consultation/7`."""
    tx.execute(insert(notice).values(kind=kind, subject=subject, facts=canonical(dict(facts or {})).decode(), at=at))
