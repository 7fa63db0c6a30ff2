"""The pages' words: every sentence has its Danish one, and no catalogue keeps what nobody says."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.extract import extract
from jinja2.ext import babel_extract

from app.documents.words import LANGUAGES
from app.web.pages import language

PAGES = Path(language.__file__).parent
_PLACES = re.compile(r"%\([a-z_]+\)s")


def spoken() -> set[str]:
    """Every sentence that the pages' code and templates show."""
    found: set[str] = set()
    for path in PAGES.glob("*.py"):
        with path.open("rb") as file:
            found |= {str(one[1]) for one in extract("python", file, keywords={"_": None})}
    options = {"trim_blocks": "true", "lstrip_blocks": "true"}
    for path in (PAGES / "templates").glob("*.html"):
        with path.open("rb") as file:
            for _line, _function, message, _comments in babel_extract(file, ["_", "ngettext"], [], options):
                said = (message,) if isinstance(message, str) else message or ()
                found |= {str(one) for one in said if one}
    return found


@pytest.mark.parametrize("other", [one for one in LANGUAGES if one != "en"])
def test_every_sentence_is_in_the_catalogue_and_every_entry_is_said(other: str) -> None:
    entries = language.messages(other)
    known = {str(one.id) for one in entries}
    assert spoken() - known == set(), "without a translation"
    assert known - spoken() == set(), "said by nobody"
    assert [one for one, number in Counter(str(entry.id) for entry in entries).items() if number > 1] == []
    for entry in entries:
        assert entry.string, entry.id
        assert set(_PLACES.findall(str(entry.id))) == set(_PLACES.findall(str(entry.string))), entry.id
