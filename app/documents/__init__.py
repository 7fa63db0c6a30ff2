"""Papers as accessible PDF (PDF/UA-1 and PDF/A-2a), set by typst: headings, tables and lists stay what they are.

A paper is data: what stands in its head, then blocks. The one template knows neither a language nor a kind of paper, and
the same paper gives the same bytes.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import typst

TEMPLATE = Path(__file__).parent / "paper.typ"


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper: `facts` are label and value under the title, `blocks` what follows, `foot` stands on every page.

    `keywords` stand in the file's metadata, where any program finds them without setting the pages.
    """

    language: str
    title: str
    sender: list[str]
    recipient: list[str]
    place_and_day: str
    dated: date
    facts: list[tuple[str, str]]
    blocks: list[dict[str, Any]]
    foot: str
    page: str
    keywords: list[str] = field(default_factory=list)


def heading(text: str) -> dict[str, Any]:
    return {"kind": "heading", "text": text}


def text(said: str) -> dict[str, Any]:
    """A text; empty lines part its paragraphs."""
    return {"kind": "text", "paragraphs": [part.strip() for part in said.split("\n\n") if part.strip()]}


def items(said: list[str]) -> dict[str, Any]:
    return {"kind": "list", "items": said}


def table(head: list[str], rows: list[list[str]], numbers: int = 0, widths: list[str] | None = None) -> dict[str, Any]:
    """A table with a head; the last `numbers` columns are figures. `widths` are typst's: `auto`, `1fr`."""
    return {"kind": "table", "head": head, "rows": rows, "numbers": numbers, "widths": widths or []}


def signature(lines: list[str]) -> dict[str, Any]:
    return {"kind": "signature", "lines": lines}


def render(paper: Paper) -> bytes:
    """The paper as PDF bytes, about 20 ms a page; typst refuses what would not be accessible.

    A character that no font here can show stands as its number, `[U+1200]`: a paper comes out whatever was written.
    """
    said = json.dumps(asdict(paper) | {"dated": [paper.dated.year, paper.dated.month, paper.dated.day]})
    try:
        return _compile(said)
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        return _compile(_SHOWN_BY_NUMBER.sub(_number_of, json.dumps(json.loads(said), ensure_ascii=False)))


# Everything outside the scripts that the fonts have: Latin, Greek, Cyrillic, Arabic, general punctuation, currencies.
_SHOWN_BY_NUMBER = re.compile("[^\u0020-\u02af\u0370-\u03ff\u0400-\u04ff\u0600-\u06ff\u1e00-\u1eff\u2010-\u2027\u20ac]")


def _number_of(found: re.Match[str]) -> str:
    return f"[U+{ord(found[0]):04X}]"


def _compile(said: str) -> bytes:
    return typst.compile(
        TEMPLATE, format="pdf", pdf_standards=["ua-1", "a-2a"], ignore_system_fonts=True, sys_inputs={"paper": said}
    )
