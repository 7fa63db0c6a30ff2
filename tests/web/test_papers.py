"""Minutes, decision letters, decision memos: as data and as accessible PDF; coverage, what-if and technical meetings."""

import shutil
import subprocess
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from app.documents.wording import TABLES
from app.documents.words import WORDS
from tests.conftest import Service

PDF = {"Accept": "application/pdf"}


def told(raw: bytes) -> str:
    """The paper's text as pdftotext reads it out."""
    done = subprocess.run(
        [shutil.which("pdftotext") or "pdftotext", "-layout", "-", "-"], check=False, input=raw, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.decode().split())


def check_accessible(raw: bytes, language: str) -> None:
    """What PDF/UA-1 asks for, as far as a file shows it: marked, tagged to the last element, titled, with its language."""
    reader: Any = PdfReader(BytesIO(raw))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712  # pypdf's own boolean
    assert root["/Lang"].startswith(language)
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712
    assert reader.metadata["/Title"]
    xmp = root["/Metadata"].get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    kinds = set(kinds_of(root["/StructTreeRoot"]))
    assert {"/H1", "/Table", "/TH", "/TD"} <= kinds, kinds
    for page in reader.pages:
        assert page["/Tabs"] == "/S"
        for font in page["/Resources"]["/Font"].values():
            assert font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"], "every font is embedded"


def kinds_of(element: Any) -> Any:
    element = element.get_object()
    if isinstance(element, dict):
        if "/S" in element:
            yield str(element["/S"])
        children = element.get("/K", [])
        children = children.get_object() if hasattr(children, "get_object") else children
        for child in children if isinstance(children, list) else [children]:
            if not isinstance(child, int):
                yield from kinds_of(child)


def test_the_minutes_tell_every_decision_in_both_languages(run: Any) -> None:
    async def scenario(service: Service) -> None:
        said = (await service.call("iom_focal_point", "GET", "/consultations/4/minutes")).json()
        assert [one["decision"] for one in said["decisions"]] == ["approve", "defer"]
        assert said["confirmed"]
        audit = (await service.call("auditor", "GET", f"/audit/verify?head={said['head']}")).json()
        assert audit["sound"]
        before, after = ({one["year"]: one for one in said["envelopes"][key]} for key in ("before", "after"))
        assert after[2026]["approved"] - before[2026]["approved"] == 20_000_000
        for language, words in (("en", ["20,000,000", "Deferred to 2027"]), ("da", ["20.000.000", "Udsat til 2027"])):
            for path in ("/consultations/4/minutes", "/consultations/4/minutes"):
                made = await service.call("iom_focal_point", "GET", f"{path}?language={language}", headers=PDF)
                assert made.headers["Content-Type"] == "application/pdf"
                check_accessible(made.content, language)
                text = told(made.content)
                for word in [*words, said["head"], *(one["ref"] for one in said["decisions"])]:
                    assert word in text, (word, text)
            again = await service.call("iom_focal_point", "GET", f"{path}?language={language}", headers=PDF)
            assert again.content == made.content
        danish = {**PDF, "Accept-Language": "da-DK,da;q=0.9"}
        preferred = await service.call("mfa_head", "GET", "/consultations/4/minutes", headers=danish)
        assert "Referat" in told(preferred.content)
        assert (await service.call("mfa_head", "GET", "/consultations/5/minutes")).status_code == 404

    run(scenario)


def test_iom_answers_the_minutes_and_has_the_last_word(run: Any) -> None:
    async def scenario(service: Service) -> None:
        said = (await service.call("auditor", "GET", "/consultations/2/minutes")).json()
        assert [one["answer"] for one in said["answers"]] == ["object", "confirm"]
        path = "/consultations/2/minutes"
        late = await service.call("iom_focal_point", "POST", f"{path}/object", json={"reason": "No."})
        assert (late.status_code, late.json()["code"]) == (409, "minutes_confirmed")
        assert (await service.call("iom_focal_point", "POST", f"{path}/confirm")).status_code == 409
        assert (await service.call("mfa_head", "POST", f"{path}/confirm")).status_code == 403
        assert (await service.call("iom_focal_point", "POST", "/consultations/5/minutes/confirm")).status_code == 404

    run(scenario)


