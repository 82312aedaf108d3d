"""Choose what is kept of what searches found: `python -m tests.fuzz.keep [TARGET ...]`.

Few and small: an input stays if it reaches lines, one after another, that none before it did.
"""

import argparse
import hashlib
import sys
from types import CodeType, FrameType
from typing import Any

from tests.fuzz.__main__ import BUILD, HERE
from tests.fuzz.target import Target
from tests.fuzz.targets import TABLE, target

LARGEST = 3000
"""Bytes of an input that is kept. What only a longer one reaches is left to searches."""
MOST = 50
"""Inputs kept for a target."""
_LOOKED_AT = 600

Step = tuple[CodeType, int, int]
"""From one line to another, within one function."""


def steps(chosen: Target, data: bytes) -> set[Step]:
    """Return the steps through our own code that reading an input takes."""
    found: set[Step] = set()

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        if not frame.f_globals.get("__name__", "").startswith("cloison."):
            return None
        last = frame.f_lineno

        def line(frame: FrameType, _event: str, _argument: Any) -> Any:
            nonlocal last
            found.add((frame.f_code, last, frame.f_lineno))
            last = frame.f_lineno
            return line

        return line

    sys.settrace(enter)
    try:
        chosen.check(data)
    finally:
        sys.settrace(None)
    return found


def candidates(name: str) -> list[bytes]:
    """Return the inputs there are, the shortest first."""
    places = (BUILD / name / "corpus", HERE / "corpus" / name)
    inputs = {p.read_bytes() for place in places if place.is_dir() for p in place.iterdir()}
    inputs |= set(target(name).seeds())
    small = [data for data in inputs if 0 < len(data) <= LARGEST]
    return sorted(small, key=lambda data: (len(data), data))[:_LOOKED_AT]


def choose(name: str) -> list[bytes]:
    """Return what to keep: each time the input that reaches most of what is not reached yet."""
    chosen = target(name)
    left = {data: steps(chosen, data) for data in candidates(name)}
    kept: list[bytes] = []
    while left and len(kept) < MOST:
        best = max(left, key=lambda data: (len(left[data]), -len(data), data))
        reached = left.pop(best)
        if not reached:
            break
        kept.append(best)
        left = {data: rest for data, was in left.items() if (rest := was - reached)}
    return kept


def main() -> None:
    """Write what is kept anew."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.keep", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    for name in parser.parse_args().targets or TABLE:
        kept = choose(name)
        place = HERE / "corpus" / name
        place.mkdir(parents=True, exist_ok=True)
        for path in place.iterdir():
            path.unlink()
        for data in kept:
            (place / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
        sys.stdout.write(f"{name}: {len(kept)} inputs, {sum(map(len, kept))} bytes\n")


if __name__ == "__main__":
    main()
