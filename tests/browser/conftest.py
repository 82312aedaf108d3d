"""A real browser without a network: Debian's chromium, driven by its own driver."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PATIENCE = 60
"""Seconds before a test gives up on a page; nothing here measures time."""


@dataclass(frozen=True)
class Browser:
    """What the tests do with a page."""

    driver: webdriver.Chrome

    def open(self, file: Path) -> None:
        """Open a page and wait until it says that it is drawn."""
        self.log("performance")
        self.driver.get(file.as_uri())
        self.until("return document.body.dataset.ready === 'true'")
        self.settle()

    def settle(self) -> None:
        """Let pass the frames in which what was clicked, scrolled or resized is drawn anew."""
        self.driver.execute_async_script(
            "const done = arguments[0]; let frames = 4;"
            "const next = () => frames-- ? requestAnimationFrame(next) : done(); next();"
        )

    def until(self, script: str) -> None:
        WebDriverWait(self.driver, PATIENCE).until(lambda driver: driver.execute_script(script))

    def run(self, script: str, *given: object) -> Any:
        return self.driver.execute_script(script, *given)

    def find(self, selector: str) -> WebElement:
        self.settle()
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        self.settle()
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Read what some elements show, all at once: no drawing can come between."""
        self.settle()
        script = "return [...document.querySelectorAll(arguments[0])].map(each => each.innerText)"
        found: list[str] = self.run(script, selector)
        return found

    def keys(self, *keys: str) -> None:
        """Press keys wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def log(self, name: str) -> list[dict[str, Any]]:
        """Return what was logged since somebody asked last."""
        found: list[dict[str, Any]] = self.driver.execute("getLog", {"type": name})["value"]
        return found

    def requests(self) -> list[str]:
        """Return every address that was asked for since the page was opened."""
        entries = self.log("performance")
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """Return what the browser found wrong."""
        return [entry["message"] for entry in self.log("browser")]

    def dark(self, *, on: bool) -> None:
        feature = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def picture(self, name: str) -> None:
        """Keep what can be seen, for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        assert self.driver.save_screenshot(str(SCREENSHOTS / f"{name}.png"))


def _absent(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not installed, and CI has to have it")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    server = shutil.which("chromedriver")
    if binary is None:
        _absent("chromium")
    if server is None:
        _absent("chromium's driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary or ""
    for argument in (
        "--headless=new",
        "--window-size=1440,900",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--force-prefers-reduced-motion",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(server))
    try:
        driver.set_script_timeout(PATIENCE)
        driver.execute_cdp_cmd("Network.enable", {})
        # Even if the page asked, nobody would answer.
        driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
        )
        yield Browser(driver)
    finally:
        driver.quit()
