"""The running API keeps to its own description: schemathesis finds no 5xx and no undocumented answer, on both databases."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from app.main import create_app
from app.settings import ROOT
from app.web.access import DOORS
from app.web.answers import NEVER_KEPT
from tests.conftest import settings_for
from tests.serving import served

CONFIG = """
[checks]
positive_data_acceptance.enabled = false  # a schema cannot say that references must exist or windows be open

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 412, 415, 422, 428]  # 412 goes before 422: API.md's precedence
"""


# Every border of every parameter is tried on SQLite, over 5,000 cases; on PostgreSQL it is examples drawn anew. The suite draws
# the same ones each time; the soak draws others, so many for each operation, for so long.
PHASES = {"sqlite": ("examples,coverage,fuzzing", "2"), "postgresql": ("examples,fuzzing", "3")}
SEED, EXAMPLES = int(os.environ.get("SOAK_SEED", "20261123")), os.environ.get("SOAK_EXAMPLES")
SECONDS = os.environ.get("SOAK_SECONDS")
ROLES = {"sqlite": "iom_focal_point", "postgresql": "mfa_head"}


def operations_of(document: dict[str, Any], kind: str) -> list[str]:
    """The operations tried on a database: those of its role, and every second one that both roles may use.

    Elsewhere a role only ever meets a 403. Its own token it may not revoke.
    """
    mine, other = ROLES[kind], next(role for one, role in ROLES.items() if one != kind)
    found, shared = [], 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            door = DOORS[f"{method.upper()} {path}"]
            both = door.public or {mine, other} <= door.roles
            shared += both
            tried = mine in door.roles if not both else shared % 2 == list(ROLES).index(kind)
            if tried and operation["operationId"] != "revoke_token":
                found.append(operation["operationId"])
    return found


def test_no_5xx_and_no_undocumented_answer(
    database_url: str, tmp_path: Path, record_property: Any, capsys: Any
) -> None:
    kind = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    phases, examples = PHASES[kind]
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    with served(database_url, tmp_path) as address:
        token = json.loads((tmp_path / "demo.json").read_text())[ROLES[kind]]["token"]
        command = ["--config-file", str(tmp_path / "schemathesis.toml"), "run", f"{address}/api/v1/openapi.json"]
        command += ["-H", f"Authorization: Bearer {token}", "--max-examples", EXAMPLES or examples]
        command += ["--request-timeout", "60", "--no-color", "--seed", str(SEED)]
        command += ["--max-time", SECONDS] if SECONDS else []
        for name in operations_of(httpx.get(f"{address}/api/v1/openapi.json").json(), kind):
            command += ["--include-operation-id", name]
        command += ["--phases", phases]
        command += ["--generation-database", "none"] if EXAMPLES else ["--generation-deterministic"]
        done = subprocess.run(
            [Path(sys.executable).parent / "schemathesis", *command],
            cwd=tmp_path,
            # Without the variables of this shell, which it reads anew for every request; what it reckons of Unicode is kept.
            env={"PATH": os.defpath, "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis")},
            check=False,
            capture_output=True,
            text=True,
        )
    cases = re.search(r"(\d+) generated", done.stdout)
    for name, value in {"seed": SEED, "cases": int(cases[1]) if cases else 0, "exit code": done.returncode}.items():
        record_property(name, value)
    with capsys.disabled():
        print(f"\ncontract on {kind}, seed {SEED}: {cases and cases[0]}")
    assert done.returncode == 0, done.stdout[-6000:]
    assert SECONDS or kind == "postgresql" or (cases and int(cases[1]) >= 5000)


def test_an_answer_that_is_never_kept_promises_no_repetition_and_every_other_does(tmp_path: Path) -> None:
    paths = create_app(settings_for(f"sqlite:///{tmp_path}/a.db", tmp_path)).openapi()["paths"]
    keyed = {
        operation["operationId"]: any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
        for operations in paths.values()
        for method, operation in operations.items()
        if method == "post"
    }
    assert {name for name, promised in keyed.items() if not promised} == NEVER_KEPT
