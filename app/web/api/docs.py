"""Completing the OpenAPI document: request bodies read by hand, headers, problems, an example for every operation."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.domain.evaluation import Evaluation
from app.domain.proposal import Content
from app.domain.report import Report
from app.web.answers import NEVER_KEPT
from app.web.api import bodies, shapes

_REF = "#/components/schemas/{model}"
_TITLES = {
    304: "Not changed since the version in If-None-Match",
    400: "The body is not JSON, or a header cannot be read",
    401: "No token, or one that is unknown, expired or revoked",
    403: "This role or token may not do it",
    404: "There is none, or none that you can see",
    409: "Refused as things stand; `refusals` names every reason",
    412: "Changed since the version in If-Match",
    413: "Larger than 2 MB",
    415: "Not application/json",
    422: "Not valid; `errors` names every fault with its pointer",
    428: "If-Match is missing",
    429: "Too many requests this minute; `Retry-After` says when to go on",
}


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: every error it can give."""
    return {code: {"description": _TITLES[code]} for code in sorted({401, 403, 429, *codes})}


def answers(
    shape: type[BaseModel] | None, example: Any, *codes: int, status: int = 200
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: what it answers with an example, and every error it can give."""
    said: dict[str, Any] = {
        "description": {200: "Done", 201: "Made", 202: "Taken, and done soon", 204: "Done, nothing to say"}[status]
    }
    if shape:
        said |= {"x-shape": shape.__name__, "x-example": example, "x-list": "items" in shape.model_fields}
    return {status: said, **problems(*codes)}


_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "example": '"3"',
    "description": "The ETag of what you have read; 412 when it has changed since.",
}
_CONDITIONAL = (
    *("replace_content", "move_window", "set_envelope", "change_consultation", "set_agenda", "open_consultation"),
    *("record_decision", "remove_decision", "conclude_consultation", "replace_meeting", "replace_evaluation"),
    *("confirm_minutes", "object_to_minutes", "sign_agreement", "adjust_budget"),
    *("cancel_consultation", "correct_decision", "cancel_meeting"),
    *("write_report", "submit_report", "accept_report", "return_report"),
    *("prepare_payment", "release_payment", "receive_payment", "cancel_payment"),
)
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "description": "Your name for this request: sent again, it is answered with the first answer and done once.",
}
EXAMPLE_CONTENT = {"title": "Protection along the Central Mediterranean route", "priority_areas": [3]}
EXAMPLE_EVALUATION = {
    "kind": "mid_term",
    "title": "Mid-term evaluation",
    "terms": {"purpose": "What the softly earmarked funds have changed."},
    "due_on": "2027-06-30",
}
_UPLOAD = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream", "maxLength": 20_000_000},
        "visibility": {"type": "string", "enum": ["shared", "internal"], "default": "shared"},
    },
}
_BODIES: dict[str, tuple[type[BaseModel], Any]] = {
    "screen_content": (bodies.ProposalIn, {"cycle": 2026, "content": EXAMPLE_CONTENT}),
    "create_proposal": (bodies.ProposalIn, {"cycle": 2027, "office": "IOM-NE", "content": EXAMPLE_CONTENT}),
    "replace_content": (Content, EXAMPLE_CONTENT),
    "make_move": (bodies.MoveIn, {"move": "submit"}),
    "ask_clarification": (bodies.ClarificationIn, {"criterion": "d", "question": "Which partners are confirmed?"}),
    "answer_clarification": (bodies.AnswerIn, {"answer": "Both, by letters of November."}),
    "save_assessment": (bodies.AssessmentIn, {"grades": {"a": 3}, "comments": {}, "overall": "Sound."}),
    "reopen_assessment": (bodies.ReasonIn, {"reason": "IOM answered the open question."}),
    "add_comment": (bodies.CommentIn, {"text": "We know the counterpart.", "visibility": "internal"}),
    "declare_conflict": (bodies.ReasonIn, {"reason": "My sister works for the partner."}),
    "add_user": (bodies.UserIn, {"name": "A. Reviewer", "email": "reviewer@example.org", "role": "mfa_reviewer"}),
    "change_user": (bodies.UserPatch, {"disabled": True}),
    "set_preferences": (bodies.PreferencesIn, {"language": "da", "digest": True, "reminders": True}),
    "issue_token": (bodies.TokenIn, {"label": "submission script", "scopes": ["screenings"], "days": 90}),
    "add_cycle": (bodies.CycleIn, {"year": 2028, "amount": 50000000, "reason": "The strategy goes on."}),
    "set_envelope": (bodies.EnvelopeIn, {"amount": 50000000, "status": "voted", "reason": "Finance act of 2027."}),
    "plan_consultation": (
        bodies.ConsultationIn,
        {"cycle": 2027, "date": "2027-02-10", "place": "Geneva", "participants": ["Head of Department"]},
    ),
    "change_consultation": (bodies.ConsultationPatch, {"date": "2027-02-17"}),
    "set_agenda": (bodies.AgendaIn, {"proposals": ["DK-IOM-2027-003"]}),
    "record_decision": (
        bodies.DecisionIn,
        {"decision": "approve", "amounts": {"2027": 12000000}, "conditions": [], "reason": "It fits the programme."},
    ),
    "add_meeting": (
        bodies.MeetingIn,
        {"cycle": 2026, "date": "2026-09-15", "place": "Tunis", "notes": "A sound start."},
    ),
    "replace_meeting": (bodies.MeetingIn, {"cycle": 2026, "date": "2026-09-16", "place": "Tunis"}),
    "add_evaluation": (Evaluation, EXAMPLE_EVALUATION),
    "replace_evaluation": (Evaluation, EXAMPLE_EVALUATION),
    "release_extract": (bodies.SignatureIn, {"sha256": "0" * 64}),
    "withdraw_extract": (bodies.ReasonIn, {"reason": "A partner is in danger."}),
    "what_if": (bodies.WhatIfIn, {"include": [], "best": {"objective": "score", "sets": 2}}),
    "sign_agreement": (bodies.SignatureIn, {"sha256": "0" * 64}),
    "adjust_budget": (
        bodies.BudgetIn,
        {"budget": [{"year": 2027, "category": "staff", "amount": 4000000, "activity_ref": None}]},
    ),
    "propose_amendment": (bodies.AmendmentIn, {"reason": "Half a year longer.", "amounts": {"2027": 12000000}}),
    "sign_amendment": (bodies.SignatureIn, {"sha256": "0" * 64}),
    "schedule_payment": (bodies.PaymentIn, {"year": 2027, "amount": 6000000, "due_on": "2027-04-15"}),
    "receive_payment": (bodies.ReceiptIn, {"amount": 6000000, "received_on": "2027-04-20"}),
    "write_report": (Report, {"progress": {"a": "Six posts work in pairs."}, "lessons": "Power first."}),
    "return_report": (bodies.ReasonIn, {"reason": "Please give the value of every indicator."}),
    "cancel_payment": (bodies.ReasonIn, {"reason": "Planned in one tranche now."}),
    "object_to_minutes": (bodies.ReasonIn, {"reason": "The second condition was agreed otherwise."}),
    "conclude_consultation": (bodies.ConcludeIn, {}),
    "add_webhook": (
        bodies.WebhookIn,
        {"url": "https://hooks.example.org/earmark", "events": ["proposal.approve", "payment.released"], "for": "me"},
    ),
    "replay_webhook": (bodies.ReplayIn, {"from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z"}),
    "cancel_consultation": (bodies.ReasonIn, {"reason": "The appropriation is not voted yet."}),
    "cancel_meeting": (bodies.ReasonIn, {"reason": "The road is closed until spring."}),
    "correct_decision": (
        bodies.CorrectionIn,
        {"ref": "DK-IOM-2027-003", "text": "The second condition names the Ministry of Health.", "reason": "A slip."},
    ),
    "move_window": (bodies.CyclePatch, {"closes_on": "2027-01-15", "reason": "Agreed with IOM in December."}),
}


def install_openapi(app: FastAPI) -> None:
    """Serve the completed document; it is made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(
                get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    outs = _all_of(shapes.Out)
    ins = [model for model, _ in _BODIES.values()]
    wanted = [
        *((model, "validation") for model in ins),
        *((shape, "serialization") for shape in outs if shape not in ins),
    ]
    _, defined = models_json_schema(wanted, ref_template=_REF)  # type: ignore[arg-type]  # the modes are literals
    components = document.setdefault("components", {})
    own = {name: schema for name, schema in components.get("schemas", {}).items() if "ValidationError" not in name}
    components["schemas"] = {**own, **_without_null_defaults(defined["$defs"])}
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "earmark token"},
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-earmark"},
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete_operation(path, method, operation)
    return document


def _all_of(shape: type[BaseModel]) -> list[type[BaseModel]]:
    """Every shape there is, each room's own among them."""
    return [one for direct in shape.__subclasses__() for one in (direct, *_all_of(direct))]


def _without_null_defaults(schema: Any) -> Any:
    """A field that a draft may leave out has no default: sent as null it is refused."""
    if isinstance(schema, dict):
        return {k: _without_null_defaults(v) for k, v in schema.items() if not (k == "default" and v is None)}
    return [_without_null_defaults(one) for one in schema] if isinstance(schema, list) else schema


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    public = "401" not in operation["responses"]
    operation["security"] = [] if public else [{"token": []}, {"session": []}]
    body = _BODIES.get(operation["operationId"])
    if body:
        schema = {"$ref": _REF.format(model=body[0].__name__)}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": body[1]}},
        }
    if operation["operationId"] == "add_attachment":
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}
    headers = ([_IF_MATCH] if operation["operationId"] in _CONDITIONAL or path.endswith("/moves") else []) + (
        [_KEY] if method == "post" and operation["operationId"] not in NEVER_KEPT else []
    )
    if headers:
        operation.setdefault("parameters", []).extend(headers)
    operation["responses"].pop("422", None) if _only_default(operation) else None
    for code, answer in operation["responses"].items():
        shape, example = answer.pop("x-shape", None), answer.pop("x-example", None)
        a_list = answer.pop("x-list", False)
        if shape:
            schema = {"$ref": _REF.format(model=shape)}
            answer["content"] = {"application/json": {"schema": schema, "example": example}}
            if a_list:
                answer["content"]["text/csv"] = {"schema": {"type": "string"}}
        elif int(code) >= 400:
            schema = {"$ref": _REF.format(model="Problem")}
            answer["content"] = {"application/problem+json": {"schema": schema}}


def _only_default(operation: dict[str, Any]) -> bool:
    """Whether the 422 is only the one FastAPI adds to every route with parameters."""
    found = operation["responses"].get("422", {})
    return bool(found) and found.get("description") == "Validation Error"
