"""Hash seed, locale, time zone and Python's minor version do not change a byte of a screening."""

import os
import subprocess
import sys

import pytest

from app.settings import ROOT

SCRIPT = """
import hashlib, random, sys
from datetime import date
sys.path.insert(0, ".")
from app.domain.case import Cycle, Frame
from app.domain.proposal import read_content
from app.domain.screening import result_bytes, screen
from app.services.rulebooks import open_library
from app.settings import RULES
from tests import generate
book, rng, all_of_it = open_library(RULES, "dk-iom-2023-2026").current, random.Random(5), hashlib.sha256()
frame = Frame(Cycle(2026, 2027), {2026: 50_000_000, 2027: 50_000_000}, date(2026, 11, 23))
for i in range(60):
    content, faults = read_content((generate.draft if i % 2 else generate.proposal)(rng), book.indicator_codes)
    all_of_it.update(result_bytes(screen(content, book, frame)))
print(all_of_it.hexdigest())
"""


def digest(python: str, **env: str) -> str:
    done = subprocess.run(
        [python, "-c", SCRIPT], cwd=ROOT, env={**os.environ, **env}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def usual() -> str:
    return digest(sys.executable, PYTHONHASHSEED="0")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati"},
        {"LC_ALL": "da_DK.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "America/Anchorage"},
    ],
)
def test_the_surroundings_do_not_change_a_byte(env: dict[str, str], usual: str) -> None:
    assert digest(sys.executable, **env) == usual
