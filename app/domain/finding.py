"""Words as a search takes them: folded to plain letters, with their stems; the same for what is written and what is asked.

A term is a folded word, or "=" and a stem. They hold letters, digits and that sign only, so that no database reads them
otherwise than as what they are.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from app.domain.stems import KEPT, danish, english

LONGEST = 60  # letters of a word that count
_PLAIN = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h"})
_JOINED = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_DIGIT = re.compile(r"\d")
_A_TO_Z = re.compile(r"[a-z]{3,}")


@dataclass(frozen=True, slots=True)
class Term:
    """A word that is asked for: what a word may begin with, and the stems that it may have instead."""

    beginning: str
    stems: tuple[str, ...]


def folded(text: str) -> str:
    """Lower case without accents: "Øresund" and "oresund", "facilité" and "facilite" are the same."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold().translate(_PLAIN)


def terms(said: str) -> str:
    """Everything a text can be found by, each term once, with a space before, between and after them.

    What hyphens join is one word if a digit is in it, so that "DK-IOM-2027-001" finds that one; its ends are words too.
    """
    words: dict[str, None] = {}
    for parts in _words(said):
        words.update(dict.fromkeys(parts))
        if len(parts) > 1 and _DIGIT.search("".join(parts)):
            words.update(("".join(parts[start:])[:LONGEST], None) for start in range(len(parts) - 1))
    found = dict.fromkeys(stem for word in words for stem in _stems(word))
    return f" {' '.join([*words, *found])} " if words else " "


def asked(q: str) -> tuple[Term, ...]:
    """The words of a search; none of what is no word."""
    wanted: dict[str, None] = {}
    for parts in _words(q):
        joined = "".join(parts)
        wanted.update(dict.fromkeys([joined[:LONGEST]] if _DIGIT.search(joined) else parts))
    return tuple(Term(word, _stems(word)) for word in wanted)


def _words(text: str) -> Iterator[list[str]]:
    for found in _JOINED.findall(folded(text)):
        yield [part[:LONGEST] for part in found.split("-")]


@lru_cache(KEPT)
def _stems(word: str) -> tuple[str, ...]:
    if not _A_TO_Z.fullmatch(word):
        return ()
    return tuple(f"={stem}" for stem in dict.fromkeys((english(word), danish(word))))
