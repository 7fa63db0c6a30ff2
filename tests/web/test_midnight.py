"""Midnight in Copenhagen, in winter, in summer and at the two daylight-saving switches: a day lasts to its own end, not to UTC's."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.domain.cycle import day_of
from app.services import clock
from app.services.clock import Now
from tests.conftest import Service
from tests.web.test_consultations import APPROVE, PLAN, opened, recommended
from tests.web.test_review import under_review

LAST_SECONDS = [
    (date(2027, 2, 9), datetime(2027, 2, 9, 22, 59, 59, tzinfo=UTC)),
    (date(2026, 7, 1), datetime(2026, 7, 1, 21, 59, 59, tzinfo=UTC)),
    (date(2027, 3, 27), datetime(2027, 3, 27, 22, 59, 59, tzinfo=UTC)),  # the night before the clock goes forward
    (date(2027, 3, 28), datetime(2027, 3, 28, 21, 59, 59, tzinfo=UTC)),  # a day of 23 hours
    (date(2026, 10, 24), datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC)),
    (date(2026, 10, 25), datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)),  # a day of 25 hours
]


def set_clock(patch: pytest.MonkeyPatch, at: datetime) -> None:
    patch.setattr(clock, "now", lambda fixed=None: Now(at, day_of(at)))


@pytest.mark.parametrize(("day", "last"), LAST_SECONDS)
def test_a_day_ends_at_midnight_in_copenhagen(day: date, last: datetime) -> None:
    assert day_of(last) == day
    assert day_of(last + timedelta(seconds=1)) == day + timedelta(days=1)


def test_a_consultation_is_concluded_from_midnight_of_its_day(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        path = await opened(service, [ref], PLAN)
        assert (await service.call("mfa_head", "PUT", f"{path}/decisions/{ref}", json=APPROVE)).status_code == 200
        set_clock(monkeypatch, datetime(2027, 2, 9, 22, 59, 59, tzinfo=UTC))
        early = await service.call("mfa_head", "POST", f"{path}/conclude")
        assert [one["code"] for one in early.json()["refusals"]] == ["too_early"]
        set_clock(monkeypatch, datetime(2027, 2, 9, 23, 0, 0, tzinfo=UTC))
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200

    run(scenario)


@pytest.mark.parametrize(("day", "last"), LAST_SECONDS[2:4])
def test_a_returned_proposal_comes_in_time_until_its_last_second(
    run: Any, monkeypatch: pytest.MonkeyPatch, day: date, last: datetime
) -> None:
    async def scenario(service: Service) -> None:
        refs = [await under_review(service) for _ in range(2)]
        for ref in refs:
            back = {"move": "return", "reason": "Say more.", "deadline": day.isoformat()}
            assert (await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=back)).status_code == 200
        set_clock(monkeypatch, last)
        in_time = await service.call("iom_focal_point", "POST", f"/proposals/{refs[0]}/moves", json={"move": "submit"})
        assert in_time.json()["state"] == "submitted", in_time.text
        set_clock(monkeypatch, last + timedelta(seconds=1))
        late = await service.call("iom_focal_point", "POST", f"/proposals/{refs[1]}/moves", json={"move": "submit"})
        assert (late.status_code, late.json()["code"]) == (409, "deadline_passed")

    run(scenario)
