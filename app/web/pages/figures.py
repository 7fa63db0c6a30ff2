"""How the pages write money, days and instants, as the reader's language does. Amounts come in whole DKK."""

from datetime import date, datetime
from functools import lru_cache

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal

from app.documents.words import BABEL, short_day
from app.domain.cycle import COPENHAGEN


@lru_cache(4096)
def million(amount: int, language: str) -> str:
    """DKK million with one decimal: `10.8`, `10,8`."""
    return str(format_decimal(amount / 1_000_000, format="#,##0.0", locale=BABEL[language]))


@lru_cache(4096)
def score(value: float, language: str) -> str:
    """A total of 100, whole: `73`."""
    return str(format_decimal(value, format="0", locale=BABEL[language]))


@lru_cache(4096)
def decimal(value: float, language: str) -> str:
    """A number with one decimal: `73.4`, `73,4`."""
    return str(format_decimal(value, format="0.0", locale=BABEL[language]))


@lru_cache(4096)
def _day(when: date, language: str) -> str:
    return short_day(when, language)


def day(when: date | str, language: str) -> str:
    """`27 Jan 2026`, `27. jan. 2026`; of a day or its ISO form."""
    return _day(date.fromisoformat(when) if isinstance(when, str) else when, language)


@lru_cache(4096)
def moment(at: datetime, language: str) -> str:
    """`26 Nov 2025, 14:12` in Copenhagen."""
    local = at.astimezone(COPENHAGEN)
    return f"{_day(local.date(), language)}, {format_datetime(local, 'HH:mm', locale=BABEL[language])}"


def plain(value: float | str) -> str:
    """A number as a form's field holds it: `12`, `12.5`; what was typed and is no number stays as it is.

    Three decimals get a fourth, `1.2340`, for `1.234` reads as thousands to some.
    """
    if isinstance(value, str):
        return value
    said = f"{value:.10f}".rstrip("0").rstrip(".")
    return f"{said}0" if len(said.partition(".")[2]) == 3 else said


@lru_cache(1024)
def country(code: str, language: str) -> str:
    """The name of a country in the reader's language."""
    return str(Locale.parse(BABEL[language]).territories.get(code, code))
