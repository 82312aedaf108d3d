"""What labs could leave on a machine, and the processes of one of them."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

MARK = "CLOISON_TEST_MARK"
"""A variable in the environment of everything that a test starts, whatever becomes of it."""

_LONG = 30.0


def seen() -> dict[str, str]:
    """Return what a lab could leave where it has no business."""
    netns = Path("/run/netns")
    return {
        "namespaces": _said("ip", "netns", "list"),
        "tables": _said("nft", "list", "tables"),
        "links": _said("ip", "-brief", "link"),
        "mounts": "\n".join(
            line for line in Path("/proc/mounts").read_text().splitlines() if "netns" in line
        ),
        "directory": str(sorted(netns.iterdir()) if netns.is_dir() else None),
    }


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def marked(mark: str) -> list[psutil.Process]:
    """Return every process that a test started, and theirs; those that have ended left out."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


def until(true: Callable[[], bool]) -> bool:
    """Wait until something is so; return whether it ever was."""
    end = time.monotonic() + _LONG
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
