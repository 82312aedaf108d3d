"""Cases about the real path of traffic: manifest directories, and what is to be said of each.

What a case says stands in its `case.yaml`; its directories are run as a user would run them.
"""

import contextlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import yaml

from cloison.cli import main
from tests.conformance.cases import read

HOME = Path(__file__).parent / "platform"
"""Where the cases are."""
REPAIRED = ("repaired", "works")
"""The directories of which the doctor has nothing to say."""
_OPEN = ("allowed", None)


@dataclass(frozen=True, slots=True)
class Run:
    """One directory of a case.

    Args:
        directory: It.
        flags: What the command line is told besides.
        doctor: The findings expected: every one there is matches one of them, and each of them one.
        silent: Patterns that match no finding.
        why: Questions, and what is expected of the answers.
    """

    directory: Path
    flags: tuple[str, ...]
    doctor: tuple[Mapping[str, str], ...]
    silent: tuple[str, ...]
    why: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class PlatformCase:
    """A case.

    Args:
        id: As the fact sheet calls it: `P17`; with a letter where it is one of several variants.
        outcome: As the fact sheet says it: `BROKEN`, ...
        mode: How it shows, F1 to F10; None for none of them.
        situation: What it is about.
        runs: Its directories, by name.
    """

    id: str
    outcome: str
    mode: str | None
    situation: str
    runs: Mapping[str, Run]

    @property
    def number(self) -> int:
        """Its number in the fact sheet."""
        return int(self.id[1:].rstrip(ascii_lowercase))

    @property
    def variant(self) -> str:
        """The letter that tells it from the sheet's own case; empty for that one."""
        return self.id.removeprefix(f"P{self.number}")

    @property
    def home(self) -> Path:
        """Its directory."""
        return HOME / f"P{self.number:02}{self.variant}"


@cache
def platform_cases() -> tuple[PlatformCase, ...]:
    """Return all cases, in the order of their numbers."""
    found = (_read(each) for each in HOME.glob("P*/case.yaml"))
    return tuple(sorted(found, key=lambda case: (case.number, case.variant)))


def _read(file: Path) -> PlatformCase:
    (said,) = read(file.read_text(encoding="utf-8"))
    config = file.parent / "cloison.yaml"
    flags = ("--config", str(config) if config.is_file() else "none", *said.get("flags", ()))
    runs = {
        name: Run(
            file.parent / name,
            flags,
            tuple(run["doctor"]),
            tuple(run.get("silent", ())),
            tuple(run["why"]),
        )
        for name, run in said["runs"].items()
    }
    return PlatformCase(said["id"], said["outcome"], said["mode"], said["situation"], runs)


def ask(run: Run, command: str, *words: str) -> dict[str, Any]:
    """Return what the command line says of a directory, as its JSON output has it."""
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([command, *words, "-f", str(run.directory), *run.flags, "-o", "json"])
    if code not in (0, 1):
        return {"failed": err.getvalue()}
    out.seek(0)
    answer: dict[str, Any] = json.loads(out.read())
    return answer


def mended(run: Run, mends: Sequence[Mapping[str, Any]], into: Path) -> Run:
    """Return a directory with the changes of a finding made, as somebody would who applies them.

    Args:
        run: The directory that it was found in.
        mends: The changes; each holds an object as it should be.
        into: Where the changed copy is put.
    """
    given = (file.read_text(encoding="utf-8") for file in sorted(run.directory.glob("*.yaml")))
    objects = [each for text in given for each in read(text)]
    changed = [each for mend in mends for each in read(mend["manifest"])]
    kept = {_key(each): each for each in (*objects, *changed)}
    text = "---\n".join(yaml.safe_dump(each) for each in kept.values())
    (into / "all.yaml").write_text(text, encoding="utf-8")
    return replace(run, directory=into)


def _key(written: Mapping[str, Any]) -> tuple[str, str | None, str]:
    metadata = written["metadata"]
    return (written["kind"], metadata.get("namespace"), metadata["name"])


def problems(run: Run) -> Iterator[str]:
    """Yield in what the command line does not say what is expected of it."""
    yield from _examined(run)
    for question in run.why:
        yield from _asked(run, question)


def _examined(run: Run) -> Iterator[str]:
    answer = ask(run, "doctor")
    if "failed" in answer:
        yield f"doctor: {answer['failed']}"
        return
    for each in answer["diagnostics"]:
        if each["severity"] == "error":
            yield f"the input is not read: {each['message']}"
    found = answer["findings"]
    for wanted in run.doctor:
        if not any(_fits(each, wanted) for each in found):
            yield f"doctor: not found: {dict(wanted)}"
    for each in found:
        said = f"{each['severity']} {each['code']} {each['mode']} {each['message']}"
        if not any(_fits(each, wanted) for wanted in run.doctor):
            yield f"doctor: not expected: {said}"
        for pattern in run.silent:
            if re.search(pattern, f"{each['code']} {each['message']}"):
                yield f"doctor: must not say {pattern!r}: {said}"


def _fits(found: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    workload = found["workload"]
    on = f"{workload['namespace']}/{workload['name']}" if workload else None
    texts = (found["message"], found["effect"], found["help"], found["object"] or "")
    text = "\n".join((*texts, *(each["text"] for each in found["evidence"])))
    return (
        wanted.get("severity", found["severity"]) == found["severity"]
        and wanted.get("mode", found["mode"]) == found["mode"]
        and wanted.get("on", on) == on
        and re.search(wanted.get("says", ""), text) is not None
        and _carries(found, wanted)
    )


def _carries(answer: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return "caveat" not in wanted or wanted["caveat"] in {c["id"] for c in answer["caveats"]}


def _asked(run: Run, wanted: Mapping[str, Any]) -> Iterator[str]:
    question = str(wanted["ask"])
    answer = ask(run, "why", *question.split())
    if "failed" in answer:
        yield f"why {question}: {answer['failed']}"
        return
    if answer["verdict"] != wanted.get("verdict", answer["verdict"]):
        yield f"why {question}: {answer['verdict']}, not {wanted['verdict']}"
    if not _carries(answer, wanted):
        yield f"why {question}: does not carry the caveat {wanted['caveat']}"
    lookups = [hop["verdict"] for hop in answer["path"] if hop["role"] == "lookup"]
    if "lookup" in wanted and (not lookups or {wanted["lookup"]} != set(lookups)):
        yield f"why {question}: looking up is {lookups}, not {wanted['lookup']}"
    if "fails" in wanted:
        first = _first_closed(answer)
        if first != dict(wanted["fails"]):
            yield f"why {question}: fails at {first}, not {dict(wanted['fails'])}"
    if "stop" in wanted:
        stops = [f"{each['reason']} {each['text']} {each['help']}" for each in answer["stops"]]
        if not any(re.search(wanted["stop"], each) for each in stops):
            yield f"why {question}: stops are {stops}, not {wanted['stop']}"


def _first_closed(answer: Mapping[str, Any]) -> dict[str, str] | None:
    """Return what the first hop of the call itself is for that is not let through, and where."""
    for hop in answer["path"]:
        if hop["role"] == "lookup" or hop["verdict"] in _OPEN:
            continue
        for point in hop["enforcementPoints"]:
            if point["verdict"] != "allowed":
                return {"role": hop["role"], "at": point["direction"]}
    return None
