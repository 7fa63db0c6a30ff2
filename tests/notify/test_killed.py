"""The promise of the outbox: kill -9 of the whole service under load, again and again, loses nothing and invents nothing."""

import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import copy_of
from tests.notify.killing import killed

KILLS = int(os.environ.get("SOAK_KILLS", "100"))
SECONDS = float(os.environ.get("SOAK_SECONDS", "240"))
NEVER = ("lost", "dead", "phantom", "missing", "doubled")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_a_hundred_times_under_load_nothing_is_lost_and_nothing_invented(
    kind: str, filled: dict[str, Any], tmp_path: Path, capsys: Any, record_property: Any
) -> None:
    seed = random.randrange(10**6)
    with copy_of(kind, filled, tmp_path) as url:
        found = killed(url, tmp_path, filled[kind], KILLS, SECONDS, random.Random(seed))
    for name, value in {"seed": seed, **found}.items():
        record_property(name, value)
    with capsys.disabled():
        print(f"\nkilled under load on {kind}, seed {seed}: {found}")
    assert {name: found[name] for name in NEVER} == dict.fromkeys(NEVER, 0)
    assert found["messages"] > found["kills"], "it was killed at work"
