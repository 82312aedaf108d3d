"""How long an html report takes to be written, and to be of use in a browser.

    python benchmarks/html_open.py [--workloads N] [--runs N]

Two worlds are made: an open cluster, whose map has an edge for every pair, and one of apps under
a default deny. For each: time and peak memory of `cloison map -o html`, the size of the file, and
in headless chromium, from the start of navigation, when the matrix was drawn, and how long the
answer to a first click took then. Needs Debian's `chromium` and `chromium-driver`.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.large import default_deny, open_cluster

WORLDS = {"open": open_cluster, "default deny": default_deny}
LIMIT_MS = 2000
"""What the page promises: of use within two seconds."""

MEASURE = """
const drawn = performance.getEntriesByName("cloison-drawn")[0].startTime;
const painted = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
const started = performance.now();
document.querySelector(".grid .cell.folded").click();
document.querySelector("#answer .link").click();
const height = document.getElementById("answer").offsetHeight;
if (!height) throw new Error("no answer");
return [drawn, painted, performance.now() - started];
"""


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Measure, print, and return 1 where the promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, make in WORLDS.items():
            source = Path(folder, f"{name.split()[0]}.json")
            objects = make(asked.workloads)
            source.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
            page = source.with_suffix(".html")
            say(f"{name}, {asked.workloads} workloads")
            write(source, page)
            worst = max(worst, measure(page, asked.runs))
    return int(worst > LIMIT_MS)


def write(source: Path, page: Path) -> None:
    """Write a report, and print what it took."""
    command = [sys.executable, "-m", "cloison", "map", "-f", str(source), "-o", "html"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with page.open("wb") as out:
        subprocess.run(command, stdout=out, check=True)  # noqa: S603 - our own command
    took = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # The peak of all children so far: the first one's, or a larger one's.
    say(f"  written in {took:.1f} s ({cpu:.1f} s of CPU), peak {after.ru_maxrss / 1024:.0f} MB")
    say(f"  {page.stat().st_size / 1e6:.2f} MB")


def measure(page: Path, runs: int) -> float:
    """Open a report several times, print medians, and return that of the whole way to an answer."""
    found = [opened(page) for _ in range(runs)]
    drawn, painted, answered = (statistics.median(column) for column in zip(*found, strict=True))
    total = float(drawn + answered)
    say(f"  drawn after {drawn:.0f} ms (painted {painted:.0f}), click answered {answered:.0f} ms")
    say(f"  first answer after {total:.0f} ms; load of the machine {os.getloadavg()[0]:.1f}")
    return total


def opened(page: Path) -> tuple[float, float, float]:
    """Open a report in a fresh browser, and click."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    for argument in ("--headless=new", "--disable-gpu", "--window-size=1440,900", *sandbox):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.get(page.as_uri())
        drawn, painted, answered = driver.execute_script(MEASURE)
        return float(drawn), float(painted), float(answered)
    finally:
        driver.quit()


if __name__ == "__main__":
    sys.exit(main())
