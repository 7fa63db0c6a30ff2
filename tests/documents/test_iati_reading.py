"""IATI files of others: what the standard allows is read, what it forbids refused with line and reason, nothing breaks it."""

import random
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from app.documents.iati_faults import MOST
from app.documents.iati_reading import LARGEST, checked, read_activities
from app.errors import Invalid
from tests import iati_standard

SMALL = """<iati-activities version="2.03">
<iati-activity xml:lang="da"><iati-identifier> XM-DAC-3-1-1 </iati-identifier>
<reporting-org ref="XM-DAC-3-1" type="10"><narrative>Danida</narrative></reporting-org>
<title><narrative>Styr på grænsen</narrative><narrative xml:lang="en">Border &lt;work&gt;</narrative></title>
<description><narrative xml:lang="en">What
   it does.</narrative></description>
<participating-org role="1"/><activity-status code="2"/>
<activity-date type="1" iso-date="2024-01-01"/><activity-date type="2" iso-date="2024-03-01Z"/>
<activity-date type="3" iso-date="12027-12-31"/>
<recipient-country code="NE"/><recipient-country code="ne"/><recipient-country code="x"/>
<sector code="15190"/><sector vocabulary="99" code="M"/></iati-activity>
</iati-activities>"""


def said(raw: bytes) -> list[str]:
    """Why a file is refused; nothing when it is taken."""
    try:
        read_activities(raw)
    except Invalid as error:
        return [fault.message for fault in error.faults]
    return []


def test_every_example_of_the_standard_is_judged_as_the_standard_judges_it() -> None:
    valid, invalid = iati_standard.examples("pass"), iati_standard.examples("fail")
    assert (len(valid), len(invalid)) == (215, 323)
    assert [path for path in valid if said(path.read_bytes())] == []
    for path in invalid:
        reasons = said(path.read_bytes())
        assert reasons, path
        for reason in reasons:
            assert re.fullmatch(r"Line [1-9][0-9]*: .*<[a-z-]+> .+\.", reason), (path, reason)


def test_our_table_and_the_standards_own_schema_agree_on_spoilt_examples() -> None:
    official = etree.XMLSchema(etree.parse(iati_standard.SCHEMA))
    roots = [etree.parse(path).getroot() for path in iati_standard.examples("pass")]
    every = [one for root in roots for one in root.iter(etree.Element)]
    chance, verdicts = random.Random(203), set()
    for _ in range(1500):
        root = deepcopy(chance.choice(roots))
        spoil(root, every, chance)
        raw = etree.tostring(root)
        verdict = official.validate(etree.fromstring(raw))
        assert (said(raw) == []) == verdict, raw
        verdicts.add(verdict)
    assert verdicts == {True, False}


def spoil(root: Any, every: list[Any], chance: random.Random) -> None:
    """One change somewhere inside: an element doubled, taken away, put in, renamed; an attribute or text changed."""
    one, other = chance.choice([*root.iter(etree.Element)][1:]), chance.choice(every)
    names = [name for found in (one, other) for name in found.attrib] or ["code"]
    value = chance.choice(["", "1", "-1", "true", "2020-02-30", "2020-02-29", "1.5", "a b", "x"])
    match chance.randrange(6):
        case 0:
            one.addnext(deepcopy(one))
        case 1:
            one.getparent().remove(one)
        case 2:
            one.insert(0, deepcopy(other))
        case 3:
            one.set(chance.choice([*names, "{urn:other}name"]), value)
        case 4:
            one.text = value
        case _:
            one.append(etree.Element(chance.choice(["{urn:other}thing", other.tag])))


def test_what_is_kept_of_an_activity() -> None:
    (one,) = read_activities(SMALL.encode())
    assert (one.line, one.identifier, one.title, one.summary) == (2, "XM-DAC-3-1-1", "Border <work>", "What it does.")
    assert (one.countries, one.sectors) == (("NE",), ("1:15190", "99:M"))
    assert (str(one.start), one.end, one.status) == ("2024-03-01", None, "2")
    assert (one.reporting_ref, one.reporting_name) == ("XM-DAC-3-1", "Danida")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_a_file_is_read_in_the_encoding_it_declares(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    raw = f'<?xml version="1.0" encoding="{declared}"?>{SMALL}'.replace(' xml:lang="en"', "").encode(encoding)
    assert read_activities(raw)[0].title == "Styr på grænsen"


HOSTILE = {
    b"": "The file is empty.",
    b"\xff": "Line 1: these bytes are not utf-8",
    SMALL.encode("iso-8859-1"): "Line 4: these bytes are not utf-8",
    b'<?xml version="1.0" encoding="utf-7"?><a/>': "The file says it is utf-7",
    '<?xml version="1.0" encoding="ascii"?><a/>'.encode("utf-16"): "The file says it is ascii",
    b"\xef\xbb\xbf<?xml version='1.0' encoding='latin1'?><a/>": "The file says it is latin1",
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>': "The file has a document type",
    '\n<?x y?><!-- <a> -->\n<!DOCTYPE a SYSTEM "http://127.0.0.1/">'.encode("utf-16"): "The file has a document type",
    b"<a>\n&x;</a>": "Line 2: The XML is broken here: Entity 'x' not defined.",
    b"<a>\n<b></a>": "Line 2: The XML is broken here",
    b"<a>" * 300: "Line 1: The XML is broken here: Excessive depth",
    b"<a>" + b"x" * 11_000_000 + b"</a>": "Line 1: The XML is broken here: Resource limit exceeded",
    b"<a>\x1b[2J</a>": "Line 1: The XML is broken here",
    b"<iati-organisations/>": "Line 1: <iati-organisations> begins no IATI activity file",
    b"0" * (LARGEST + 1): "A file may have 50,000,000 bytes.",
}


@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_is_a_sentence(raw: bytes) -> None:
    assert [one.startswith(HOSTILE[raw]) for one in said(raw)] == [True], said(raw)


def test_nothing_is_fetched_and_a_secret_stays_where_it_is(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("Zanzibar")
    include = f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}" parse="text"/>'
    root = checked(SMALL.replace("</iati-activity>", f"{include}</iati-activity>").encode())
    assert b"Zanzibar" not in etree.tostring(root)


def test_a_file_with_a_million_faults_is_left_after_the_first_few() -> None:
    reasons = said(b'<iati-activities version="2.03">\n' + b"<iati-activity/>\n" * 1_000_000 + b"</iati-activities>")
    assert reasons[0] == "Line 2: <iati-activity> ends too early; what must follow is <iati-identifier>."
    assert len(reasons) == MOST + 1


@given(st.data())
def test_whatever_the_bytes_there_is_an_answer(data: st.DataObject) -> None:
    whole = SMALL.encode()
    start, end = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    raw = (
        whole[:start]
        + data.draw(st.binary(max_size=20) | st.sampled_from([b"<a>", b"&amp;", b'"', b"]]>"]))
        + whole[end:]
    )
    assert all(len(one) < 1000 and one.isprintable() for one in said(raw))
