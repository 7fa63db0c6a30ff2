"""Papers as accessible PDF (PDF/UA-1 and PDF/A-2a), set by typst: headings, tables and lists stay what they are.

A paper is data: what stands in its head, then blocks. The one template knows neither a language nor a kind of paper, and
the same paper gives the same bytes.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import typst

TEMPLATE = Path(__file__).parent / "paper.typ"


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper: `facts` are label and value under the title, `blocks` what follows, `foot` stands on every page."""

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
    """The paper as PDF bytes, about 20 ms a page; typst refuses what would not be accessible."""
    said = asdict(paper) | {"dated": [paper.dated.year, paper.dated.month, paper.dated.day]}
    given = {"paper": json.dumps(said)}
    return typst.compile(
        TEMPLATE, format="pdf", pdf_standards=["ua-1", "a-2a"], ignore_system_fonts=True, sys_inputs=given
    )
