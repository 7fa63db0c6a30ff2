"""Open data: IATI 2.03 activity files, written in the order of the standard's schema. Takes data, knows no database."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
XML = "{http://www.w3.org/XML/1998/namespace}"


def document(activities: Sequence[ET.Element], generated: str) -> bytes:
    """An IATI 2.03 file with these activities."""
    root = ET.Element("iati-activities", {"version": "2.03", "generated-datetime": generated})
    root.extend(activities)
    for element in root.iter():
        if element.text:
            element.text = _NOT_XML.sub("", element.text)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add(parent: ET.Element, tag: str, **attributes: str | None) -> ET.Element:
    given = {name.strip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    return ET.SubElement(parent, tag, given)


def _narrative(parent: ET.Element, tag: str, text: str, **attributes: str | None) -> ET.Element:
    element = _add(parent, tag, **attributes)
    _add(element, "narrative").text = text
    return element


def _value(parent: ET.Element, amount: int, on: date) -> None:
    element = _add(parent, "value", currency="DKK", value_date=on.isoformat())
    element.text = f"{amount}.00"


def _start(
    identifier: str, codes: Mapping[str, Any], updated: str, hierarchy: str, title: str, said: str
) -> ET.Element:
    one = ET.Element(
        "iati-activity",
        {
            f"{XML}lang": "en",
            "default-currency": "DKK",
            "last-updated-datetime": updated,
            "hierarchy": hierarchy,
            "humanitarian": "0",
        },
    )
    _add(one, "iati-identifier").text = identifier
    ours, theirs = codes["reporting_org"], codes["implementing_org"]
    _narrative(one, "reporting-org", ours["name"], ref=ours["ref"], type=ours["type"])
    _narrative(one, "title", title)
    _narrative(one, "description", said, type="1")
    _narrative(one, "participating-org", ours["name"], ref=ours["ref"], role="1", type=ours["type"])
    _narrative(one, "participating-org", ours["name"], ref=ours["ref"], role="2", type=ours["type"])
    more = {"crs_channel_code": theirs["channel"]}
    _narrative(one, "participating-org", theirs["name"], ref=theirs["ref"], role="4", type=theirs["type"], **more)
    return one


def _defaults(one: ET.Element, codes: Mapping[str, Any]) -> None:
    _add(one, "collaboration-type", code=codes["collaboration_type"])
    _add(one, "default-flow-type", code=codes["flow_type"])
    _add(one, "default-finance-type", code=codes["finance_type"])
    _add(one, "default-aid-type", code=codes["aid_type"], vocabulary="1")
    _add(one, "default-aid-type", code=codes["earmarking"], vocabulary="2")
    _add(one, "default-tied-status", code=codes["tied_status"])


def framework_activity(said: Mapping[str, Any], codes: Mapping[str, Any]) -> ET.Element:
    """The framework itself, hierarchy 1: its envelopes as budgets, its proposals as related activities."""
    one = _start(said["identifier"], codes, said["updated"], "1", said["title"], said["source"])
    _add(one, "other-identifier", ref=said["file_number"], type="A1")
    _add(one, "activity-status", code="2")
    _add(one, "activity-date", iso_date=said["start"].isoformat(), type="2")
    _add(one, "activity-date", iso_date=said["end"].isoformat(), type="3")
    _add(one, "recipient-region", code="298", vocabulary="1", percentage="100")
    _add(one, "sector", vocabulary="1", code="15190", percentage="100")
    _defaults(one, codes)
    for budget in said["budgets"]:
        _budget(one, budget)
    for identifier in said["children"]:
        _add(one, "related-activity", ref=identifier, type="2")
    return one


def _budget(one: ET.Element, budget: Mapping[str, Any]) -> None:
    element = _add(one, "budget", type="1", status=budget["status"])
    _add(element, "period-start", iso_date=budget["start"].isoformat())
    _add(element, "period-end", iso_date=budget["end"].isoformat())
    _value(element, budget["amount"], budget["on"])


def proposal_activity(said: Mapping[str, Any], codes: Mapping[str, Any]) -> ET.Element:
    """One agreed proposal, hierarchy 2: what is signed, committed, paid and accepted, and nothing that is still to come."""
    one = _start(said["identifier"], codes, said["updated"], "2", said["title"], said["summary"])
    _add(one, "other-identifier", ref=said["ref"], type="A1")
    _add(one, "activity-status", code=said["status"])
    for kind, on in said["dates"]:
        _add(one, "activity-date", iso_date=on.isoformat(), type=kind)
    _add(one, "activity-scope", code="3" if len(said["countries"]) > 1 else "4")
    for code, percentage in said["countries"]:
        _add(one, "recipient-country", code=code, percentage=percentage)
    for code, percentage in said["sectors"]:
        _add(one, "sector", vocabulary="1", code=code, percentage=percentage)
    for code, significance in said["markers"]:
        _add(one, "policy-marker", vocabulary="1", code=code, significance=significance)
    more = {"vocabulary_uri": "https://data.iom.int/codelist/genderpolicy.pdf", "code": said["gender_marker"]}
    _narrative(one, "policy-marker", f"IOM Gender Marker {said['gender_marker']}", vocabulary="99", **more)
    _defaults(one, codes)
    for budget in said["budgets"]:
        _budget(one, budget)
    for transaction in said["transactions"]:
        _transaction(one, transaction, said, codes)
    if said["document"]:
        _document(one, said["document"], said["title"])
    _add(one, "related-activity", ref=said["parent"], type="1")
    conditions = _add(one, "conditions", attached="1" if said["conditions"] else "0")
    for condition in said["conditions"]:
        _narrative(conditions, "condition", condition, type="2")
    for result in said["results"]:
        _result(one, result)
    return one


def _document(one: ET.Element, url: str, title: str) -> None:
    element = _add(one, "document-link", url=url, format="application/pdf")
    _narrative(element, "title", title)
    _add(element, "category", code="A02")
    _add(element, "language", code="en")


def _transaction(
    one: ET.Element, said: Mapping[str, Any], activity: Mapping[str, Any], codes: Mapping[str, Any]
) -> None:
    element = _add(one, "transaction", ref=said["ref"])
    _add(element, "transaction-type", code=said["type"])
    _add(element, "transaction-date", iso_date=said["on"].isoformat())
    _value(element, said["amount"], said["on"])
    ours, theirs = codes["reporting_org"], codes["implementing_org"]
    _add(element, "provider-org", ref=ours["ref"], provider_activity_id=activity["parent"], type=ours["type"])
    _add(element, "receiver-org", ref=theirs["ref"], type=theirs["type"])


def _result(one: ET.Element, said: Mapping[str, Any]) -> None:
    element = _add(one, "result", type="2", aggregation_status="0")
    _narrative(element, "title", said["code"])
    indicator = _add(element, "indicator", measure="1", ascending="1")
    _narrative(indicator, "title", f"{said['code']}: {said['unit']}" if said["unit"] else said["code"])
    _add(
        indicator, "baseline", year=str(said["start"].year), iso_date=said["start"].isoformat(), value=said["baseline"]
    )
    for start, end, value in said["periods"]:
        period = _add(indicator, "period")
        _add(period, "period-start", iso_date=start.isoformat())
        _add(period, "period-end", iso_date=end.isoformat())
        _add(period, "target", value=said["target"])
        if value is not None:
            _add(period, "actual", value=value)
