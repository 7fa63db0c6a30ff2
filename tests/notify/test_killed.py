"""The promise of the outbox: kill -9 of the whole service under load, again and again, loses nothing and invents nothing."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import copy_of
from tests.notify.killing import killed

KILLS = 100
NEVER = ("lost", "dead", "phantom", "missing", "doubled")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_a_hundred_times_under_load_nothing_is_lost_and_nothing_invented(
    kind: str, filled: dict[str, Any], tmp_path: Path, capsys: Any
) -> None:
    seed = random.randrange(10**6)
    with copy_of(kind, filled, tmp_path) as url:
        found = killed(url, tmp_path, filled[kind], KILLS, random.Random(seed))
    with capsys.disabled():
        print(f"\n{KILLS} kills under load on {kind}, seed {seed}: {found}")
    assert {name: found[name] for name in NEVER} == dict.fromkeys(NEVER, 0)
    assert found["messages"] > KILLS, "it was killed at work"
