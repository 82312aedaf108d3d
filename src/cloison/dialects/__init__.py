"""Policy dialects: each is one module or package and one row in the table below.

A dialect is imported when its first object turns up, so a run pays for the dialects its
input speaks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cloison.base import QuestionError
from cloison.dialects.dialect import (
    Compilation,
    Dialect,
    GroupKind,
    Surroundings,
    completed,
    told,
)
from cloison.resources.kinds import group_of

if TYPE_CHECKING:
    from cloison.dialects.writing import Writer
    from cloison.dialects.writing.features import Feature


@dataclass(frozen=True, slots=True)
class Row:
    """One dialect of the table.

    Args:
        name: The dialect's name.
        module: The module that holds it, as `DIALECT`.
        kinds: The kinds it owns, in every version.
        writes: What the language that it writes is called where one is chosen; None where it
            only reads.
        clusterwide: Those of the kinds that live in no namespace.
        short: `kubectl`'s short names of kinds, in lower case; with the group where another
            dialect has a kind of the name.
        stored: Groups under which a store keeps objects of another group, and that group.
        stored_before: What such a store may put before the names of policies.
        product: The product under whose profiles it has a say even where it has no object, as
            their names begin; None where objects say all.
    """

    name: str
    module: str
    kinds: frozenset[GroupKind]
    writes: str | None = None
    clusterwide: frozenset[str] = frozenset()
    short: Mapping[str, str] = field(default_factory=dict, hash=False)
    stored: Mapping[str, str] = field(default_factory=dict, hash=False)
    stored_before: str = ""
    product: str | None = None

    def load(self) -> Dialect[Any]:
        """Import the dialect."""
        dialect: Dialect[Any] = import_module(self.module).DIALECT
        return dialect


TABLE: tuple[Row, ...] = (
    Row(
        "networkpolicy",
        "cloison.dialects.networkpolicy.dialect",
        frozenset({("networking.k8s.io", "NetworkPolicy"), ("extensions", "NetworkPolicy")}),
        writes="networkpolicy",
        short={"netpol": "networkpolicy"},
    ),
    Row(
        "adminpolicy",
        "cloison.dialects.adminpolicy.dialect",
        frozenset(
            {
                ("policy.networking.k8s.io", "AdminNetworkPolicy"),
                ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
                ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
            }
        ),
        writes="clusternetworkpolicy",
        clusterwide=frozenset(
            ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
        ),
        short={
            "anp": "adminnetworkpolicy",
            "banp": "baselineadminnetworkpolicy",
            "cnp": "clusternetworkpolicy",
        },
    ),
    Row(
        "calico",
        "cloison.dialects.calico.dialect",
        frozenset(
            (group, kind)
            for group in ("crd.projectcalico.org", "projectcalico.org")
            for kind in (
                "FelixConfiguration",
                "GlobalNetworkPolicy",
                "GlobalNetworkSet",
                "HostEndpoint",
                "IPPool",
                "NetworkPolicy",
                "NetworkSet",
                "Profile",
                "StagedGlobalNetworkPolicy",
                "StagedKubernetesNetworkPolicy",
                "StagedNetworkPolicy",
                "Tier",
            )
        ),
        writes="calico",
        clusterwide=frozenset(
            (
                "FelixConfiguration",
                "GlobalNetworkPolicy",
                "GlobalNetworkSet",
                "HostEndpoint",
                "IPPool",
                "Profile",
                "StagedGlobalNetworkPolicy",
                "Tier",
            )
        ),
        short={
            "caliconetworkpolicy": "networkpolicy.projectcalico.org",
            "cgnp": "globalnetworkpolicy",
            "gnp": "globalnetworkpolicy",
            "gns": "globalnetworkset",
            "hep": "hostendpoint",
            "netset": "networkset",
            "scnp": "stagednetworkpolicy",
            "sgnp": "stagedglobalnetworkpolicy",
            "sknp": "stagedkubernetesnetworkpolicy",
            "snp": "stagednetworkpolicy",
        },
        stored={"crd.projectcalico.org": "projectcalico.org"},
        stored_before="default.",
    ),
    Row(
        "cilium",
        "cloison.dialects.cilium.dialect",
        frozenset(
            ("cilium.io", kind)
            for kind in (
                "CiliumCIDRGroup",
                "CiliumClusterwideNetworkPolicy",
                "CiliumEgressGatewayPolicy",
                "CiliumEndpoint",
                "CiliumIdentity",
                "CiliumLocalRedirectPolicy",
                "CiliumNetworkPolicy",
            )
        ),
        writes="cilium",
        clusterwide=frozenset(
            (
                "CiliumCIDRGroup",
                "CiliumClusterwideNetworkPolicy",
                "CiliumEgressGatewayPolicy",
                "CiliumIdentity",
            )
        ),
        # `cnp` is short for ClusterNetworkPolicy, too; that of Kubernetes has it.
        short={
            "ccg": "ciliumcidrgroup",
            "ccnp": "ciliumclusterwidenetworkpolicy",
            "cegp": "ciliumegressgatewaypolicy",
            "cep": "ciliumendpoint",
            "ciliumep": "ciliumendpoint",
            "ciliumid": "ciliumidentity",
            "ciliumnp": "ciliumnetworkpolicy",
            "clrp": "ciliumlocalredirectpolicy",
        },
        product="cilium",
    ),
    Row(
        "unmodelled",
        "cloison.dialects.unmodelled",
        clusterwide=frozenset(("ClusterNetworkPolicy",)),
        kinds=frozenset(
            {
                ("crd.antrea.io", "ClusterNetworkPolicy"),
                ("crd.antrea.io", "NetworkPolicy"),
                ("consul.hashicorp.com", "ServiceIntentions"),
                ("k8s.cni.cncf.io", "MultiNetworkPolicy"),
                ("k8s.ovn.org", "EgressFirewall"),
                ("kuma.io", "MeshTrafficPermission"),
                ("kuma.io", "TrafficPermission"),
                ("network.openshift.io", "EgressNetworkPolicy"),
                ("networking.k8s.aws", "ApplicationNetworkPolicy"),
                ("networking.k8s.aws", "ClusterNetworkPolicy"),
                ("policy.linkerd.io", "AuthorizationPolicy"),
                ("policy.linkerd.io", "Server"),
                ("policy.linkerd.io", "ServerAuthorization"),
                ("security.istio.io", "AuthorizationPolicy"),
                ("security.istio.io", "PeerAuthentication"),
            }
        ),
    ),
)
"""Which dialect owns which kind. No kind has two rows."""

_OWNER = {kind: row for row in TABLE for kind in row.kinds}
_KINDS_OF_A_LOAD = 256
"""Kinds whose dialect is remembered: asked for every object, of which few kinds have many."""


def row_for(api_version: str, kind: str) -> Row | None:
    """Return the row that owns a kind, without importing the dialect; None when nobody does."""
    return _OWNER.get((group_of(api_version), kind))


@lru_cache(_KINDS_OF_A_LOAD)
def dialect_for(api_version: str, kind: str) -> Dialect[Any] | None:
    """Return the dialect that reads a kind, or None when it is no policy kind we know.

    >>> dialect_for("networking.k8s.io/v1", "NetworkPolicy").name
    'networkpolicy'
    >>> dialect_for("v1", "Service") is None
    True
    """
    row = row_for(api_version, kind)
    return row.load() if row else None


def dialects() -> Iterator[Dialect[Any]]:
    """Iterate over every dialect, in the order of the table."""
    for row in TABLE:
        yield row.load()


def always_asked(profile: str) -> Iterator[Dialect[Any]]:
    """Iterate over dialects that have a say under a profile, whether or not they have objects.

    Args:
        profile: Its name.
    """
    product = profile.partition("@")[0]
    return (row.load() for row in TABLE if row.product == product)


def targets() -> tuple[str, ...]:
    """Return the names of the languages that can be written, in the order of the table."""
    return tuple(row.writes for row in TABLE if row.writes is not None)


def writer_for(name: str) -> "tuple[Dialect[Any], Writer]":
    """Return the dialect that writes a language, and how it does.

    Raises:
        QuestionError: None does.
    """
    row = next((row for row in TABLE if row.writes == name), None)
    dialect = row.load() if row else None
    if dialect is None or dialect.writer is None:
        msg = f"{name!r} is no language that can be written"
        raise QuestionError(msg, f"languages are {', '.join(targets())}")
    return dialect, dialect.writer()


def features_of(row: Row, kind: str) -> "tuple[Feature, ...]":
    """Return what objects of a kind may say that not every language says, or enforcer reads alike.

    Args:
        row: Whose kind it is; languages that are only read have no such table.
        kind: The kind.
    """
    if row.writes is None:
        return ()
    module = import_module(f"{row.module.rpartition('.')[0]}.portable")
    found: tuple[Feature, ...] = module.features(kind)
    return found


__all__ = [
    "TABLE",
    "Compilation",
    "Dialect",
    "GroupKind",
    "Row",
    "Surroundings",
    "always_asked",
    "completed",
    "dialect_for",
    "dialects",
    "features_of",
    "row_for",
    "targets",
    "told",
    "writer_for",
]
