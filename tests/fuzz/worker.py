"""One search: a target under libFuzzer's eyes. Run by `python -m tests.fuzz`, one process each.

A fault does not end the search: it is written down once, by where it happened, and the search goes
on. Only what takes too long or too much memory ends it.
"""

import hashlib
import pkgutil
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.fuzz.mutate import Lines, Trees

_TELLING = 3
"""Innermost frames of ours that tell one fault from another."""


def signature(error: BaseException) -> str:
    """Return a name for a fault: what it is, and where it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/cloison/" in f.filename or "/fuzz/" in f.filename]
    place = [f"{Path(f.filename).name}:{f.name}:{f.lineno}" for f in ours[-_TELLING:]]
    digest = hashlib.sha256("|".join(place).encode()).hexdigest()[:10]
    return f"{type(error).__name__}-{digest}"


def watched(target: Any, guard: Any, data: bytes) -> BaseException | None:
    """Return what an input breaks, if anything."""
    try:
        with guard.watch():
            target.check(data)
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "Escape":
            return error
        raise
    return None


def _import_whole(name: str) -> None:
    """Import a package with all that is in it: what is imported later goes unseen."""
    package = import_module(name)
    for each in pkgutil.walk_packages(
        getattr(package, "__path__", ()), f"{name}.", onerror=lambda _: None
    ):
        with suppress(ImportError):  # what cannot be imported fails aloud where it is used
            import_module(each.name)


def search(name: str, findings: Path, arguments: list[str]) -> None:
    """Search until libFuzzer has had enough; it ends the process.

    Args:
        name: The target.
        findings: Where faults are written.
        arguments: libFuzzer's.
    """
    atheris: Any = import_module("atheris")
    from_target = import_module("tests.fuzz.target")
    table = import_module("tests.fuzz.targets")
    with atheris.instrument_imports(include=["cloison"], enable_loader_override=False):
        target = table.target(name)
        for package in target.code:
            _import_whole(package)
    guard = from_target.Guard().install()
    known = {path.stem for path in findings.iterdir()}

    def one(data: bytes) -> None:
        error = watched(target, guard, data)
        if error is None:
            return
        found = signature(error)
        if found not in known:
            known.add(found)
            (findings / f"{found}.input").write_bytes(data)
            text = "".join(traceback.format_exception(error))
            (findings / f"{found}.txt").write_text(text, encoding="utf-8", errors="replace")

    def lower(data: bytes, longest: int) -> bytes:
        # Looked up each time: `Fuzz` puts the one that works in the place of another.
        return bytes(atheris.Mutate(data, longest))

    mutate = Lines(lower, target.words) if target.lines else Trees(lower)
    atheris.Setup([sys.argv[0], *arguments], one, custom_mutator=mutate)
    atheris.Fuzz()


def main() -> None:
    """Search, told by the command line: target, directory of findings, libFuzzer's arguments."""
    name, findings, *arguments = sys.argv[1:]
    search(name, Path(findings), arguments)


if __name__ == "__main__":
    main()
