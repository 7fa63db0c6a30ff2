"""Results so far: what accepted reports say of every indicator of a proposal."""

import json
from typing import Any

from app.db import Record, Tx
from app.domain.report import Stage
from app.records import reports


def accepted(tx: Tx, proposal_id: int) -> list[Record]:
    """The accepted reports of a proposal, by year."""
    return [one for one in reports.reports_of(tx, proposal_id) if one.state == Stage.ACCEPTED]


def so_far(tx: Tx, row: Record, content: dict[str, Any]) -> list[dict[str, Any]]:
    """Every indicator with baseline and target and what accepted reports give as its value, by year."""
    told = [(one.year, json.loads(one.submitted)["indicators"]) for one in accepted(tx, row.id)]
    return [
        {
            **{key: one[key] for key in ("code", "unit", "baseline", "target")},
            "values": {str(year): v["value"] for year, values in told for v in values if v["code"] == one["code"]},
        }
        for one in content["indicators"]
    ]
