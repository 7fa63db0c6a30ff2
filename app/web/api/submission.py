"""A content with the cycle and office it is for, as clients send it to be screened or made a proposal."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from app.domain.proposal import Content, faults_between, read_content
from app.errors import Fault
from app.web.api import bodies
from app.web.requests import parse, read_as, read_json_bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """What could be read, every fault in the rest, and the bytes it came in."""

    cycle: int | None
    office: str | None
    content: Content | None
    faults: list[Fault]
    raw: bytes


async def read_submission(request: Request, codes: frozenset[str]) -> Submission:
    """The submission in a request's body; `codes` are the indicator codes of Annex 5.

    What is whole is read in one pass. Only a body with faults is taken apart, so that all of them are told at once.
    """
    raw = await read_json_bytes(request)
    try:
        whole = bodies.ProposalIn.model_validate_json(raw)
    except ValidationError:
        return in_parts(parse(raw), raw, codes)
    faults = list(faults_between(whole.content, codes, "/content"))
    return Submission(whole.cycle, whole.office, whole.content, faults, raw)


def in_parts(value: Any, raw: bytes, codes: frozenset[str]) -> Submission:
    """The submission in a parsed value, taken apart so that all faults in it are told at once."""
    around, faults = read_as(bodies.Surroundings, value)
    inner = value.get("content") if isinstance(value, dict) else None
    content, wrong = read_content(inner, codes, "/content") if isinstance(inner, dict) else (None, [])
    members = value if isinstance(value, dict) else {}
    cycle, office = (around.cycle, around.office) if around else (members.get("cycle"), members.get("office"))
    cycle, office = (cycle if type(cycle) is int else None), (office if isinstance(office, str) else None)
    return Submission(cycle, office, content, [*faults, *wrong], raw)
