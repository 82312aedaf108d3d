"""From files to a session that answers at once."""

import json
from pathlib import Path

import yaml

import cloison
from benchmarks.measured import Measured, Meter
from benchmarks.measures.ready import asked, count, ready_to_ask, warm
from benchmarks.samples import Lot, agreed
from benchmarks.worlds.disk import write_manifests, write_pods
from cloison import sources

_EXAMPLE = Path(__file__).parents[2] / "examples" / "case-management"


def write(path: str, form: str, megabytes: float, indent: int | None = None) -> Measured:
    """Write a world to disk.

    Args:
        path: Where to.
        form: `json` for all pods of a cluster, `yaml` for manifests.
        megabytes: How large.
        indent: That of JSON, if any.
    """
    meter = Meter()
    target = Path(path)
    with meter.phase("write"):
        if form == "json":
            meter.facts["objects"] = write_pods(target, megabytes, indent)
        else:
            meter.facts["objects"] = write_manifests(target, megabytes)
    meter.facts["bytes"] = sum(each.stat().st_size for each in _files(target))
    return meter.done()


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.yaml")) if path.is_dir() else [path]


def parsed(path: str) -> Measured:
    """Measure what a plain parser takes, that of the standard library or PyYAML's in C."""
    meter = Meter()
    meter.begin()
    with meter.phase("parse"):
        for each in _files(Path(path)):
            if each.suffix == ".json":
                json.loads(each.read_bytes())
            else:
                list(yaml.load_all(each.read_bytes(), Loader=yaml.CSafeLoader))
    return meter.done()


def read(path: str) -> Measured:
    """Measure reading alone: what is read is dropped at once."""
    meter = Meter()
    meter.begin()
    with meter.phase("read"):
        meter.facts["objects"] = sum(1 for _ in sources.read([path]))
    return meter.done()


def read_ready(path: str, sampled: int = 0) -> Measured:
    """Measure the way from files to answers.

    Args:
        path: A file or a directory.
        sampled: How many answers are held against the oracle's.

    Raises:
        DisagreementError: One of them is not the oracle's.
    """
    # Imports are not what is measured.
    ready_to_ask(cloison.load(_EXAMPLE))
    warm("generic")
    meter = Meter()
    meter.begin()
    with meter.phase("load"):
        session = cloison.load(path, profile="generic", runtime=False)
    with meter.phase("bind"):
        ready_to_ask(session)
    questions = list(Lot(session).questions(1))
    with meter.phase("first why"):
        asked(session, questions[0])
    count(session, meter)
    if sampled:
        meter.facts |= agreed(session, list(Lot(session).questions(sampled, seed=1)))
    return meter.done()
