"""What the framework's data says to whoever fills a workbook: suggestions, hints, the codes and the first sheet's text."""

from collections.abc import Iterator

import pycountry

from app.documents.workbook.sheets import CODES
from app.domain.rulebook import Rulebook


def offers(book: Rulebook) -> dict[str, list[str]]:
    """What a drop-down suggests, by sheet and member, where other values are allowed too."""
    return {
        "Countries/code": book.ground.focus_countries,
        "Tools/name": book.framework.tools,
        "Indicators/code": book.annex.indicator_codes(),
    }


def hints(book: Rulebook) -> dict[str, str]:
    """What the framework says about a cell, by sheet and member."""
    ground = book.ground
    return {
        "Proposal/priority_areas": f"The funds support {', '.join(map(str, ground.priority_areas))}.",
        "Proposal/srf_outcomes": f"The funds support objectives {', '.join(map(str, ground.srf_objectives))}.",
        "Proposal/gcm_objectives": f"The framework names {', '.join(map(str, ground.gcm_objectives))}.",
        **{f"Criteria/{one.letter}": f"{one.title}. {one.text}" for one in book.criteria.criteria},
    }


def codes(book: Rulebook) -> Iterator[tuple[str, str, str]]:
    """Kind, code and meaning of everything a proposal names by a code."""
    for area in book.framework.priority_areas:
        yield "Priority area", str(area.number), area.title
    for region in book.framework.regions:
        for code in region.countries:
            country = pycountry.countries.get(alpha_2=code)
            yield "Country in focus", code, f"{country.name if country else code} ({region.name})"
    for outcome in book.annex.outcomes:
        yield "SRF outcome", outcome.code, outcome.title
    for outcome in book.annex.outcomes:
        for output in outcome.outputs:
            for indicator in output.indicators:
                yield "Indicator", indicator.code, indicator.title
    for operational in book.annex.operational:
        yield "Indicator", operational.code, operational.title
    for gender in book.annex.gender:
        yield "Indicator", gender.code, gender.title


def read_me(book: Rulebook) -> list[str]:
    """The paragraphs of the first sheet."""
    said = f"""
One workbook is one proposal. Rulebook {book.id} {book.version}; {book.framework.source.place}.

Fill the tinted cells, sheet by sheet from left to right. Red tabs are needed before a proposal can be submitted, and so is
what has a star *; in a table the star counts in every row that is filled.

A draft may leave blank what is not known yet. A hyphen - in a cell says: empty on purpose. In the first cell of a table it
says: there are none.

Several values in one cell are parted by commas or semicolons. A value that has a comma itself stands in "quotation marks".

Amounts are whole Danish kroner. Dates are dates, or written 2027-01-31. Countries are codes of two letters (ISO 3166-1).

Do not rename sheets, columns or lines; their order does not matter. Notes belong into a file of their own.

The sheet {CODES} explains the codes. Check the workbook with: python -m app screen FILE.xlsx
"""
    return [" ".join(paragraph.split()) for paragraph in said.strip().split("\n\n")]
