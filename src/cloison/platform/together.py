"""How several network plugins of one cluster share the work: who moves packets, who enforces."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.base.words import listed
from cloison.platform.configs import setting
from cloison.platform.enforcer import Enforcer
from cloison.platform.evidence import Evidence
from cloison.resources.world import World


@dataclass(frozen=True, slots=True)
class Together:
    """Something that holds of several network plugins at once.

    Args:
        text: What, in a sentence.
        contested: Whether more than one of them enforces, so that nobody knows what comes of it.
        evidence: What says so.
    """

    text: str
    contested: bool = False
    evidence: tuple[Evidence, ...] = ()


def together(found: Iterable[Enforcer], world: World) -> tuple[Together, ...]:
    """Return how the network plugins of a cluster stand to each other.

    Args:
        found: Those that the input gives away.
        world: What the cluster holds.
    """
    every = tuple(found)
    return (*_canal(world), *_chained(every, world), *_several(every))


def _canal(world: World) -> Iterator[Together]:
    """Yield DaemonSets that run Calico's agent beside Flannel's."""
    for name, workload in world.workloads.items():
        if name.kind != "DaemonSet":
            continue
        for endpoint in workload.endpoints[:1]:
            run = endpoint.shape.runtime
            held = {each.name for each in run.containers} if run is not None else set()
            if {"calico-node", "kube-flannel"} <= held:
                shown = Evidence("canal", f"{name.kind} {name}", workload.span)
                text = "Canal: Flannel moves packets, and Calico beside it enforces policies"
                yield Together(text, evidence=(shown,))


_MODES = {
    "aws-cni": "the Amazon VPC CNI",
    "azure": "Azure CNI",
    "flannel": "Flannel",
    "generic-veth": "another network plugin",
    "portmap": "the plugin portmap",
}


def _chained(found: tuple[Enforcer, ...], world: World) -> Iterator[Together]:
    """Yield Cilium on top of another network plugin.

    Source: cilium/cilium Documentation/installation/cni-chaining.rst.
    """
    if not any(one.id == "cilium" for one in found):
        return
    mode = (setting(world, "kube-system", "cilium-config", "cni-chaining-mode") or "").strip()
    if mode and mode != "none":
        on = _MODES.get(mode, mode[:63])
        text = (
            f"Cilium is chained on {on} (cni-chaining-mode: {mode[:63]}), which gives pods their "
            "addresses; Cilium enforces policies, and some of its features do not work so"
        )
        yield Together(text)


def _several(found: tuple[Enforcer, ...]) -> Iterator[Together]:
    enforce = [one for one in found if one.enforces]
    others = [one for one in found if one.enforces is False]
    if len(enforce) > 1:
        names = listed([one.title for one in enforce])
        evidence = tuple(each for one in enforce for each in one.evidence)
        text = (
            f"{names} are all installed to enforce: each programs rules of its own, and what they "
            "come to together nobody documents"
        )
        yield Together(text, contested=True, evidence=evidence)
    for one in others if enforce else ():
        by = listed([each.title for each in enforce])
        yield Together(
            f"{one.title} does not enforce ({one.why}); {by} does", evidence=one.evidence
        )
