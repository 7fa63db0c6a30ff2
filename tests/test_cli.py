"""The command line as a person and a script use it: exit codes, sentences on stderr, a submit that goes on after a break."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import RULES
from app.submitting import read_file
from tests.serving import earmark, served
from tests.web.test_proposals import STRONG, shifted

EXAMPLES = RULES / "dk-iom-2023-2026" / "examples"


@pytest.mark.parametrize(("name", "code"), [("strong", 0), ("draft", 1), ("ineligible", 1)])
def test_screening_a_file_says_by_its_exit_code_whether_it_is_eligible(name: str, code: int) -> None:
    done = earmark("screen", "--json", str(EXAMPLES / f"{name}.json"))
    assert done.returncode == code
    assert (json.loads(done.stdout)["outcome"] == "eligible") == (code == 0)


def test_every_fault_of_a_file_is_named_on_stderr(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("cycle: 2026\ncontent: {titel: x, budget: [], countries: [{code: NO, stages: [origin]}]}\n")
    done = earmark("screen", str(bad))
    assert done.returncode == 2
    assert "did you mean 'title'" in done.stderr
    assert "/content/budget" in done.stderr
    assert "/content/countries" not in done.stderr  # NO is Norway, not false


def test_a_file_that_is_no_proposal_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1,")
    done = earmark("screen", str(tmp_path / "x.json"), str(tmp_path / "absent.json"))
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "neither JSON nor YAML" in done.stderr


def test_json_and_yaml_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"cycle": 2026, "content": {"title": "\\ud83d\\ude00 2026-01-01", "route": "NO"}}'
    )
    (tmp_path / "a.yaml").write_text('cycle: 2026\ncontent: {title: "\U0001f600 2026-01-01", route: NO}\n')
    assert read_file(tmp_path / "a.json") == read_file(tmp_path / "a.yaml")


def test_a_rulebook_with_mistakes_is_refused_with_their_places(tmp_path: Path) -> None:
    text = (RULES / "dk-iom-2023-2026" / "criteria.yaml").read_text()
    (tmp_path / "criteria.yaml").write_text(text.replace("activity_stages) >= ", "activity_stagges) >= ", 1))
    done = earmark("rulebook", "check", str(tmp_path / "criteria.yaml"))
    assert done.returncode == 1
    assert "unknown name 'activity_stagges'; did you mean 'activity_stages'?" in done.stderr
    assert done.stderr.startswith(f"{tmp_path}/criteria.yaml:")


def test_a_changed_rule_says_whose_result_would_change(database_url: str, tmp_path: Path) -> None:
    old = RULES / "dk-iom-2023-2026" / "criteria.yaml"
    new = tmp_path / "criteria.yaml"
    new.write_text(old.read_text().replace("least_months: 24", "least_months: 60"))
    assert new.read_text() != old.read_text()
    done = earmark("rulebook", "diff", str(old), str(new), "--against-database", EARMARK_DATABASE_URL=database_url)
    assert done.returncode == 1, done.stderr
    assert "e3" in done.stdout
    assert "DK-IOM-" in done.stdout
    assert earmark("rulebook", "diff", str(old), str(old)).returncode == 0


def test_what_the_demo_stores_is_sound(database_url: str) -> None:
    done = earmark("check", EARMARK_DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (0, "Everything stored is sound.\n"), done.stderr


def test_submitting_again_after_a_break_makes_nothing_twice(database_url: str, tmp_path: Path) -> None:
    files = []
    for i in range(3):
        files.append(tmp_path / f"{i}.json")
        files[-1].write_text(json.dumps({"cycle": 2027, "content": {**shifted(STRONG), "route": f"Resumed {i}"}}))
    with served(database_url, tmp_path) as address:
        token = json.loads((tmp_path / "demo.json").read_text())["iom_focal_point"]["token"]
        words = ["--url", address, "--office", "IOM-NE"]
        first = earmark("submit", *map(str, files[:2]), *words, EARMARK_TOKEN=token)
        again = earmark("submit", *map(str, files), *words, EARMARK_TOKEN=token)
        listed = _references(address, token)
    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert again.stdout.splitlines()[:2] == first.stdout.splitlines()
    assert len(listed) == 3
    unreachable = earmark("submit", str(files[0]), "--url", address, EARMARK_TOKEN=token)
    assert unreachable.returncode == 1
    assert "does not answer" in unreachable.stdout


def _references(address: str, token: str) -> list[Any]:
    answer = httpx.get(
        f"{address}/api/v1/proposals", params={"q": "Resumed"}, headers={"Authorization": f"Bearer {token}"}
    )
    return [one["ref"] for one in answer.json()["items"] if one["state"] == "submitted" and one["cycle"] == 2027]
