"""What is wrong with an IATI file, in plain sentences with their lines: from the messages of the XML library."""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

MOST = 50  # more than that help nobody
_MUST_BE = {
    "date": "a day, such as 2026-11-23",
    "dateTime": "an instant, such as 2026-11-23T09:07:00Z",
    "decimal": "a number, such as 1250.50",
    "boolean": "1, 0, true or false",
    "int": "a whole number",
    "nonNegativeInteger": "a whole number, 0 or more",
    "positiveInteger": "a whole number, 1 or more",
    "anyURI": "an address",
    "NMTOKEN": "one word",
}
_ELEMENT = r"Element '(?:\{[^}]*\})?(?P<element>[^']+)'"
_ATTRIBUTE = r", attribute '(?:\{[^}]*\})?(?P<attribute>[^']+)'"
_TYPE = r"'(?P<value>.*)' is not a valid value of the (?:atomic|list) type 'xs:(?P<type>\w+)'\."
_EXPECTED = r"Expected is (?:one of )?\( (?P<expected>.*) \)\."
_SAID = tuple(
    (re.compile(_ELEMENT + pattern, re.DOTALL), form)
    for pattern, form in (
        (r": The attribute '(?P<attribute>.+)' is required.*", "<{element}> lacks the attribute {attribute}."),
        (_ATTRIBUTE + ": The attribute .* is not allowed.*", "<{element}> may not have the attribute {attribute}."),
        (f"{_ATTRIBUTE}: {_TYPE}", "The attribute {attribute} of <{element}> is '{value}'; it must be {type}."),
        (_ATTRIBUTE + r": .*'(?P<value>.*)' is .*", "The attribute {attribute} of <{element}> cannot be '{value}'."),
        (f": {_TYPE}", "<{element}> holds '{value}'; it must be {type}."),
        (rf": Missing child.*\. {_EXPECTED}", "<{element}> ends too early; what must follow is {expected}."),
        (rf": This element is not expected\. {_EXPECTED}", "<{element}> cannot stand here; what can is {expected}."),
        (": This element is not expected.*", "<{element}> cannot stand here."),
        (": Character content .*", "<{element}> can hold elements, but no text of its own."),
        (": Element content .*", "<{element}> can hold text, but no elements."),
        (": No matching global .*", "<{element}> begins no IATI activity file; <iati-activities> does."),
    )
)


def told(log: Iterable[Any]) -> list[str]:
    """`Line 12: <sector> lacks the attribute code.` for the first fifty entries of a log."""
    said = [f"Line {one.line}: {sentence(one.message)}" for one in islice(log, MOST + 1)]
    return [*said[:MOST], "There is more; put these right first."] if len(said) > MOST else said


def sentence(message: str) -> str:
    """One message in plain words, in printable characters; one that is not known stays as it is."""
    for pattern, form in _SAID:
        if found := pattern.fullmatch(message):
            return printable(
                form.format(**{name: _PLAIN.get(name, _cut)(one) for name, one in found.groupdict().items()})
            )
    return printable(message.strip())


def printable(said: str) -> str:
    """The text without what a terminal would obey."""
    return "".join(one if one.isprintable() else " " for one in said)


def _cut(value: str) -> str:
    return value if len(value) <= 80 else f"{value[:79]}…"


def _expected(names: str) -> str:
    listed = [f"<{name}>" if "#" not in name else "elements of other namespaces" for name in names.split(", ")]
    return " or ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))


_PLAIN = {"type": lambda name: _MUST_BE.get(name, f"of the type {name}"), "expected": _expected}
