"""A real Chromium before the real service: one browser for the tests of a module, one service for those that only look.

What drives the browser keeps an event loop running; the databases are filled before it starts, and it ends with the module.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.desk import Desk, launched
from tests.conftest import copy_of
from tests.serving import served


@pytest.fixture(scope="module")
def browser(filled: dict[str, Any]) -> Iterator[Browser]:
    with sync_playwright() as play:
        made = launched(play)
        yield made
        made.close()


@pytest.fixture(scope="module")
def reading(browser: Browser, filled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The service with its demo, for tests that change nothing."""
    yield from _desk(browser, filled, tmp_path_factory.mktemp("reading"))


@pytest.fixture
def desk(browser: Browser, filled: dict[str, Any], tmp_path: Path) -> Iterator[Desk]:
    """A service of the test's own."""
    yield from _desk(browser, filled, tmp_path)


def _desk(browser: Browser, filled: dict[str, Any], folder: Path) -> Iterator[Desk]:
    (folder / "demo.json").write_text(json.dumps(filled["sqlite"]))  # the demo's people keep their passwords
    with copy_of("sqlite", filled, folder) as url, served(url, folder, local="1") as address:
        made = Desk(browser, address, filled["sqlite"], url)
        yield made
        made.close()
