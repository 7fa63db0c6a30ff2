"""What a message says, in its reader's language: from a notice's kind and frozen facts to subject, text and HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

import jinja2
import yaml

from app.documents.words import day, dkk, grade

HERE = Path(__file__).parent
LANGUAGES = ("en", "da")
_DAYS = ("deadline", "date", "due_on", "opens_on", "closes_on")
_QUOTED = {"en": "\u201c{}\u201d", "da": "\u00bb{}\u00ab"}
_MONEY = ("amount", "received")
LONGEST = 78  # characters of a subject line, after which readers see no more of it
_TEXTS = ("correction", "reason", "question", "answer", "comment")  # what people wrote, each under its own heading
_LAYOUT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "layouts"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Said:
    """One message: the subject line, and its body as plain text and as HTML that says the same."""

    subject: str
    text: str
    html: str


@cache
def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HERE / "messages" / f"{name}.yaml").read_text("utf-8"))
    return found


def catalogue(language: str) -> dict[str, dict[str, str]]:
    """Every kind's subject, what happened and what is to be done."""
    return _read(language)


def labels(language: str) -> dict[str, str]:
    """The words around a message."""
    words: dict[str, str] = _read("labels")[language]
    return words


def subject(kind: str, facts: Mapping[str, Any], language: str) -> str:
    """The subject line of a notice; a title stands in it without quotes."""
    shown = {**_shown(facts, language), "title": facts.get("title")}
    return shorten(catalogue(language)[kind]["subject"].format_map(shown), LONGEST, placeholder=" \u2026")


def say(kind: str, facts: Mapping[str, Any], language: str, link: str, foot: str | None, opt_out: str | None) -> Said:
    """The message of a notice. `foot` is the head of the audit log of a decision; `opt_out` an address for reminders."""
    shown = _shown(facts, language)
    told = {name: text.format_map(shown).strip() for name, text in catalogue(language)[kind].items()}
    line, words = subject(kind, facts, language), labels(language)
    parts = {
        **told,
        "subject": line,
        "details": [(words[key], value) for key, value in _details(facts, language)],
        "texts": [(words[key], undirected(str(facts[key]))) for key in _TEXTS if facts.get(key)],
        "conditions": list(facts.get("conditions") or ()),
        "criteria": [_criterion(one, words) for one in (facts.get("screening") or {}).get("criteria", ())],
        "remarks": [_remark(one) for one in (facts.get("screening") or {}).get("remarks", ())],
        "words": words,
        "link": link,
        "foot": foot,
        "opt_out": opt_out,
        "language": language,
    }
    text, html = (_LAYOUT.get_template(name).render(parts) for name in ("message.txt", "message.html"))
    return Said(line, text, html)


def _criterion(one: Mapping[str, Any], words: Mapping[str, str]) -> str:
    mandatory = f" ({words['mandatory']})" if one["mandatory"] else ""
    points = words["points"].format(earned=one["earned"], possible=one["possible"])
    return f"{one['letter']}. {one['title']}{mandatory}: {words[one['state']]}, {points}"


def _remark(one: Mapping[str, Any]) -> str:
    """A sentence of the rules, as it is printed with the screening, and what would help."""
    return undirected(" ".join(filter(None, (f"{one['about']}:", one["reason"], one["remedy"]))))


def digest(said: Sequence[Said], language: str) -> Said:
    """Several messages as one, each whole."""
    line = labels(language)["digest"].format(number=len(said))
    text = ("\n\n" + "=" * 60 + "\n\n").join(f"{one.subject}\n\n{one.text}" for one in said)
    html = "".join(one.html.partition("<body")[2].partition(">")[2].partition("</body>")[0] for one in said)
    head = said[0].html.partition("<title>")[0]
    style = said[0].html.partition("<body")[2].partition(">")[0]
    return Said(line, text, f"{head}<title>{line}</title></head>\n<body{style}>{html}</body>\n</html>\n")


def entries(language: str) -> dict[str, str]:
    """What stands in a calendar, for each kind of meeting and of day on which something is due."""
    words: dict[str, str] = _read("calendar")[language]
    return words


def entry(name: str, facts: Mapping[str, Any], language: str) -> str:
    """What a calendar says of a meeting or a due day, on one line."""
    return one_line(entries(language)[name].format_map(_shown(facts, language)))


def one_line(text: str) -> str:
    """A text without line breaks or control characters, whatever people and things are called."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in undirected(text)).split())


def undirected(text: str) -> str:
    """A text without the signs that turn the direction of what follows: a title must not turn the sentence around it."""
    return text.translate(_DIRECTIONS)


_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])


def _shown(facts: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The facts as people write them: days in words, whole kroner."""
    shown = {name: undirected(said) if isinstance(said, str) else said for name, said in facts.items()}
    if facts.get("title"):
        shown["title"] = _QUOTED[language].format(shown["title"])
    for name in _DAYS:
        if facts.get(name):
            shown[name] = day(date.fromisoformat(str(facts[name])), language)
    for name in _MONEY:
        if isinstance(facts.get(name), int):
            shown[name] = dkk(facts[name], language)
    if facts.get("total") is not None:
        shown["total"] = grade(facts["total"], language)
    if "days" in facts:
        words = {0: "today", 1: "tomorrow"}
        shown["when"] = labels(language)[words.get(facts["days"], "in_days")].format(days=facts["days"])
    return shown


def _details(facts: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    """Reference, office, amounts by year: what a reader looks for first."""
    found = [("ref", facts["ref"])] if facts.get("ref") else []
    if facts.get("office_name"):
        found.append(("office", facts["office_name"]))
    for year, amount in (facts.get("amounts") or {}).items():
        found.append(("approved", f"{year}: {dkk(amount, language)}"))
    return found
