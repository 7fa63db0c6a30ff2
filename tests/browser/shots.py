"""`make shots`: every page, as each of those it is made for sees it, in both languages and at both sizes, into `var/shots/`."""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from app.settings import ROOT
from tests.browser.desk import DANISH, ENGLISH, NARROW, WIDE, Desk, launched
from tests.browser.test_looks import LOOKS
from tests.serving import served

SHOTS = ROOT / "var" / "shots"


def main(only: str = "") -> None:
    """Take the pictures anew; `only` is a part of the addresses to picture."""
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        here = Path(folder)
        with served(f"sqlite:///{here}/earmark.db", here, local="1") as address:
            desk = Desk(launched(play), address, json.loads((here / "demo.json").read_text()), "")
            for number, (role, path) in enumerate(LOOKS):
                if only in path:
                    picture(desk, f"{number:02}-{role or 'nobody'}-{_slug(path)}", role, path)
            desk.browser.close()
    print(f"{len(list(SHOTS.iterdir()))} pictures in {SHOTS.relative_to(ROOT)}/")


def picture(desk: Desk, name: str, role: str | None, path: str) -> None:
    for language in (ENGLISH, DANISH):
        for size in (WIDE, NARROW):
            page = desk.at(role, language, size)
            page.goto(path)
            page.screenshot(path=SHOTS / f"{name}-{language[:2]}-{size[0]}.png", full_page=True)
            page.close()


def _slug(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "queue"


if __name__ == "__main__":
    main(*sys.argv[1:2])
