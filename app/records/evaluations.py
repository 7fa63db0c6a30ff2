"""Evaluations of the framework, as rows; the whole of one is a JSON document."""

import json
import re
from typing import Any

from sqlalchemy import insert, select, update

from app.db import Record, Tx
from app.encoding import canonical
from app.records.decision_tables import evaluation


def add(tx: Tx, values: dict[str, Any]) -> int:
    return int(tx.execute(insert(evaluation).values(values).returning(evaluation.c.id)).scalar_one())


def evaluation_of(tx: Tx, number: int) -> Record | None:
    return tx.execute(select(evaluation).where(evaluation.c.id == number)).one_or_none()


def listed(tx: Tx, shared_only: bool) -> list[Record]:
    """Every evaluation, newest first; a framework has two."""
    query = select(evaluation).order_by(evaluation.c.id.desc()).limit(200)
    return list(tx.execute(query.where(evaluation.c.shared) if shared_only else query))


def replace(tx: Tx, number: int, version: int, values: dict[str, Any]) -> bool:
    """Replace an evaluation; False when it is no longer at that version."""
    here = (evaluation.c.id == number) & (evaluation.c.version == version)
    return tx.execute(update(evaluation).where(here).values(**values, version=version + 1)).rowcount == 1


def erase_name(tx: Tx, name: str) -> None:
    """Take a person out of every text of evaluations; one that names them becomes a new version."""
    named = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    for row in list(tx.execute(select(evaluation).with_for_update())):
        left = canonical(_without(json.loads(row.content), named)).decode()
        if left != row.content:
            values = {"content": left, "version": evaluation.c.version + 1}
            tx.execute(update(evaluation).where(evaluation.c.id == row.id).values(values))


def _without(value: Any, named: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return named.sub("erased", value)
    if isinstance(value, list):
        return [_without(one, named) for one in value]
    return {key: _without(one, named) for key, one in value.items()} if isinstance(value, dict) else value
