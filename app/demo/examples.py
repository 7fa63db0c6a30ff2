"""A notice of every kind: those the demo's stories told, and for the rest what `examples.yaml` says."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.db import Record, Tx
from app.documents.proposal_files import plain_yaml
from app.domain.cycle import day_of
from app.domain.people import Role
from app.notify import outbox
from app.notify.notices import NOTICES
from app.records import notices

FILE = Path(__file__).parent / "examples.yaml"


def of_every_kind(tx: Tx, at: datetime) -> dict[str, int]:
    """The number of one mail of each kind, in the order of the notice table; what the demo lacks is owed here, to one reader."""
    told = plain_yaml(FILE.read_text("utf-8"))
    return {kind: _newest(tx, kind).id if kind not in told else _made(tx, kind, told[kind], at) for kind in NOTICES}


def _newest(tx: Tx, kind: str) -> Record:
    found = notices.newest_mail(tx, kind)
    if found is None:
        raise ValueError(f"the demo tells nothing of the kind '{kind}', and examples.yaml does not either")
    return found


def _made(tx: Tx, kind: str, example: dict[str, Any], at: datetime) -> int:
    like = _newest(tx, example["like"]) if "like" in example else None
    facts = {**(json.loads(like.facts) if like else {}), **example["facts"]}
    if "days" in facts:  # so far off from today, whatever day it is
        day = "closes_on" if "closes_on" in facts else "due_on"
        facts[day] = (day_of(at) + timedelta(days=facts["days"])).isoformat()
    subject = example.get("subject") or (like.subject if like else kind)
    reader = notices.by_role(tx, [Role.IOM_FOCAL_POINT])[:1]
    outbox.owe(tx, kind, subject, at, facts, like.ref if like else None, to=reader)
    return int(_newest(tx, kind).id)
