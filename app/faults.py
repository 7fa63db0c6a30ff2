"""From Pydantic's errors to our faults: a JSON Pointer, a stable code, a sentence, and a suggestion for a misspelt name."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from app.errors import BadRequest, Fault

MOST = 500  # more faults than that help nobody
_CODES = {
    "missing": ("required", "This field is required."),
    "string_pattern_mismatch": ("wrong_form", None),
    "literal_error": ("not_listed", None),
    "int_type": ("not_an_integer", "Must be a whole number."),
    "int_from_float": ("not_an_integer", "Must be a whole number."),
    "float_type": ("not_a_number", "Must be a number."),
    "finite_number": ("not_a_number", "Must be a finite number."),
    "string_type": ("not_a_text", "Must be a text."),
    "bool_type": ("not_a_boolean", "Must be true or false."),
    "list_type": ("not_a_list", "Must be a list."),
    "model_type": ("not_an_object", "Must be an object."),
    "dict_type": ("not_an_object", "Must be an object."),
    "string_too_short": ("too_short", None),
    "string_too_long": ("too_long", None),
    "too_short": ("too_few", None),
    "too_long": ("too_many", None),
    "greater_than_equal": ("out_of_range", None),
    "less_than_equal": ("out_of_range", None),
    "int_parsing_size": ("out_of_range", "The number is too large."),
}


def pointer(*steps: str | int) -> str:
    """A JSON Pointer from its steps (RFC 6901: ~ and / are escaped)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'stages'?` when a known name is near, else nothing."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean '{near[0]}'?" if near else ""


def faults_of(error: ValidationError, model: type[BaseModel] | None = None, under: str = "") -> list[Fault]:
    """Every error of a validation as a fault; `under` is put before each pointer. JSON that is none: BadRequest."""
    faults: list[Fault] = []
    for item in error.errors(include_url=False, include_input=False):
        if len(faults) == MOST:
            message = f"{error.error_count() - MOST} more things are wrong; put these right first."
            faults.append(Fault(under, "too_many_faults", message))
            break
        kind, where = item["type"], item["loc"]
        if kind == "json_invalid":
            detail = str(item.get("ctx", {}).get("error", "it cannot be read"))
            raise BadRequest("malformed_json", f"The body is not JSON: {detail}.")
        if where and where[-1] == "[key]":
            where = where[:-1]
        faults.append(Fault(under + pointer(*where), *_code_and_message(kind, item, where, model)))
    return faults


def _code_and_message(
    kind: str, item: Any, where: tuple[int | str, ...], model: type[BaseModel] | None
) -> tuple[str, str]:
    if kind == "extra_forbidden":
        known = model.model_fields if model and len(where) == 1 else ()
        near = did_you_mean(str(where[-1]), known) if len(str(where[-1])) <= 60 else ""
        return "unknown_field", f"There is no field '{str(where[-1])[:60]}'{near}."
    code, message = _CODES.get(kind, (kind, None))
    if kind == "string_pattern_mismatch":
        control = "x00" in str(item["ctx"]["pattern"])
        return (
            ("control_character", "Holds a control character.")
            if control
            else (code, "Does not have the form asked for.")
        )
    return code, message or (item["msg"].rstrip(".") + ".")
