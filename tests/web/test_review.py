"""Review by people: questions to IOM, assessments that are blind until one's own is done, and the recommendation."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.assessment import LETTERS, consolidate, score_tenths
from app.domain.difference import differences
from tests.conftest import Service
from tests.web.test_proposals import STRONG, made, shifted

GOOD: dict[str, Any] = {"grades": dict.fromkeys("abcdefgh", 3), "comments": {}, "overall": "A sound proposal."}
MEMO = {"move": "recommend", "recommendation": "approve", "reason": "It fits.", "memo": "Indstilling: approve."}


async def under_review(service: Service) -> str:
    ref = str((await made(service))["ref"])
    for role, move in (("iom_focal_point", "submit"), ("mfa_reviewer", "start_review")):
        answer = await service.call(role, "POST", f"/proposals/{ref}/moves", json={"move": move})
        assert answer.status_code == 200, answer.text
    return ref


async def assess(service: Service, role: str, ref: str, said: dict[str, Any]) -> None:
    path = f"/proposals/{ref}/assessments/mine"
    saved = await service.call(role, "PUT", path, json=said)
    assert saved.status_code == 200, saved.text
    done = await service.call(role, "POST", f"{path}/complete")
    assert done.status_code == 200, done.text


def test_two_blind_assessments_lead_to_a_recommendation(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await under_review(service)
        path = f"/proposals/{ref}/assessments"
        early = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=MEMO)
        assert {one["code"] for one in early.json()["refusals"]} == {"assessments_missing", "mandatory_not_met"}
        await assess(service, "mfa_reviewer", ref, GOOD)
        blind = (await service.call("mfa_reviewer_2", "GET", path)).json()
        assert (blind["blind"], blind["completed"], blind["items"], blind["consolidated"]) == (True, 1, [], None)
        other = {**GOOD, "grades": {**GOOD["grades"], "b": 1}, "comments": {"b": "EMM2.0 is only named."}}
        await assess(service, "mfa_reviewer_2", ref, other)
        both = (await service.call("mfa_reviewer_2", "GET", path)).json()
        assert (both["blind"], len(both["items"])) == (False, 2)
        assert both["consolidated"]["criteria"]["b"] == {"grades": [3, 1], "mean": 2.0, "met": True, "flagged": True}
        assert both["consolidated"]["flagged"] == ["b"]
        expected = 100 * (Fraction(10 * 3 + 2, 1) / 4 / 11)
        assert both["consolidated"]["score"] == int(expected * 10 + Fraction(1, 2)) / 10
        needs = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json={"move": "recommend"})
        assert {one["pointer"] for one in needs.json()["errors"]} == {"/recommendation", "/reason", "/memo"}
        moved = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=MEMO)
        assert moved.json()["state"] == "recommended", moved.text
        for role in ("iom_focal_point", "iom_office"):
            assert (await service.call(role, "GET", path)).status_code == 403
            history = await service.call(role, "GET", f"/proposals/{ref}/history")
            assert "It fits" not in history.text
            assert "Indstilling" not in history.text
            seen = (await service.call(role, "GET", f"/proposals/{ref}")).json()
            assert seen["state"] == "recommended"

    run(scenario)


def test_what_an_assessment_lacks_is_told_with_its_place(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await under_review(service)
        path = f"/proposals/{ref}/assessments/mine"
        nothing = await service.call("mfa_reviewer", "POST", f"{path}/complete")
        assert {one["pointer"] for one in nothing.json()["errors"]} >= {"/grades/a", "/grades/h", "/overall"}
        for grades, status in (
            ({"a": 5}, 422),
            ({"a": None}, 422),
            ({"z": 1}, 422),
            ({"a": "3"}, 422),
            ({"a": 0}, 200),
        ):
            answer = await service.call("mfa_reviewer", "PUT", path, json={"grades": grades})
            assert answer.status_code == status, (grades, answer.text)
        low = {**GOOD, "grades": {**GOOD["grades"], "a": 1}}
        await service.call("mfa_reviewer", "PUT", path, json=low)
        lacking = await service.call("mfa_reviewer", "POST", f"{path}/complete")
        assert [one["pointer"] for one in lacking.json()["errors"]] == ["/comments/a"]
        await assess(service, "mfa_reviewer", ref, {**low, "comments": {"a": "The route is not one."}})
        again = await service.call("mfa_reviewer", "PUT", path, json=GOOD)
        assert (again.status_code, again.json()["code"]) == (409, "completed_already")
        opened = await service.call("mfa_reviewer", "POST", f"{path}/reopen", json={"reason": "IOM answered."})
        assert opened.json()["mine"]["past"][0]["reopened_because"] == "IOM answered."
        await assess(service, "mfa_reviewer", ref, GOOD)
        await assess(service, "mfa_reviewer_2", ref, {**low, "comments": {"a": "The route is not one."}})
        verdict = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=MEMO)
        assert verdict.json()["state"] == "recommended"  # mean of 3 and 1 is 2, which is enough

    run(scenario)


def test_a_new_snapshot_is_assessed_anew_and_shows_what_changed(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await under_review(service)
        await assess(service, "mfa_reviewer", ref, GOOD)
        moves = f"/proposals/{ref}/moves"
        back = {"move": "return", "reason": "Say more about the route.", "deadline": "2026-12-20"}
        assert (await service.call("mfa_reviewer", "POST", moves, json=back)).status_code == 200
        content = {**shifted(STRONG), "route": "Another route"}
        first, *rest = content["activities"]
        content["activities"] = [*rest, {**first, "title": "Another title"}]
        put = await service.call(
            "iom_office", "PUT", f"/proposals/{ref}/content", json=content, headers={"If-Match": "*"}
        )
        assert put.status_code == 200
        for role, move in (("iom_focal_point", "submit"), ("mfa_reviewer", "start_review")):
            assert (await service.call(role, "POST", moves, json={"move": move})).status_code == 200
        mine = (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/assessments")).json()
        assert (mine["snapshot"], mine["mine"], mine["completed"]) == (2, None, 0)
        assert mine["earlier"]["grades"] == GOOD["grades"]
        diff = (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/snapshots/2/diff")).json()
        places = {one["pointer"] for one in diff["changes"]}
        assert places == {"/route", f"/activities/{len(rest)}/title"}
        assert (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/snapshots/1/diff")).status_code == 404
        await assess(service, "mfa_reviewer", ref, {**GOOD, "grades": mine["earlier"]["grades"], "carried_from": 1})

    run(scenario)


def test_a_question_is_asked_seen_by_both_and_answered_once(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await under_review(service)
        path = f"/proposals/{ref}/clarifications"
        for body, status in (
            ({}, 422),
            ({"question": "?", "criterion": "z"}, 422),
            ({"question": "?", "field": "zz"}, 422),
        ):
            assert (await service.call("mfa_reviewer", "POST", path, json=body)).status_code == status
        asked = await service.call(
            "mfa_reviewer", "POST", path, json={"criterion": "d", "question": "Who is confirmed?"}
        )
        assert (asked.status_code, asked.json()["due_on"]) == (201, "2026-12-07")
        number = asked.json()["id"]
        seen = (await service.call("iom_office", "GET", path)).json()["items"]
        assert [one["question"] for one in seen] == ["Who is confirmed?"]
        answer = f"{path}/{number}/answer"
        assert (await service.call("mfa_reviewer", "POST", answer, json={"answer": "x"})).status_code == 403
        assert (await service.call("iom_office", "POST", answer, json={"answer": "Both."})).status_code == 200
        twice = await service.call("iom_focal_point", "POST", answer, json={"answer": "None."})
        assert (twice.status_code, twice.json()["code"]) == (409, "answered_already")
        assert (
            await service.call("iom_office", "POST", f"{path}/99999/answer", json={"answer": "x"})
        ).status_code == 404
        told = (await service.call("auditor", "GET", path)).json()["items"][0]
        assert told["answer"] == "Both."

    run(scenario)


@given(st.lists(st.fixed_dictionaries({one: st.none() | st.integers(0, 4) for one in LETTERS}), min_size=1, max_size=5))
def test_means_and_score_are_exact(assessments: list[dict[str, int | None]]) -> None:
    found = consolidate(assessments)
    for one in found:
        given_ = [a[one.letter] for a in assessments if a[one.letter] is not None]
        assert one.mean == (Fraction(sum(given_), len(given_)) if given_ else None)  # type: ignore[arg-type]
        assert one.met == (None if not given_ else sum(given_) >= 2 * len(given_))  # type: ignore[arg-type]
    weights = {letter: 2 if letter in "ace" else 1 for letter in LETTERS}
    tenths = score_tenths(found, weights)
    if all(one.mean is None for one in found):
        assert tenths is None
    else:
        top = sum(weights[one.letter] * one.mean for one in found if one.mean is not None)
        whole = sum(weights[one.letter] for one in found if one.mean is not None)
        assert tenths == int(Fraction(top) / whole / 4 * 1000 + Fraction(1, 2))


@pytest.mark.parametrize(
    ("before", "after", "places"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"b": 1}, ["/a", "/b"]),
        ({"x": [{"ref": "1", "v": 1}, {"ref": "2", "v": 1}]}, {"x": [{"ref": "2", "v": 2}]}, ["/x/0/v", "/x/-"]),
        ({"x": [1, 2]}, {"x": [2, 1]}, ["/x"]),
    ],
)
def test_differences_are_told_by_place(before: Any, after: Any, places: list[str]) -> None:
    assert [one["pointer"] for one in differences(before, after)] == places
