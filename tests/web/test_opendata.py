"""What is told as open data: only what is signed and paid, nothing of people or of the future, in the standard's own order."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from lxml import etree

from app.documents.iati import document
from app.documents.iati_reading import read_activities
from tests import iati_standard
from tests.conftest import TODAY, Service

# The order of the IATI 2.03 schema's sequence, as far as we write it.
ORDER = (
    *("iati-identifier", "reporting-org", "title", "description", "participating-org", "other-identifier"),
    *("activity-status", "activity-date", "activity-scope", "recipient-country", "recipient-region", "sector"),
    *("policy-marker", "collaboration-type", "default-flow-type", "default-finance-type", "default-aid-type"),
    *("default-tied-status", "budget", "transaction", "document-link", "related-activity", "conditions", "result"),
)
SIGNED = ["DK-IOM-2023-001", "DK-IOM-2023-002", "DK-IOM-2024-001", "DK-IOM-2025-001"]


def test_what_is_agreed_is_told_to_everybody_and_nothing_else(run: Any) -> None:
    async def scenario(service: Service) -> None:
        answer = await service.call(None, "GET", "/iati/activities.xml")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml")
        root = ET.fromstring(answer.content)
        whole = {one.findtext("iati-identifier") or "": one for one in root}
        tails = [ref.removeprefix("DK-IOM-") for ref in SIGNED]
        assert list(whole) == ["XM-DAC-3-1-2022-18394", *(f"XM-DAC-3-1-2022-18394-{tail}" for tail in tails)]
        parent = whole["XM-DAC-3-1-2022-18394"]
        assert [one.get("ref") for one in parent.findall("related-activity")] == list(whole)[1:]
        for one in root:
            places = [ORDER.index(child.tag) for child in one]
            assert places == sorted(places), [child.tag for child in one]
            for kind in ("recipient-country", "sector"):
                shares = [Decimal(child.get("percentage") or "0") for child in one.findall(kind)]
                assert not shares or sum(shares) == 100, (kind, shares)
            aid = {(child.get("vocabulary"), child.get("code")) for child in one.findall("default-aid-type")}
            assert aid == {("1", "B03"), ("2", "2")}
            for transaction in one.findall("transaction"):
                on = transaction.find("transaction-date")
                assert on is not None
                assert date.fromisoformat(on.get("iso-date") or "") <= TODAY, "nothing of the future"
        first = whole["XM-DAC-3-1-2022-18394-2023-001"]
        sums: Counter[str] = Counter()
        for transaction in first.findall("transaction"):
            kind = transaction.find("transaction-type")
            assert kind is not None
            sums[str(kind.get("code"))] += int(float(transaction.findtext("value") or "0"))
        assert sums == {"2": 19_665_000, "3": 19_665_000}
        assert first.findall("result/indicator/period/actual")
        for name in ("Demo", "demo.example", "@"):
            assert name not in answer.text.replace("Demo: ", "").replace("Demonstration", ""), name
        assert "DK-IOM-2026-001" not in answer.text, "approved is not signed"
        assert "DK-IOM-2027" not in answer.text

    run(scenario)


def test_what_we_tell_is_valid_by_the_standards_own_schema_and_can_be_imported(run: Any) -> None:
    official = etree.XMLSchema(etree.parse(iati_standard.SCHEMA))

    async def scenario(service: Service) -> None:
        told = (await service.call(None, "GET", "/iati/activities.xml")).content
        official.assertValid(etree.fromstring(told))
        assert len(read_activities(told)) == 1 + len(SIGNED)

    run(scenario)


def test_what_xml_cannot_hold_is_left_out() -> None:
    one = ET.Element("iati-activity")
    ET.SubElement(one, "title").text = "a\ufffeb\x0bc <&> \U0001f600"
    read = ET.fromstring(document([one], "2026-11-23T00:00:00Z"))
    assert read.findtext("iati-activity/title") == "abc <&> \U0001f600"
