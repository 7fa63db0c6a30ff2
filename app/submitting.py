"""Proposals in files: read, and created and submitted over HTTP. Every request carries a key made from the file, so that a run
that broke off can be repeated: what was done is answered again, and goes on from there."""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.documents.proposal_files import WORKBOOKS, Sent, read_book, read_text
from app.documents.workbook import MOST_BYTES
from app.domain.proposal import read_content
from app.errors import Fault

TRIES = 5


class Unanswered(Exception):
    """The service could not be reached, or went on failing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one file: the proposal's reference and state, or what refused it."""

    path: Path
    ref: str | None
    state: str | None
    said: list[str]

    @property
    def submitted(self) -> bool:
        return self.state == "submitted"


def read_file(path: Path) -> dict[str, Any]:
    """The `{cycle, office?, content}` of a JSON or YAML file; a ValueError in a sentence when it holds none."""
    try:
        return read_text(str(path), path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: it is neither JSON nor YAML ({error}).") from None


def read_sent(path: Path) -> Sent:
    """What a workbook, JSON or YAML file holds; a ValueError in a sentence when it holds no proposal at all."""
    if path.suffix.lower() not in WORKBOOKS:
        return Sent(read_file(path))
    try:
        with path.open("rb") as file:
            return read_book(str(path), file.read(MOST_BYTES + 1))
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file.") from None


def submit_file(client: httpx.Client, path: Path, office: str | None) -> Outcome:
    """Create the proposal in the file and submit it; safe to repeat after a break."""
    try:
        sent = read_sent(path)
    except ValueError as error:
        return Outcome(path, None, None, [str(error)])
    if sent.workbook and sent.workbook.faults:
        return Outcome(path, None, None, ["it was not sent", *sent.told(_of_the_content(sent))])
    if office:
        sent.value["office"] = office
    try:
        return _submitted(client, path, sent)
    except Unanswered as error:
        return Outcome(path, None, "unanswered", [str(error)])


def _of_the_content(sent: Sent) -> list[Fault]:
    """The faults of a content that is not sent; which indicator codes there are, only the service knows."""
    _, faults = read_content(sent.value["content"], (), "/content")
    return [fault for fault in faults if fault.code != "unknown_indicator"]


def _submitted(client: httpx.Client, path: Path, sent: Sent) -> Outcome:
    key = "submit-" + hashlib.sha256(json.dumps(sent.value, sort_keys=True).encode()).hexdigest()[:40]
    made = _post(client, "/api/v1/proposals", sent.value, f"{key}-create")
    if made.status_code != httpx.codes.CREATED:
        return Outcome(path, None, None, _complaints(made, sent))
    ref = made.json()["ref"]
    moved = _post(client, f"/api/v1/proposals/{ref}/moves", {"move": "submit"}, f"{key}-submit")
    if moved.status_code != httpx.codes.OK:
        return Outcome(path, ref, "draft", _complaints(moved, sent))
    proposal = moved.json()
    said = [f"total {proposal['total']}"]
    if proposal["state"] != "submitted":
        letters = [letter for letter, state in proposal["screening"]["criteria"].items() if state != "met"]
        said += [
            f"not eligible; criteria not met: {', '.join(letters) or 'none'}",
            f"the reasons: /api/v1/proposals/{ref}/screening",
        ]
    return Outcome(path, ref, proposal["state"], said)


def _post(client: httpx.Client, path: str, body: dict[str, Any], key: str) -> httpx.Response:
    """Post until there is an answer: connection errors, 5xx and a key at work are tried again with growing pauses."""
    for attempt in range(TRIES):
        try:
            answer = client.post(path, json=body, headers={"Idempotency-Key": key})
            busy = answer.headers.get("content-type", "").startswith("application/problem") and (
                answer.json().get("code") == "idempotency_key_in_use"
            )
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR and not busy:
                return answer
        except httpx.TransportError:
            if attempt == TRIES - 1:
                raise Unanswered(f"{client.base_url} does not answer. What was done is kept; run this again.") from None
        time.sleep(min(4.0, 0.25 * 2**attempt))
    raise Unanswered(f"{client.base_url} goes on failing. What was done is kept; run this again later.")


def _complaints(answer: httpx.Response, sent: Sent) -> list[str]:
    try:
        problem = answer.json()
        problem["detail"] = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return [f"{answer.url} answered {answer.status_code}, and not as Earmark does; is the address right?"]
    faults = [Fault(one["pointer"], one.get("code", ""), one["message"]) for one in problem.get("errors", [])]
    return [problem["detail"], *sent.told(faults)]
