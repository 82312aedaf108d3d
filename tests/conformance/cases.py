"""Cases and worlds as data; see README.md for their shape."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
_CONFIG = ("ConfigMap", "kube-system", "cilium-config")
BASE = ""
"""The step of a row that names none: what the case says outside its steps."""


class CoreLoader(yaml.CSafeLoader):
    """Reads `on` and `y` as text: only `true` and `false` are booleans, as in YAML 1.2."""


CoreLoader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf")
)


@dataclass(frozen=True, slots=True)
class Row:
    """One question and what the specification answers; the keys of a case's `expect` row."""

    src: str
    dst: str
    on: str
    verdict: str
    caveats: tuple[str, ...] | None = None
    by: tuple[str, ...] = ()
    profile: str = "generic"
    state: str = "new"
    family: int | None = None
    step: str = BASE
    probe: int | None = None
    at: str | None = None
    staged: bool = False
    http: str | None = None
    answer: str = ""
    when: str = ""
    asks: str = "traffic"
    host: str | None = None
    headers: tuple[str, ...] = ()
    dns: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one step adds to, or replaces in, its case."""

    objects: str = ""
    policies: str = ""
    switches: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe:
    """One object for the API server to judge."""

    name: str
    verdict: str
    policies: str
    kubernetes: str = "1.35"
    field_validation: str = "warn"
    probe: int | None = None
    policy_channel: str = "any"
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One statement of the specification."""

    id: str
    why: str
    source: str
    world: str
    ids: tuple[str, ...] = ()
    kubernetes: str = "1.35"
    fields: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    objects: str = ""
    policies: str = ""
    steps: Mapping[str, Step] = field(default_factory=dict)
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    expect: tuple[Row, ...] = ()
    also: tuple[Row, ...] = ()
    probes: tuple[Probe, ...] = ()
    more_probes: tuple[Probe, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    diagnostics: tuple[str, ...] = ()
    second: str = ""

    @property
    def judged(self) -> tuple[Probe, ...]:
        """Every probe, those of a catalogue first."""
        return (*self.probes, *self.more_probes)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row, those of a catalogue first."""
        return (*self.expect, *self.also)

    def texts(self, step: str = BASE, policies: str = "") -> dict[str, str]:
        """Return the input of a step as files, later objects in place of earlier ones."""
        chosen = self.steps[step] if step else Step()
        world = (HERE / "worlds" / f"{self.world}.yaml").read_text(encoding="utf-8")
        objects = _merge(world, self.objects, chosen.objects)
        if switches := self.switched(step):
            objects = _merge(objects, _configured(objects, switches))
        found = {
            "world.yaml": objects,
            "policies.yaml": _merge(self.policies, chosen.policies, policies),
        }
        return found | ({"second.yaml": self.second} if self.second else {})

    def switched(self, step: str = BASE) -> dict[str, str]:
        """Return the enforcer's settings in the cluster that a step has."""
        return {**self.switches, **(self.steps[step].switches if step else {})}

    def told(self, step: str = BASE) -> dict[str, Any]:
        """Return the settings of the caller that a step has."""
        return {**self.settings, **(self.steps[step].settings if step else {})}


def identity(document: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return kind, namespace and name of an object."""
    meta = document["metadata"]
    return document["kind"], meta.get("namespace", ""), meta["name"]


def split(text: str) -> Iterator[str]:
    """Iterate over the documents of a text that hold something."""
    for part in re.split(r"^---$\n?", text, flags=re.MULTILINE):
        if any(line.strip() and not line.startswith("#") for line in part.splitlines()):
            yield part


def _merge(*texts: str) -> str:
    return "---\n".join({key: part for text in texts for key, part in _keyed(text)}.values())


def _configured(objects: str, switches: Mapping[str, str]) -> str:
    """Return the enforcer's ConfigMap among some objects, with settings added."""
    (found,) = [each for each in read(objects) if identity(each) == _CONFIG]
    return yaml.safe_dump({**found, "data": {**found["data"], **switches}})


@cache
def _keyed(text: str) -> tuple[tuple[tuple[str, str, str], str], ...]:
    return tuple((identity(read(part)[0]), part) for part in split(text))


@cache
def read(text: str) -> tuple[Any, ...]:
    """Return the documents of a text as plain values, with `on` and `y` as text."""
    return tuple(yaml.load_all(text, CoreLoader))


@cache
def cases(name: str) -> tuple[Case, ...]:
    """Return the cases of `cases/<name>.yaml`; an unknown key is an error."""
    (listed,) = read((HERE / "cases" / f"{name}.yaml").read_text(encoding="utf-8"))
    return tuple(_case(raw) for raw in listed)


def _case(raw: dict[str, Any]) -> Case:
    steps = {name: Step(**step) for name, step in raw.get("steps", {}).items()}
    return Case(
        **{
            **raw,
            "ids": tuple(raw.get("ids", ())),
            "fields": tuple(raw.get("fields", ())),
            "under": tuple(raw.get("under", ())),
            "codes": tuple(raw.get("codes", ())),
            "steps": steps,
            "expect": tuple(_row(row) for row in raw.get("expect", ())),
            "also": tuple(_row(row) for row in raw.get("also", ())),
            "probes": tuple(_probe(probe) for probe in raw.get("probes", ())),
            "more_probes": tuple(_probe(probe) for probe in raw.get("more_probes", ())),
            "diagnostics": tuple(raw.get("diagnostics", ())),
        }
    )


def _probe(raw: dict[str, Any]) -> Probe:
    named = {_SNAKE.sub(r"_\g<0>", key).lower(): value for key, value in raw.items()}
    return Probe(**{**named, "says": tuple(raw.get("says", ()))})


_SNAKE = re.compile("[A-Z]")


def _row(raw: dict[str, Any]) -> Row:
    rest = {key: value for key, value in raw.items() if key not in {"from", "to", *_ASKS, "name"}}
    for key in ("caveats", "by", "headers"):
        if key in rest:
            rest[key] = tuple(rest[key])
    if "answer" in rest:
        rest = {"verdict": VERDICTS.get(rest["answer"], ""), "on": "", **rest}
    for key in _ASKS & raw.keys():
        return Row(src=raw[key], dst=raw.get("name", ""), asks=key, **rest)
    return Row(src=raw["from"], dst=raw["to"], **rest)


_ASKS = {"object", "subject", "endpoint", "pattern"}
VERDICTS = {
    "ALLOW": "allowed",
    "AUDIT": "allowed",
    "DENY": "denied",
    "DENY_RULE": "denied",
    "L7_DENY": "denied",
}
"""Verdicts of rows that say more than a verdict."""
