"""Files of others: read by their name, within limits, refused in a sentence."""

import json

import pytest

from app.documents.proposal_files import LARGEST_YAML, read_upload

SAID = {"cycle": 2027, "content": {"route": "Sahara", "period": {"start": "2027-01-01"}}}


def test_json_and_yaml_say_the_same() -> None:
    raw = json.dumps(SAID).encode()
    written = b"cycle: 2027\ncontent:\n  route: Sahara\n  period: {start: 2027-01-01}\n"
    assert read_upload("a.JSON", b"\xef\xbb\xbf" + raw).value == read_upload("a.yml", written).value == SAID


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("a.txt", b"{}", "comes as JSON, YAML or a workbook"),
        ("a.json", b'{"cycle": 2027}', "an object with `cycle` and `content` is needed"),
        ("a.json", b'{"content": {"a": NaN}}', "neither JSON nor YAML"),
        ("a.json", b"[" * 100_000, "neither JSON nor YAML"),
        ("a.yaml", b"\xff\xfe", "not text in UTF-8"),
        ("a.yaml", b"a: &x [1, 1]\ncontent: {b: *x}", "aliases"),
        ("a.yaml", b"#" * (LARGEST_YAML + 1), "may have 200,000 bytes"),
        ("a.xlsx", b"PK\x03\x04", "a.xlsx: "),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(name: str, raw: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=r"^a") as refused:
        read_upload(name, raw)
    assert says in str(refused.value)