def test_each_reads_of_the_minutes_what_they_can_see(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for role, refs in (
            ("iom_focal_point", ["DK-IOM-2023-001", "DK-IOM-2023-002"]),
            ("iom_office", ["DK-IOM-2023-001"]),
            ("embassy", ["DK-IOM-2023-001"]),
            ("mission", ["DK-IOM-2023-001", "DK-IOM-2023-002"]),
        ):
            said = (await service.call(role, "GET", "/consultations/1/minutes")).json()
            assert [one["ref"] for one in said["decisions"]] == refs, role
            shown = (await service.call(role, "GET", "/consultations/1")).json()
            assert [one["ref"] for one in shown["agenda"]] == refs
            assert "totals" not in shown

    run(scenario)


@pytest.mark.parametrize(
    ("ref", "language", "words"),
    [
        ("DK-IOM-2023-001", "en", ["has decided to fund", "19,665,000", "confirmed in writing"]),
        ("DK-IOM-2025-002", "da", ["ikke at støtte", "Begrundelse"]),
        ("DK-IOM-2026-003", "en", ["deferred the proposal to the cycle 2027"]),
    ],
)
def test_a_decision_letter_says_what_was_decided(run: Any, ref: str, language: str, words: list[str]) -> None:
    async def scenario(service: Service) -> None:
        path = f"/proposals/{ref}/decision-letter?language={language}"
        said = (await service.call("iom_focal_point", "GET", path)).json()
        made = await service.call("iom_focal_point", "GET", path, headers=PDF)
        text = told(made.content)
        for word in [*words, said["head"], ref]:
            assert word in text, (word, text)

    run(scenario)


def test_the_decision_memo_stays_in_the_ministry(run: Any) -> None:
    async def scenario(service: Service) -> None:
        path = "/proposals/DK-IOM-2026-001/decision-memo"
        for role in ("iom_focal_point", "iom_office", "embassy", "mission", "admin"):
            assert (await service.call(role, "GET", path)).status_code == 403
        said = (await service.call("mfa_head", "GET", path)).json()
        assert {one["letter"]: one["screening"] for one in said["criteria"]}["a"] == "met"
        assert [one["year"] for one in said["envelopes"]] == [2026]
        assert len(said["assessed"]) == 2
        for language, word in (("en", "It is recommended to approve."), ("da", "Det indstilles at godkende.")):
            made = await service.call("mfa_head", "GET", f"{path}?language={language}", headers=PDF)
            check_accessible(made.content, language)
            assert word in told(made.content)

    run(scenario)


def test_hostile_text_is_text_on_paper(run: Any) -> None:
    hostile = '#panic("x") $x$ *bold* </w> = Heading \\ " @ref [link] <label>'

    async def scenario(service: Service) -> None:
        path = "/consultations"
        plan = {"cycle": 2027, "date": "2026-11-23", "place": hostile, "participants": [hostile], "reason": hostile}
        made = (await service.call("mfa_reviewer", "POST", path, json=plan)).json()
        own = f"{path}/{made['id']}"
        await service.call(
            "mfa_reviewer", "PUT", "/consultations/5/agenda", json={"proposals": []}, headers={"If-Match": "*"}
        )
        agenda = await service.call("mfa_reviewer", "PUT", f"{own}/agenda", json={"proposals": ["DK-IOM-2027-001"]})
        assert agenda.status_code == 200, agenda.text
        await service.call("mfa_head", "POST", f"{own}/open")
        decision = {"decision": "reject", "reason": hostile, "conditions": [hostile]}
        put = await service.call("mfa_head", "PUT", f"{own}/decisions/DK-IOM-2027-001", json=decision)
        assert put.status_code == 200, put.text
        assert (await service.call("mfa_head", "POST", f"{own}/conclude")).status_code == 200
        read = await service.call("mfa_head", "GET", f"{own}/minutes", headers=PDF)
        assert read.status_code == 200
        assert told(read.content).count('#panic("x") $x$ *bold*') == 5

    run(scenario)


def test_both_languages_have_the_same_words() -> None:
    assert set(WORDS["en"]) == set(WORDS["da"])
    assert sum(len(table) for table in TABLES) == len(WORDS["en"]), "no key stands in two tables"
    assert all(WORDS["en"].values())
    assert all(WORDS["da"].values())


def test_coverage_adds_up_and_names_the_gaps(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for year in (2023, 2024, 2025, 2026, 2027):
            said = (await service.call("mfa_head", "GET", f"/cycles/{year}/coverage")).json()
            for key in ("requested", "approved"):
                whole = sum(one[key] for one in said["proposals"])
                assert sum(one[key] for one in said["countries"]) == whole, (year, key)
                assert sum(one[key] for one in said["regions"]) == whole
                assert sum(one[key] for one in said["money"]) == whole
            bare = {one["letter"] for one in said["criteria"] if not one["proposals"]}
            assert bare == {gap["subject"] for gap in said["gaps"] if gap["kind"] == "criterion"}
        assert (await service.call("mfa_head", "GET", "/cycles/2040/coverage")).status_code == 404
        assert (await service.call("iom_focal_point", "GET", "/cycles/2026/coverage")).status_code == 403

    run(scenario)


def test_what_if_reckons_and_says_that_it_is_no_advice(run: Any) -> None:
    async def scenario(service: Service) -> None:
        path = "/cycles/2027/what-if"
        said = await service.call(
            "mfa_reviewer",
            "POST",
            path,
            json={"include": ["DK-IOM-2027-001"], "best": {"objective": "money", "sets": 2}},
        )
        body = said.json()
        assert "not advice" in body["note"]
        assert body["fits"]
        assert body["envelopes"][0]["wanted"] == 19_730_000
        assert [one["proven"] for one in body["best"]["sets"]] == [True, True]
        values = [one["value"] for one in body["best"]["sets"]]
        assert values == sorted(values, reverse=True)
        more = {"include": ["DK-IOM-2027-001"], "amounts": {"DK-IOM-2027-001": {"2027": 60_000_000}}}
        over = (await service.call("mfa_reviewer", "POST", path, json=more)).json()
        assert (over["fits"], over["refusals"][0]["code"]) == (False, "envelope_exceeded")
        wrong = await service.call("mfa_reviewer", "POST", path, json={"include": ["DK-IOM-2023-001"]})
        assert wrong.json()["errors"][0]["pointer"] == "/include/0"
        assert (await service.call("iom_office", "POST", path, json={})).status_code == 403

    run(scenario)


def test_a_what_if_with_an_idempotency_key_is_answered_once_and_again(run: Any) -> None:
    async def scenario(service: Service) -> None:
        async def ask(key: str, body: dict[str, Any]) -> Any:
            asked = {"json": body, "headers": {"Idempotency-Key": key}}
            return await service.call("mfa_head", "POST", "/cycles/2027/what-if", **asked)

        first, again, other = await ask("a", {}), await ask("a", {}), await ask("a", {"include": ["DK-IOM-2027-001"]})
        assert (first.status_code, again.content) == (200, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert (await ask("x" * 256, {})).json()["code"] == "idempotency_key_invalid"

    run(scenario)
