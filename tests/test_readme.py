"""The README's curl scripts do what they say, run as a new user would: in a shell, against the service."""

import os
import re
import subprocess
from pathlib import Path

from app.settings import ROOT
from tests.serving import TODAY, served

README = (ROOT / "README.md").read_text("utf-8")


def script(title: str) -> str:
    """The shell block under a heading."""
    part = README[README.index(f"## {title}\n") :]
    found = re.search(r"```sh\n(.*?)```", part, re.DOTALL)
    assert found, title
    return found[1]


def test_from_submit_to_approved_by_curl_alone(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path) as address:
        env = {**os.environ, "EARMARK_AT": address, "EARMARK_VAR": str(tmp_path), "EARMARK_TODAY": str(TODAY)}
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", script("From submit to approved")],
            cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "approved", done.stdout
