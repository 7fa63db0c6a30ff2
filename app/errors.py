"""Every refusal the service knows, as one exception that the web turns into problem+json and the CLI into a sentence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was sent: `pointer` is a JSON Pointer (RFC 6901) into it."""

    pointer: str
    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One guard that does not hold, with the sentence that says what would help."""

    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message}


class AppError(Exception):
    """A refusal with its HTTP status, stable code and sentence; `settled` keeps what the transaction did before it."""

    status = 500
    title = "Internal error"

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        faults: Iterable[Fault] = (),
        refusals: Iterable[Refusal] = (),
        headers: Mapping[str, str] | None = None,
        settled: bool = False,
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.settled = code, detail, settled
        self.faults, self.refusals = tuple(faults), tuple(refusals)
        self.headers = dict(headers or {})

    def as_problem(self) -> dict[str, Any]:
        """The RFC 9457 body: type, title, status, detail, code, and errors or refusals where there are any."""
        problem: dict[str, Any] = {
            "type": f"urn:earmark:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.faults:
            problem["errors"] = [fault.as_json() for fault in self.faults]
        if self.refusals:
            problem["refusals"] = [refusal.as_json() for refusal in self.refusals]
        return problem


class BadRequest(AppError):
    status, title = 400, "Bad request"


class Unauthorized(AppError):
    status, title = 401, "Not authenticated"


class Forbidden(AppError):
    status, title = 403, "Not allowed"


class NotFound(AppError):
    status, title = 404, "Not found"


class Conflict(AppError):
    status, title = 409, "Refused as things stand"


class PreconditionFailed(AppError):
    status, title = 412, "Changed in the meantime"


class TooLarge(AppError):
    status, title = 413, "Too large"


class UnsupportedMediaType(AppError):
    status, title = 415, "Unsupported media type"


class Invalid(AppError):
    status, title = 422, "Not valid"


class PreconditionRequired(AppError):
    status, title = 428, "Precondition required"


class TooManyRequests(AppError):
    status, title = 429, "Too many requests"


class Unavailable(AppError):
    status, title = 503, "Not available now"


def refuse_unless(holds: bool, code: str, message: str) -> None:
    """Conflict with that one refusal, unless it holds."""
    if not holds:
        raise Conflict(code, message, refusals=[Refusal(code, message)])


def check_version(what: str, version: int, expected: frozenset[int] | None, given: bool = True) -> None:
    """428 where a replacement names no version of the thing (`given` is False), 412 where it names another than there is."""
    if not given:
        raise PreconditionRequired("if_match_required", f"Send If-Match with the ETag of {what} as you have read it.")
    if expected is not None and version not in expected:
        message = f"{what[0].upper()}{what[1:]} is at version {version} now; read it again before you change it."
        raise PreconditionFailed("version_mismatch", message)
