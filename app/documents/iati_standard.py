"""The structure of IATI 2.03 activity files: our table of the standard as a schema, and its refusals as sentences.

The standard's own schema is somebody else's and is not shipped; tests hold this one against it. See `iati_standard.txt`.
"""

import io
import re
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

TABLE = Path(__file__).parent / "iati_standard.txt"
_ATTRIBUTE = re.compile(r"([\w-]+)(?::(\w+))?(!?)")
_CHILD = re.compile(r"([\w-]+)(?:=(:?[\w-]+))?([?*+]?)")
_TIMES = {"": (1, "1"), "?": (0, "1"), "*": (0, "unbounded"), "+": (1, "unbounded")}
_FOREIGN = '<xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>'
_FOREIGN_ATTRIBUTES = '<xs:anyAttribute namespace="##other" processContents="lax"/>'
_XS = "http://www.w3.org/2001/XMLSchema"
# The four attributes that XML itself knows; they may stand wherever foreign ones may.
_XML = f"""<xs:schema xmlns:xs="{_XS}" targetNamespace="http://www.w3.org/XML/1998/namespace">
<xs:attribute name="lang"><xs:simpleType><xs:union memberTypes="xs:language"><xs:simpleType>
<xs:restriction base="xs:string"><xs:enumeration value=""/></xs:restriction>
</xs:simpleType></xs:union></xs:simpleType></xs:attribute>
<xs:attribute name="space"><xs:simpleType><xs:restriction base="xs:NCName">
<xs:enumeration value="default"/><xs:enumeration value="preserve"/></xs:restriction></xs:simpleType></xs:attribute>
<xs:attribute name="base" type="xs:anyURI"/><xs:attribute name="id" type="xs:ID"/></xs:schema>"""


class _OwnXml(etree.Resolver):  # type: ignore[misc]  # lxml has no types
    """Gives the schema its import from here, never from a file or the network."""

    def resolve(self, url: str, public_id: str, context: Any) -> Any:
        return self.resolve_string(_XML, context)


@cache
def schema() -> Any:
    """The compiled schema; made at first use, in a few milliseconds."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_OwnXml())
    return etree.XMLSchema(etree.parse(io.StringIO(written(TABLE.read_text("utf-8"))), parser))


def written(table: str) -> str:
    """The table as an XML Schema."""
    lines = re.sub(r"\n +", " ", re.sub(r"^#.*\n", "", table, flags=re.MULTILINE)).splitlines()
    parts = "".join(_line(*line.split()) for line in lines if line)
    head = '<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="xml"/>'
    return f'<xs:schema xmlns:xs="{_XS}">{head}{parts}</xs:schema>'


def _line(name: str, *words: str) -> str:
    plain = name.removeprefix("/")
    if words[:1] and words[0].startswith("="):
        return f'<xs:element name="{name}" type="{words[0][1:]}"/>'
    element = "" if name.startswith("/") else f'<xs:element name="{name}" type="{plain}"/>'
    return f'{element}<xs:complexType name="{plain}">{_content(list(words))}</xs:complexType>'


def _content(words: list[str]) -> str:
    cut = words.index(">") if ">" in words else len(words)
    said, children = words[:cut], words[cut + 1 :]
    foreign = "" if "closed" in said else _FOREIGN_ATTRIBUTES
    text = next((word[1:] for word in said if word.startswith(":")), None)
    attributes = "".join(_attribute(word) for word in said if word != "closed" and not word.startswith(":")) + foreign
    if text:
        extension = f'<xs:extension base="xs:{text}">{attributes}</xs:extension>'
        return f"<xs:simpleContent>{extension}</xs:simpleContent>"
    return f"<xs:sequence>{''.join(map(_child, children))}{_FOREIGN}</xs:sequence>{attributes}"


def _attribute(word: str) -> str:
    found = _ATTRIBUTE.fullmatch(word)
    assert found, word
    use = "required" if found[3] else "optional"
    return f'<xs:attribute name="{found[1]}" type="xs:{found[2] or "string"}" use="{use}"/>'


def _child(word: str) -> str:
    found = _CHILD.fullmatch(word)
    assert found, word
    name, shape, (least, most) = found[1], found[2], _TIMES[found[3]]
    what = f'name="{name}" type="{shape.replace(":", "xs:")}"' if shape else f'ref="{name}"'
    return f'<xs:element {what} minOccurs="{least}" maxOccurs="{most}"/>'
