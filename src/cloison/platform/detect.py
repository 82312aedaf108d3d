"""Who enforces, as far as the input itself gives it away.

Agents on the nodes are who enforces. Objects of a product's own API are there because the product
reads them: rows of data say whose kinds they are, and which version what else is there speaks for.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from cloison.ir.profile import Profile
from cloison.platform.cilium import CILIUM_GROUP, aged
from cloison.platform.enforcers import Enforcer, enforcing
from cloison.platform.evidence import Evidence
from cloison.platform.profiles import CALICO_GROUP, DEFAULT_PROFILE, NO_ENFORCER, profile

GroupKind = tuple[str, str]
"""API group and kind."""


@dataclass(frozen=True, slots=True)
class Clue:
    """What gives an enforcer away.

    Args:
        groups: API groups that nobody else reads.
        profile: The profile's name; without a version the newest.
        older: Kinds of others that only an older version enforces.
        newer: Kinds of others that only the newest enforces, whatever else there is.
        older_profile: The profile's name where only an older version would do.
    """

    groups: frozenset[str]
    profile: str
    older: frozenset[GroupKind] = frozenset()
    newer: frozenset[GroupKind] = frozenset()
    older_profile: str = ""


_POLICY_API = "policy.networking.k8s.io"
_CLUES = (
    Clue(
        frozenset({CALICO_GROUP, f"crd.{CALICO_GROUP}", "operator.tigera.io"}),
        "calico",
        frozenset(
            {(_POLICY_API, "AdminNetworkPolicy"), (_POLICY_API, "BaselineAdminNetworkPolicy")}
        ),
        frozenset({(_POLICY_API, "ClusterNetworkPolicy")}),
        "calico@3.31",
    ),
    Clue(frozenset({CILIUM_GROUP}), "cilium"),
    Clue(frozenset({"crd.antrea.io"}), "antrea"),
)


@dataclass(frozen=True, slots=True)
class Detected:
    """An enforcer that the input gives away.

    Args:
        profile: The profile.
        chosen: How it was chosen, for people.
    """

    profile: Profile
    chosen: str


def detect(
    kinds: Collection[GroupKind],
    installed: Evidence | None = None,
    agents: Sequence[Enforcer] = (),
) -> Detected | None:
    """Return who enforces, if what is there speaks for one enforcer and for no other.

    Agents on the nodes that enforce tell most; then objects of one product's own API; then agents
    that may enforce. What a platform brings without showing it counts where nothing else is there.

    Args:
        kinds: The kinds of the objects that were read, by API group.
        installed: What an installation says of itself, if there is one.
        agents: Who is installed, as far as objects show.

    >>> detect({("crd.projectcalico.org", "GlobalNetworkPolicy"), ("", "Pod")}).chosen
    'detected from GlobalNetworkPolicy'
    """
    found = [(clue, mine) for clue in _CLUES if (mine := _telling(clue, kinds))]
    running = [one for one in agents if one.enforces and not one.assumed]
    if not running and not found and installed is None:
        running = [one for one in agents if one.enforces is None and not one.assumed]
    products = {clue.profile for clue, _ in found} | {one.id for one in running}
    if installed is not None:
        product = installed.of.partition("@")[0]
        base = profile(installed.of)
        for one in agents:
            base = _of_agent(base, one) if one.id == product else base
        named = Detected(base, f"detected from {installed.shown}")
        return named if _agree(products | {product}) else None
    if not _agree(products):
        return None
    if len(running) == 1 and not (found and running[0].id not in {c.profile for c, _ in found}):
        return _by_agent(running[0])
    if len(found) == 1:
        return _by_kind(*found[0], kinds)
    if agents and not running:
        return _by_platform(agents) or _nobody(agents)
    return None


def _agree(products: Collection[str]) -> bool:
    """Return whether products may be one: GKE's reads objects of Cilium, on which it is built."""
    return len(set(products) - {"gke-dataplane-v2"} or products) <= 1


def _by_agent(agent: Enforcer) -> Detected:
    """Return the profile of an agent, the generic one where it has none."""
    base = profile(agent.profile or DEFAULT_PROFILE)
    shown = agent.evidence[0].shown
    lacking = "" if agent.profile else f": {agent.title}, which has no profile here"
    base = _of_agent(base, agent)
    known = (*base.known, *agent.caveats)
    return Detected(replace(base, known=known), f"detected from {shown}{lacking}")


def _of_agent(base: Profile, agent: Enforcer) -> Profile:
    """Return a profile as an agent has it that is of an older release than the profile is."""
    return aged(base, agent.version) if agent.id == "cilium" and agent.version else base


def _by_platform(agents: Sequence[Enforcer]) -> Detected | None:
    """Return the profile of the agent that the platform brings; None where it brings none."""
    brought = enforcing([one for one in agents if one.assumed])
    return _by_agent(brought[0]) if len(brought) == 1 else None


def _nobody(agents: Sequence[Enforcer]) -> Detected | None:
    """Return what it is where everything that is installed enforces nothing."""
    if any(one.enforces is not False for one in agents):
        return None
    only = agents[0] if len(agents) == 1 else None
    name = only.profile if only is not None else None
    chosen = profile(name or NO_ENFORCER)
    if chosen.enforces:
        chosen = profile(NO_ENFORCER)
    said = "; ".join(f"{one.evidence[0].shown}, {one.why}" for one in agents)
    return Detected(chosen, f"detected from {said}")


def _by_kind(clue: Clue, mine: GroupKind, kinds: Collection[GroupKind]) -> Detected:
    name = _shown(mine)
    old = sorted(kind for _, kind in clue.older & set(kinds))
    if old and not clue.newer & set(kinds):
        return Detected(profile(clue.older_profile), f"detected from {name} and {old[0]}")
    return Detected(profile(clue.profile), f"detected from {name}")


def _telling(clue: Clue, kinds: Collection[GroupKind]) -> GroupKind | None:
    """Return the kind that tells most: a policy, if there is one."""
    mine = [each for each in kinds if each[0] in clue.groups]
    return min(mine, key=lambda k: (not k[1].endswith("Policy"), k[1], k[0]), default=None)


def _shown(kind: GroupKind) -> str:
    """Return a kind by name, with its group where others are called so, too."""
    group, name = kind
    return f"{name} ({group})" if name == "NetworkPolicy" else name
