"""People at their browsers: each logged in as somebody, in a language, at a size; what the browser complains of is kept."""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.install_packages import chromium

WIDE, NARROW = (1440, 900), (390, 844)
ENGLISH, DANISH = "en-GB", "da-DK"
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
_AXE = Axe()
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], "resultTypes": ["violations"]}
_RULES |= {
    "selectors": False
}  # an element is named by its text; to find it a selector of its own takes a third of the time


def launched(play: Playwright) -> Browser:
    """Debian's Chromium."""
    return play.chromium.launch(executable_path=chromium(), args=[*_FLAGS])


@dataclass
class Desk:
    """A running service and the people before it."""

    browser: Browser
    address: str
    accounts: dict[str, Any]
    database_url: str
    cookies: dict[str, Any] = field(default_factory=dict)
    contexts: dict[tuple[Any, ...], BrowserContext] = field(default_factory=dict)
    kept: dict[tuple[Any, ...], Page] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def at(self, role: str | None, language: str = ENGLISH, size: tuple[int, int] = WIDE, scripts: bool = True) -> Page:
        """A page of this person's browser; the login is done once a person."""
        key = (role, language, size, scripts)
        if key not in self.contexts:
            self.contexts[key] = self.browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                locale=language,
                java_script_enabled=scripts,
                base_url=self.address,
                reduced_motion="reduce",
            )
            if role:
                self._log_in(self.contexts[key], role)
        page = self.contexts[key].new_page()
        page.on("console", lambda said: self.complaints.append(f"{page.url}: {said.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def looking(self, role: str | None, language: str, size: tuple[int, int]) -> Page:
        """The page that this person looks at one address after another with: cheaper than a new one each time."""
        key = (role, language, size)
        if key not in self.kept:
            self.kept[key] = self.at(role, language, size)
        return self.kept[key]

    def log_in(self, context: BrowserContext, role: str) -> None:
        """Log in anew, as the form does it."""
        self.cookies.pop(role, None)
        self._log_in(context, role)

    def _log_in(self, context: BrowserContext, role: str) -> None:
        if role not in self.cookies:
            page = context.new_page()
            page.goto("/login")
            page.fill("#email", self.accounts[role]["email"])
            page.fill("#password", self.accounts[role]["password"])
            page.click("main button")
            page.wait_for_url(lambda place: "/login" not in place)
            page.close()
            self.cookies[role] = context.cookies()
        context.add_cookies(self.cookies[role])

    def close(self) -> None:
        for one in self.contexts.values():
            one.close()


def barriers(page: Page, contrast: bool = True) -> list[str]:
    """What axe finds on a page, with the element it finds it at; the contrast of colours takes most of its time."""
    rules = _RULES if contrast else {**_RULES, "rules": {"color-contrast": {"enabled": False}}}
    found = _AXE.run(page, options=rules).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def overflow(page: Page) -> int:
    """By how many pixels a page is wider than its window."""
    root = "document.documentElement"
    return int(page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))
