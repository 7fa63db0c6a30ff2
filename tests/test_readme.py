"""The README's curl scripts do what they say, run as a new user would: in a shell, against the service."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from app.settings import ROOT
from tests.conftest import copy_of
from tests.serving import TODAY, served

README = (ROOT / "README.md").read_text("utf-8")


def script(title: str) -> str:
    """The shell block under a heading."""
    part = README[README.index(f"## {title}\n") :]
    found = re.search(r"```sh\n(.*?)```", part, re.DOTALL)
    assert found, title
    return found[1]


def test_from_submit_to_closed_by_curl_alone(filled: dict[str, Any], tmp_path: Path) -> None:
    whole = script("From submit to approved") + 'echo "-- approved"\n' + script("From approved to closed")
    with copy_of("sqlite", filled, tmp_path) as url, served(url, tmp_path) as address:
        env = {**os.environ, "EARMARK_AT": address, "EARMARK_VAR": str(tmp_path), "EARMARK_TODAY": str(TODAY)}
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", whole],
            cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    said = done.stdout.splitlines()
    cut = said.index("-- approved")
    assert said[cut - 1] == "approved", said
    assert [line.split() for line in said[cut:] if line.startswith("approved ")] == [
        ["approved", "4,000,000", "agreed", "4,000,000", "paid", paid, "available", "46,000,000"]
        for paid in ("0", "2,000,000", "4,000,000")
    ]
    assert said[-3:] == ["submitted", "accepted", "closed"], said
