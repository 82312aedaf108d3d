"""What objects of several dialects come to together."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from typing import Any

from cloison.base import Diagnostic, Severity
from cloison.dialects import Compilation
from cloison.ir.groups import declared, with_port_names
from cloison.ir.policy import Policy, PolicySet
from cloison.ir.profile import Profile
from cloison.ir.surroundings import surrounded


def arranged(profile: Profile, compiled: Sequence[Compilation]) -> PolicySet:
    """Return what several dialects came to as one set: their tiers among the profile's."""
    first, *rest = profile.layers
    tiers = {tier.name: tier for tier in first.tiers}
    # A tier that an object declares is the one meant by its name, built in or not.
    tiers |= {tier.name: tier for each in compiled for tier in each.tiers}
    ordered = tuple(sorted(tiers.values(), key=lambda tier: tier.order))
    policies = tuple(
        policy for each in compiled for policy in _policies(each, compiled, tiers.keys())
    )
    around = surrounded(profile, replace(first, tiers=ordered), policies)
    return PolicySet(
        (*policies, *around.policies),
        (around.layer, *rest, *(la for each in compiled for la in each.layers)),
        tuple(group for each in compiled for group in each.groups),
    )


def _policies(
    mine: Compilation, compiled: Sequence[Compilation], tiers: Container[str]
) -> Iterator[Policy]:
    """Yield the policies of a dialect, knowing the groups that only other dialects know.

    Groups are of the profile's first layer, and so are tiers; policies that stand elsewhere are
    enforced by somebody else.
    """
    groups = [group for each in compiled if each is not mine for group in each.groups]
    ports = declared(groups)
    for policy in mine.policies:
        here = groups and policy.tier in tiers
        yield with_port_names(policy, ports) if here else policy


def unrepeated(objects: Sequence[Any]) -> tuple[list[Any], list[Diagnostic]]:
    """Keep one of every policy of the same kind, namespace and name.

    The one kept is the last by file and line, as `kubectl apply` of a sorted directory
    would leave it, whatever order they were read in.
    """
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for each in objects:
        key = (getattr(each, "kind", None), each.namespace, each.name)
        groups.setdefault(key, []).append(each)
    said = []
    kept = []
    for group in groups.values():
        if len(group) == 1:
            kept += group
            continue
        group.sort(key=lambda o: (o.span is not None, o.span))
        last = group[-1]
        kept.append(last)
        others = [o for o in group[:-1] if o != last]
        if others:
            name = f"{last.namespace}/{last.name}" if last.namespace else last.name
            said.append(
                Diagnostic(
                    "APP001",
                    Severity.ERROR,
                    f"{name} is written more than once, and differently",
                    others[0].span,
                    f"{getattr(last, 'kind', 'NetworkPolicy')} {name}",
                    f"only the one at {last.span} is used",
                    "delete one, or give them different names",
                    "Kubernetes documentation, Object Names and IDs",
                )
            )
    return kept, said
