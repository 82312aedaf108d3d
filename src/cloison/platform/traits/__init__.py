"""What enforcers do beyond the choices of their profiles, as data: one file per enforcer.

An answer may depend on how an enforcer is set (`when`): the first one whose setting is found
counts, else the one without any. What no file says is unknown, and is said to be.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pkgutil import get_data
from typing import Final

import msgspec

from cloison.platform.configs import setting
from cloison.platform.enforcer import Enforcer
from cloison.platform.evidence import Evidence
from cloison.platform.traits.model import TITLES, Basis, Stands, Topic, Trait, unknown
from cloison.resources.runtime import Container
from cloison.resources.world import Workload, World

__all__ = ["TITLES", "Basis", "Stands", "Topic", "Trait", "known", "traits"]

_FILES: Final = (
    "antrea",
    "aws-vpc-cni",
    "azure-npm",
    "calico",
    "cilium",
    "flannel",
    "gke-dataplane-v2",
    "kube-network-policies",
    "kube-ovn",
    "kube-router",
    "openshift-sdn",
    "ovn-kubernetes",
    "weave",
)


class _When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A setting of an installation: a variable or argument of its agent, or one of a ConfigMap."""

    values: tuple[str, ...]
    variable: str | None = None
    argument: str | None = None
    setting: str | None = None
    config: str | None = None


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topic: Topic
    says: str
    text: str
    basis: Basis
    source: str
    stands: Stands = Stands.SOUND
    version: str | None = None
    when: _When | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    enforcers: tuple[str, ...]
    trait: tuple[_Row, ...]
    version: str | None = None


@cache
def _files() -> Mapping[str, _File]:
    found: dict[str, _File] = {}
    for name in _FILES:
        text = get_data(__name__, f"{name}.toml") or b""
        read = msgspec.convert(tomllib.loads(text.decode()), _File)
        found |= dict.fromkeys(read.enforcers, read)
    return found


def known() -> tuple[str, ...]:
    """Return the ids of the enforcers of which something is known, sorted."""
    return tuple(sorted(_files()))


def traits(
    name: str,
    world: World | None = None,
    settings: Mapping[str, str] | None = None,
    enforcer: Enforcer | None = None,
) -> tuple[Trait, ...]:
    """Return what an enforcer does, one answer for each topic, in their order.

    Args:
        name: Its id: `calico`.
        world: What the cluster holds, for how it is set.
        settings: Settings of it that are known, by its own names.
        enforcer: The installation.
    """
    file = _files().get(name)
    rows = file.trait if file is not None else ()
    agents = tuple(_agents(world, enforcer)) if world is not None and enforcer is not None else ()
    found = []
    for topic in Topic:
        mine = [row for row in rows if row.topic is topic]
        plain = next((row for row in mine if row.when is None), None)
        chosen, seen = plain, None
        for row in mine:
            seen = _holds(row.when, world, settings or {}, agents) if row.when else None
            if seen is not None:
                chosen = row
                break
        version = file.version if file is not None else None
        found.append(unknown(topic) if chosen is None else _trait(chosen, version, seen))
    return tuple(found)


def _trait(row: _Row, version: str | None, seen: Evidence | None) -> Trait:
    return Trait(
        row.topic,
        row.says,
        row.stands,
        row.text,
        row.basis,
        row.source,
        row.version or version,
        seen,
    )


def _agents(world: World, enforcer: Enforcer) -> Iterator[Workload]:
    """Yield the DaemonSets that an enforcer was told by."""
    spans = {each.span for each in enforcer.evidence if each.span is not None}
    for name, workload in world.workloads.items():
        if name.kind == "DaemonSet" and workload.span in spans:
            yield workload


def _holds(
    when: _When, world: World | None, settings: Mapping[str, str], agents: tuple[Workload, ...]
) -> Evidence | None:
    """Return what says that a setting has one of its values; None where nothing does."""
    key = when.setting
    if key is not None and settings.get(key, "").strip().lower() in when.values:
        return Evidence(key, f"{key}: {settings[key]}")
    if key is not None and when.config is not None and world is not None:
        said = setting(world, "kube-system", when.config, key)
        if said is not None and said.strip().lower() in when.values:
            return Evidence(key, f"ConfigMap kube-system/{when.config}, {key}: {said}")
    for workload in agents:
        for container in _containers(workload):
            shown = _said(when, container)
            if shown is not None:
                text = f"{workload.id.kind} {workload.id}, {shown}"
                return Evidence(workload.id.name, text, workload.span)
    return None


def _containers(workload: Workload) -> Iterator[Container]:
    for endpoint in workload.endpoints[:1]:
        if endpoint.shape.runtime is not None:
            yield from endpoint.shape.runtime.containers


def _said(when: _When, container: Container) -> str | None:
    """Return the variable or argument of a container that has one of the values."""
    if when.variable is not None:
        for each in container.variables:
            if each.name == when.variable and (each.value or "").strip().lower() in when.values:
                return f"{each.name}={each.value}"
    if when.argument is not None:
        for argument in container.arguments:
            name, _, value = argument.strip().partition("=")
            if name.lstrip("-") == when.argument and value.strip().lower() in when.values:
                return argument.strip()[:200]
    return None
