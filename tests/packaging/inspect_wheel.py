"""Check that a wheel carries every file of the package and of the examples, and nothing else.

Run as `python tests/packaging/inspect_wheel.py dist/cloison-*.whl`; `make wheel` does.
"""

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PLACES = {"src/cloison": "cloison", "examples": "cloison/examples"}
"""Where a directory of the checkout ends up in the wheel."""


def expected() -> set[str]:
    """Return the names a wheel made from this checkout must hold, metadata aside."""
    return {
        f"{place}/{file.relative_to(ROOT / top).as_posix()}"
        for top, place in _PLACES.items()
        for file in (ROOT / top).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def complaints(wheel: Path) -> list[str]:
    """Return what is wrong with `wheel`, one sentence each."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    content = {name for name in names if ".dist-info/" not in name}
    found = [f"missing: {name}" for name in sorted(expected() - content)]
    found += [f"does not belong: {name}" for name in sorted(content - expected())]
    found += [
        f"missing: {name}"
        for name in ("cloison/py.typed", "LICENSE")
        if not any(held.endswith(name) for held in names)
    ]
    return found


def main() -> int:
    """Print complaints about the wheels named on the command line; 1 when there are any."""
    found = [text for name in sys.argv[1:] for text in complaints(Path(name))]
    sys.stderr.writelines(f"{text}\n" for text in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
