"""Reading IATI 2.03 activity files of others: hostile bytes refused, the standard kept to, and what the register needs of each.

A file is decoded by us and has no document type: there are no entities to expand and nothing to fetch.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn

from lxml import etree

from app.documents import iati_faults
from app.documents.iati_standard import schema
from app.errors import Fault, Invalid

LARGEST = 50_000_000
LONGEST = 200  # of an identifier
_PIECE = 65_536
_ENCODINGS = ("utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DECLARED = re.compile(r"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_DOCTYPE = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_COUNTRY = re.compile("[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Activity:
    """What is kept of an activity; `sectors` are written vocabulary:code, days are None where the file has none."""

    line: int
    identifier: str
    title: str
    summary: str
    countries: tuple[str, ...]
    sectors: tuple[str, ...]
    start: date | None
    end: date | None
    reporting_ref: str
    reporting_name: str
    status: str


def read_activities(raw: bytes) -> list[Activity]:
    """Every activity of a file, in its order; Invalid with a sentence for every departure from the standard."""
    return [_activity(one) for one in checked(raw).iterchildren("iati-activity")]


def checked(raw: bytes) -> Any:
    """The root of a file that is valid IATI 2.03; else Invalid, whose faults name line and fault."""
    if len(raw) > LARGEST:
        _refuse("too_large", [f"A file may have {LARGEST:,} bytes."])
    text = _decoded(raw)
    if not text.strip():
        _refuse("empty", ["The file is empty."])
    if _DOCTYPE.match(text):
        _refuse("doctype", ["The file has a document type (<!DOCTYPE>), which IATI files do not need; take it out."])
    data = text.encode()
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        said = re.split(", (?:try|use) XML_", error.msg or "it ends too early")[0].split(", line ")[0]
        _refuse("broken", [f"Line {error.lineno}: The XML is broken here: {iati_faults.printable(said).strip()}."])
    assert root.getroottree().docinfo.internalDTD is None, "the text was searched for one"
    if root.tag != "iati-activities":
        name = iati_faults.printable(root.tag)
        _refuse("other", [f"Line {root.sourceline}: <{name}> begins no IATI activity file; <iati-activities> does."])
    if faults := _departures(data):
        _refuse("not_valid", faults)
    return root


def _decoded(raw: bytes) -> str:
    """The text of a file that keeps to the encoding it declares; UTF-8 where it declares none."""
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    found = _DECLARED.match(raw[:400].decode(marked or "latin-1", "ignore").removeprefix("\ufeff"))
    name = found[1].lower() if found else marked or "utf-8"
    if name not in ((marked,) if marked else _ENCODINGS):
        _refuse("encoding", [f"The file says it is {name}, but it is not, or not read here; save it as UTF-8."])
    try:
        return raw.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        _refuse("encoding", [f"Line {line}: these bytes are not {name}, which the file says it is."])


def _departures(data: bytes) -> list[str]:
    """Where a file departs from the standard, the first fifty places of it; a file with a million is not read further.

    What is noted while reading has no lines; the tree of what was read has.
    """
    parser, end = _parser(schema=schema()), 0
    with suppress(etree.XMLSyntaxError):
        while end < len(data) and len(parser.feed_error_log) <= iati_faults.MOST:
            end += _PIECE
            parser.feed(data[end - _PIECE : end])
        if parser.close() is not None:
            return []
    rules = schema()
    rules.validate(etree.fromstring(data[:end], _parser(recover=True)))
    return iati_faults.told(rules.error_log)


def _parser(**more: Any) -> Any:
    return etree.XMLParser(
        encoding="utf-8",  # also where the file says otherwise: it is decoded already
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        **more,
    )


def _refuse(code: str, said: list[str]) -> NoReturn:
    raise Invalid(
        f"iati_{code}", "This is no valid IATI 2.03 activity file.", faults=[Fault("", code, one) for one in said]
    )


def _activity(one: Any) -> Activity:
    language = one.get(_LANGUAGE)
    dates = {found.get("type"): _day(found.get("iso-date")) for found in reversed(one.findall("activity-date"))}
    reporting, paid = one.find("reporting-org"), one.findall("transaction/recipient-country")
    countries = [found.get("code").strip().upper() for found in one.findall("recipient-country") or paid]
    sectors = one.findall("sector") or one.findall("transaction/sector")
    return Activity(
        line=one.sourceline,
        identifier=_line(one.findtext("iati-identifier")),
        title=_told(one.find("title"), language)[:500],
        summary=_told(one.find("description"), language)[:4000],
        countries=tuple(dict.fromkeys(code for code in countries if _COUNTRY.fullmatch(code))),
        sectors=tuple(dict.fromkeys(_sector(found) for found in sectors)),
        start=dates.get("2") or dates.get("1"),
        end=dates.get("4") or dates.get("3"),
        reporting_ref=_line(reporting.get("ref"))[:LONGEST],
        reporting_name=_told(reporting, language)[:500],
        status=_line(one.find("activity-status").get("code"))[:20],
    )


def _sector(found: Any) -> str:
    """`1:15110`; one that names no vocabulary is of OECD DAC's purpose codes, 1."""
    return f"{_line(found.get('vocabulary')) or '1'}:{_line(found.get('code'))}"[:100]


def _told(element: Any, language: str | None) -> str:
    """The narrative in English, or else the first one."""
    narratives = element.findall("narrative")
    english = [one for one in narratives if (one.get(_LANGUAGE) or language or "en").lower().startswith("en")]
    return _line((english or narratives)[0].text)


def _line(text: str | None) -> str:
    """A text on one line."""
    return " ".join(iati_faults.printable(text or "").split())


def _day(text: str) -> date | None:
    """The day an xs:date begins with; None for one that is no day of ours, such as of the year 12026."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
