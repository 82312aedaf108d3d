"""Policy kinds that clusters really use and we cannot read yet.

Leaving them out would answer "allowed" where they deny. Each becomes an opaque policy over
everything it might select: answers that it may decide are undetermined, and a warning says
why. A kind leaves this table when its own dialect arrives.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.dialect import Compilation, Dialect, GroupKind, Surroundings
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import PodsMatch, UnknownMatch
from cloison.ir.policy import Direction, Policy, PolicyId
from cloison.ir.profile import Profile
from cloison.resources.documents import Document
from cloison.resources.kinds import group_of
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool
from cloison.resources.world import World

TIER = "unmodelled"

_BOTH = frozenset(Direction)
_IN = frozenset({Direction.INGRESS})
_OUT = frozenset({Direction.EGRESS})


@dataclass(frozen=True, slots=True)
class Kind:
    """What little we know of a kind.

    Args:
        namespaced: Whether an object concerns only pods of its namespace.
        directions: The directions it may govern.
        crosses: Whether an object of a namespace may concern pods of any other.
        root_namespace: A namespace whose objects concern every namespace.
        note: What more there is to know, for the reader of the warning.
    """

    namespaced: bool
    directions: frozenset[Direction] = _BOTH
    crosses: bool = False
    root_namespace: str | None = None
    note: str = ""


_NAMESPACED = Kind(namespaced=True)
_CLUSTER = Kind(namespaced=False)
_ISTIO = Kind(
    namespaced=True,
    directions=_IN,
    root_namespace="istio-system",
    note="in the mesh's root namespace it concerns every namespace; "
    "`istio-system` is taken to be the root",
)
_LINKERD = Kind(namespaced=True, directions=_IN)
_LEAVES = Kind(
    namespaced=True,
    directions=_OUT,
    note="it concerns only traffic that leaves the cluster, "
    "but which destinations those are is not worked out",
)

KINDS: dict[GroupKind, Kind] = {
    ("policy.linkerd.io", "Server"): _LINKERD,
    ("policy.linkerd.io", "ServerAuthorization"): _LINKERD,
    ("policy.linkerd.io", "AuthorizationPolicy"): _LINKERD,
    ("kuma.io", "TrafficPermission"): Kind(namespaced=False, directions=_IN),
    ("kuma.io", "MeshTrafficPermission"): Kind(
        namespaced=True,
        directions=_IN,
        root_namespace="kuma-system",
        note="in the mesh's system namespace it concerns every namespace; "
        "`kuma-system` is taken to be that",
    ),
    ("consul.hashicorp.com", "ServiceIntentions"): Kind(
        namespaced=True,
        directions=_IN,
        crosses=True,
        note="it names a service of the mesh, whichever namespace that is in",
    ),
    ("security.istio.io", "AuthorizationPolicy"): _ISTIO,
    ("security.istio.io", "PeerAuthentication"): _ISTIO,
    ("crd.antrea.io", "NetworkPolicy"): _NAMESPACED,
    ("crd.antrea.io", "ClusterNetworkPolicy"): _CLUSTER,
    ("k8s.ovn.org", "EgressFirewall"): _LEAVES,
    ("network.openshift.io", "EgressNetworkPolicy"): _LEAVES,
    ("networking.k8s.aws", "ClusterNetworkPolicy"): _CLUSTER,
    ("networking.k8s.aws", "ApplicationNetworkPolicy"): _NAMESPACED,
    ("k8s.cni.cncf.io", "MultiNetworkPolicy"): Kind(
        namespaced=True,
        note="it concerns the networks that its annotation names, which is not read",
    ),
}


@dataclass(frozen=True, slots=True)
class UnmodelledPolicy:
    """A policy of which we know that it exists and whom it may select."""

    group: str
    kind: str
    namespace: str | None
    name: str
    span: Span


def read(
    document: Document, options: ReadOptions, pool: Pool | None = None
) -> tuple[UnmodelledPolicy, list[Diagnostic]]:
    """Return a policy of a kind in `KINDS`.

    Raises:
        KeyError: the document is of another kind.
    """
    del pool  # few objects, little in each
    root = document.root
    group = group_of(_text(document, "apiVersion"))
    kind = _text(document, "kind")
    facts = KINDS[group, kind]
    name = _text(document, "metadata", "name") or _text(document, "metadata", "generateName")
    namespace = _text(document, "metadata", "namespace") or options.namespace
    clusterwide = not facts.namespaced
    span = root.span(document.file)
    return UnmodelledPolicy(group, kind, None if clusterwide else namespace, name, span), []


def compile_policy(policy: UnmodelledPolicy, profile: Profile) -> Policy:
    """Return an opaque policy over all that `policy` may select, whoever enforces it.

    The directions it may govern stand in `isolates`.
    """
    del profile
    facts = KINDS[policy.group, policy.kind]
    everywhere = _everywhere(policy)
    reason = f"{policy.kind} ({policy.group}) is not modelled"
    caveat = Caveat(
        "POLICY_NOT_MODELLED",
        f"{reason}: whatever it may select is undetermined",
    )
    return Policy(
        PolicyId(policy.kind, policy.namespace, policy.name),
        (PodsMatch() if everywhere else PodsMatch(namespace=policy.namespace),),
        facts.directions,
        (),
        TIER,
        span=policy.span,
        subject_span=policy.span,
        opaque=UnknownMatch(reason, caveat),
    )


def _everywhere(policy: UnmodelledPolicy) -> bool:
    """Return whether a policy may concern pods of every namespace."""
    facts = KINDS[policy.group, policy.kind]
    return facts.crosses or policy.namespace in (None, facts.root_namespace)


def _compile(policies: Sequence[UnmodelledPolicy], profile: Profile, world: World) -> Compilation:
    del world
    return Compilation.each(compile_policy(policy, profile) for policy in policies)


def notices(policies: Sequence[UnmodelledPolicy]) -> list[Diagnostic]:
    """Return one warning per kind, at its first object."""
    counts = Counter((p.group, p.kind) for p in policies)
    out = []
    for key in sorted(counts):
        group, kind = key
        facts = KINDS[key]
        mine = [p for p in policies if (p.group, p.kind) == key]
        first = min(mine, key=lambda p: p.span)
        where = (
            "any pod"
            if any(map(_everywhere, mine))
            else "pods in " + _names(sorted({p.namespace for p in mine if p.namespace}))
        )
        way = " or ".join(d.value for d in Direction if d in facts.directions)
        note = f"; {facts.note}" if facts.note else ""
        out.append(
            Diagnostic(
                "UNM001",
                Severity.WARNING,
                f"{kind} ({group}) is not modelled; {counts[key]} found",
                first.span,
                effect=f"answers about {way} of {where} are undetermined{note}",
                help="ask about other pods, or leave these objects out of the input "
                "to see what the rest alone would do",
            )
        )
    return out


def _no_suspicion(policies: Sequence[UnmodelledPolicy], around: Surroundings) -> list[Diagnostic]:
    """Nothing: what we cannot read we do not judge."""
    del policies, around
    return []


def _text(document: Document, *path: str) -> str:
    node = document.root.get(*path)
    return node.value if node is not None and isinstance(node.value, str) else ""


def _names(names: list[str]) -> str:
    shown = 3
    more = f" and {len(names) - shown} more namespaces" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


DIALECT: Dialect[UnmodelledPolicy] = Dialect(
    name="unmodelled",
    read=read,
    compile=_compile,
    notices=notices,
    suspicious=_no_suspicion,
)
