"""The languages of the pages. English is written where it is shown; other languages have a catalogue in `locale/`.

A catalogue is read from its .po file as it stands: nothing compiled is kept, and a test finds what is missing or unused.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from app.documents.words import LANGUAGES

LOCALE = Path(__file__).parent / "locale"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """English -> that language, whole sentences with their %(names)s; nothing for English itself."""
    if language == "en":
        return {}
    return {str(one.id): str(one.string) for one in messages(language) if one.string}


def messages(language: str) -> list[Message]:
    """Every entry of a language's catalogues, a file for each room of the pages."""
    found: list[Message] = []
    for path in sorted((LOCALE / language).glob("*.po")):
        with path.open("rb") as file:
            found += [one for one in read_po(file, locale=language) if one.id and not one.fuzzy]
    return found


@cache
def translator(language: str) -> Callable[[str], str]:
    """What turns a sentence of the pages into that language."""
    said = catalogue(language)
    return lambda sentence: said.get(sentence, sentence)


def preferred(header: str | None) -> str:
    """The language of an Accept-Language header that we have, English for all others."""
    for part in (header or "").split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return "en"


def _(sentence: str) -> str:
    """Marks a sentence for the catalogues where it is kept before the reader's language is known."""
    return sentence
