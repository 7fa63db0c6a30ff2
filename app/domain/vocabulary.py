"""The field types a proposal is made of: closed lists, texts with limits, sets, amounts, dates."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import pycountry
from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

LISTED = 200  # no list of a proposal is longer
_NO_CONTROL = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"  # Unicode category Cc without newline and tab
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text of `least` to `most` characters after stripping; control characters are refused before it."""

    least: int = 0
    most: int = 4000
    pattern: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        strict = core_schema.str_schema(strict=True, pattern=_NO_CONTROL)
        limited = core_schema.str_schema(
            strip_whitespace=True, min_length=self.least, max_length=self.most, pattern=self.pattern
        )
        return core_schema.chain_schema([strict, limited])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        said: JsonSchemaValue = {"type": "string", "maxLength": self.most, "pattern": self.pattern or _NO_CONTROL}
        return {**said, "minLength": self.least} if self.least else said


def _on_one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise PydanticCustomError("one_line", "Must be on one line")
    return text


ONE_LINE = AfterValidator(_on_one_line)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text from a closed list, given as data."""

    values: tuple[str, ...]
    what: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            core_schema.literal_schema(list(self.values)),
            custom_error_type="not_listed",
            custom_error_message=f"Must be {self.what}.",
        )


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) == len(values):
        return values
    seen = set()
    for value in values:
        if value in seen:
            raise PydanticCustomError("duplicate", "Lists {value} twice; each may be named once.", {"value": value})
        seen.add(value)
    return values


def _as_date(text: str) -> date:
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise PydanticCustomError("not_a_date", "Must be a date of the calendar, written YYYY-MM-DD.")
    if not 2000 <= day.year <= 2100:
        raise PydanticCustomError("out_of_range", "Must lie in the years 2000 to 2100.")
    return day


class IsoDay:
    """A date written YYYY-MM-DD and nothing else (Pydantic's own also reads Unix timestamps)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(strict=True)
        return core_schema.no_info_after_validator_function(
            _as_date, text, serialization=core_schema.to_string_ser_schema()
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date"}


_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


def _as_instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
    except ValueError:
        at = None
    if at is None:
        raise PydanticCustomError("not_an_instant", "Must be an instant with its offset, such as 2026-11-23T09:07:00Z.")
    if not 2000 <= at.year <= 2100:
        raise PydanticCustomError("out_of_range", "Must lie in the years 2000 to 2100.")
    return at


class IsoInstant:
    """A date and time with its offset from UTC, written as RFC 3339 says."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_as_instant, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}


UNIQUE = AfterValidator(_distinct)
UNIQUE_ITEMS = Field(json_schema_extra={"uniqueItems": True})

COUNTRIES = tuple(sorted(country.alpha_2 for country in pycountry.countries))
Country = Annotated[str, OneOf(COUNTRIES, "an ISO 3166-1 alpha-2 country code")]
Words = Annotated[str, Text()]
Amount = Annotated[int, Field(strict=True, ge=0, le=10**12)]
Year = Annotated[int, Field(strict=True, ge=2000, le=2100)]
Day = Annotated[date, IsoDay()]
Moment = Annotated[datetime, IsoInstant()]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
SrfOutcome = Annotated[str, Text(pattern=r"^[1-4][a-z]\.[1-9]$")]
ActivityRef = Annotated[str, Text(pattern=r"^[A-Za-z0-9._-]{1,20}$")]
ProposalRef = Annotated[str, Text(most=20, pattern=r"^DK-IOM-[0-9]{4}-[0-9]{3,8}$")]
