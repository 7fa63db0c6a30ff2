"""Invitations: who comes to hear of a meeting when it is planned, moved or about other proposals, and who no longer need come.

Whoever was invited and is no longer concerned is told so. An invitation that nobody ever tried to send is taken back by
what follows it, and its reader hears nothing of it; one that was tried may have arrived, and is answered for.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.db import Tx
from app.notify import outbox
from app.notify.notices import NOTICES


def move(tx: Tx, meeting: str, subject: str, at: datetime, facts: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Tell whom a meeting concerns that it has moved. `meeting` is its first word in the notice table, `before` what was told."""
    outbox.owe(tx, f"{meeting}.moved", subject, at, facts)
    _uninvite(tx, meeting, subject, at, facts, before)


def readdress(
    tx: Tx, meeting: str, subject: str, at: datetime, facts: Mapping[str, Any], before: Mapping[str, Any]
) -> None:
    """Invite whom a meeting at the same time and place concerns only now."""
    there = outbox.invited(tx, subject)
    new = [one for one in _concerned(tx, meeting, subject, facts) if one not in there]
    if new:
        outbox.owe(tx, f"{meeting}.planned", subject, at, facts, to=new)
    _uninvite(tx, meeting, subject, at, facts, before)


def _concerned(tx: Tx, meeting: str, subject: str, facts: Mapping[str, Any]) -> list[int]:
    return outbox.readers_of(tx, NOTICES[f"{meeting}.planned"], subject, facts)


def _uninvite(
    tx: Tx, meeting: str, subject: str, at: datetime, facts: Mapping[str, Any], before: Mapping[str, Any]
) -> None:
    """Tell those no longer concerned so, naming day and place as they knew them: the new ones are not for them."""
    concerned = _concerned(tx, meeting, subject, facts)
    outbox.take_back_untried(tx, subject, concerned)
    gone = [one for one in outbox.invited(tx, subject) if one not in concerned]
    if gone:
        known = {**before, "sequence": facts["sequence"]}
        outbox.owe(tx, f"{meeting}.uninvited", subject, at, known, to=gone)
