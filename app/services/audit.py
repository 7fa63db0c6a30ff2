"""Who did what, when, from where: written in the transaction of the act, chained by hashes, verified from the first entry.

Entries name people by id; names, addresses and what people write stay outside what is hashed, so that erasing a person
leaves the chain whole. A chain cannot show a cut tail or a whole rewrite by itself: that is what published heads are for.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor
from app.encoding import canonical
from app.records import audit
from app.records.audit import Wanted
from app.services.clock import Now

Facts = dict[str, str | int | bool | list[str] | dict[str, int] | None]
FIRST = "0" * 64


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, or of a text as it is."""
    raw = value.encode() if isinstance(value, str) else canonical(value)
    return hashlib.sha256(raw).hexdigest()


def home(tx: Tx) -> str:
    """A name of this installation that nothing changes, wherever it moves: the beginning of its log."""
    return f"{(audit.first_hash(tx) or FIRST)[:16]}.earmark"


def record(
    tx: Tx,
    actor: Actor | None,
    event: str,
    subject: str,
    now: Now,
    facts: Facts | None = None,
    before: str | None = None,
    after: str | None = None,
    address: str | None = None,
) -> None:
    """Add one entry to the log. `before` and `after` are SHA-256s; without an actor it is the service itself, or nobody."""
    seq, previous = audit.next_place(tx)
    values: dict[str, Any] = {
        "seq": seq,
        "at": now.at,
        "event": event,
        "person_id": actor.id if actor else None,
        "role": actor.role if actor else None,
        "token_id": actor.token_id if actor else None,
        "subject": subject,
        "before_sha256": before,
        "after_sha256": after,
        "facts": canonical(facts or {}).decode(),
        "previous": previous,
    }
    values["hash"] = _hash_of(values)
    audit.append(tx, {**values, "address": (actor.address if actor else None) or address})


_HASHED = (
    "seq", "at", "event", "person_id", "role", "token_id", "subject", "before_sha256", "after_sha256", "facts", "previous"
)  # fmt: skip


def _hash_of(values: dict[str, Any]) -> str:
    """The hash of everything an entry says, the hash of the entry before included."""
    return digest(hashed(values))


def hashed(values: dict[str, Any]) -> dict[str, Any]:
    """What is hashed of an entry, nothing else: the SHA-256 of its canonical JSON is the entry's hash."""
    return {**{name: values[name] for name in _HASHED}, "at": values["at"].isoformat()}


def verify(tx: Tx, heads: Iterable[str] = ()) -> dict[str, Any]:
    """Read the log from its first entry: every hash, every link, the head, and whether each published head is in it."""
    try:
        return _verify(tx, heads)
    except (ValueError, TypeError, ArithmeticError) as error:
        fault = {"seq": 0, "message": f"An entry cannot even be read ({type(error).__name__})."}
        return {"sound": False, "entries": 0, "head": FIRST, "faults": [fault]}


def _verify(tx: Tx, heads: Iterable[str]) -> dict[str, Any]:
    faults: list[dict[str, Any]] = []
    wanted, previous, seq = {*heads} - {FIRST}, FIRST, 0
    for row in audit.entries(tx):
        seq += 1
        if row.seq != seq:
            faults.append({"seq": row.seq, "message": f"Entry {seq} is missing; {row.seq} follows."})
            seq = row.seq
        if row.previous != previous:
            faults.append({"seq": row.seq, "message": "It does not follow from the entry before."})
        if _hash_of(row._asdict()) != row.hash:
            faults.append({"seq": row.seq, "message": "It is not what was written: its hash is another."})
        previous = row.hash
        wanted.discard(row.hash)
    head = audit.head(tx)
    if head is None or (head.seq, head.hash) != (seq, previous):
        said = f"entry {head.seq}" if head else "gone"
        faults.append({"seq": seq, "message": f"The log ends here, but its head is {said}."})
    faults += [{"seq": seq, "message": f"The published head {one} is not in the log."} for one in sorted(wanted)]
    return {"sound": not faults, "entries": seq, "head": head.hash if head else FIRST, "faults": faults[:100]}


def listed(tx: Tx, wanted: Wanted) -> tuple[list[dict[str, Any]], int | None]:
    """One page of entries, newest first, and the number after which the next page begins."""
    rows = audit.page(tx, wanted)
    page = rows[: wanted.limit]
    return [as_json(row) for row in page], page[-1].seq if len(rows) > wanted.limit else None


def everything(tx: Tx) -> Iterator[dict[str, Any]]:
    """Every entry, oldest first, for the export."""
    return (as_json(row) for row in audit.entries(tx))


def as_json(row: Record) -> dict[str, Any]:
    """An entry as the API and the export show it."""
    at: datetime = row.at
    return {
        "seq": row.seq,
        "at": at,
        "event": row.event,
        "actor": {"id": row.person_id, "role": row.role} if row.person_id else None,
        "token_id": row.token_id,
        "address": row.address,
        "subject": row.subject,
        "before": row.before_sha256,
        "after": row.after_sha256,
        "facts": _facts(row.facts),
        "previous": row.previous,
        "hash": row.hash,
    }


def _facts(text: str) -> Any:
    """The facts of an entry; as they stand when somebody has broken them."""
    try:
        return json.loads(text)
    except ValueError:
        return {"unreadable": text}
