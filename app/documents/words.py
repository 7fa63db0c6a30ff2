"""What papers say, in English and Danish, and figures and days as each language writes them."""

from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal

from app.documents.wording import TABLES

LANGUAGES = ("en", "da")
BABEL = {"en": "en_GB", "da": "da_DK"}


def number(amount: int, language: str) -> str:
    """A whole number, grouped: `12,000,000` or `12.000.000`."""
    return str(format_decimal(amount, locale=BABEL[language]))


def dkk(amount: int, language: str) -> str:
    return f"DKK {number(amount, language)}" if language == "en" else f"{number(amount, language)} kr."


def grade(mean: float, language: str) -> str:
    return str(format_decimal(mean, format="0.0", locale=BABEL[language]))


def quantity(value: float, language: str) -> str:
    """A measured value with its decimals, grouped: `1,250.5` or `1.250,5`."""
    return str(format_decimal(value, format="#,##0.####", locale=BABEL[language]))


def day(when: date, language: str) -> str:
    """`10 February 2027`, `10. februar 2027`."""
    return str(format_date(when, format="long", locale=BABEL[language]))


def short_day(when: date, language: str) -> str:
    """`10 Feb 2027`, `10. feb. 2027`: for columns."""
    return str(format_date(when, format="medium", locale=BABEL[language]))


# Language -> key -> word: the tables of all kinds of papers together.
WORDS: dict[str, dict[str, str]] = {
    language: {key: said[place] for table in TABLES for key, said in table.items()}
    for place, language in enumerate(LANGUAGES)
}


def words(language: str) -> dict[str, str]:
    """Every word of a language by its key; both languages have the same keys."""
    return WORDS[language]
