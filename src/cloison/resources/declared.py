"""Objects that start traffic or lead it somewhere, as written: routes, monitors, webhooks.

Who knows what they mean stands further up; here they are kept, named and placed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

import msgspec

from cloison.base import Diagnostic, Severity, Span
from cloison.resources import faults, wrongtype
from cloison.resources.documents import Document, Node
from cloison.resources.kinds import group_of
from cloison.resources.names import shown
from cloison.resources.objects import Labels
from cloison.resources.project import convert

GroupKind: TypeAlias = tuple[str, str]
"""API group and kind; the core group is the empty text."""

T = TypeVar("T", bound=msgspec.Struct)

_NAMESPACED: Final[dict[str, tuple[str, ...]]] = {
    "": ("ConfigMap", "Endpoints"),
    "acid.zalan.do": ("postgresql",),
    "cassandra.datastax.com": ("CassandraDatacenter",),
    "cert-manager.io": ("Issuer",),
    "eks.services.k8s.aws": ("PodIdentityAssociation",),
    "elasticsearch.k8s.elastic.co": ("Elasticsearch",),
    "extensions": ("Ingress",),
    "gateway.envoyproxy.io": ("EnvoyProxy",),
    "gateway.networking.k8s.io": (
        "Gateway",
        "GRPCRoute",
        "HTTPRoute",
        "ListenerSet",
        "ReferenceGrant",
        "TCPRoute",
        "TLSRoute",
        "UDPRoute",
    ),
    "gateway.networking.x-k8s.io": ("XListenerSet",),
    "grafana.integreatly.org": ("Grafana",),
    "kafka.strimzi.io": ("Kafka",),
    "kibana.k8s.elastic.co": ("Kibana",),
    "mongodbcommunity.mongodb.com": ("MongoDBCommunity",),
    "monitoring.coreos.com": (
        "Alertmanager",
        "PodMonitor",
        "Probe",
        "Prometheus",
        "PrometheusAgent",
        "ServiceMonitor",
        "ThanosRuler",
    ),
    "mysql.oracle.com": ("InnoDBCluster",),
    "networking.k8s.io": ("Ingress",),
    "opentelemetry.io": ("OpenTelemetryCollector",),
    "operator.openshift.io": ("IngressController",),
    "postgresql.cnpg.io": ("Cluster",),
    "rabbitmq.com": ("RabbitmqCluster",),
    "rbac.authorization.k8s.io": ("Role", "RoleBinding"),
    "route.openshift.io": ("Route",),
}
_CLUSTER_WIDE: Final[dict[str, tuple[str, ...]]] = {
    "admissionregistration.k8s.io": (
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    ),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "apiregistration.k8s.io": ("APIService",),
    "cert-manager.io": ("ClusterIssuer",),
    "cilium.io": ("CiliumEgressGatewayPolicy",),
    "config.openshift.io": ("ClusterVersion", "Infrastructure", "Network"),
    "crd.projectcalico.org": ("IPPool",),
    "gateway.networking.k8s.io": ("GatewayClass",),
    "networking.k8s.io": ("IngressClass",),
    "operator.openshift.io": ("DNS", "Network"),
    "projectcalico.org": ("IPPool",),
    "rbac.authorization.k8s.io": ("ClusterRole", "ClusterRoleBinding"),
}
KEPT: Final[dict[GroupKind, bool]] = {
    **{(group, kind): True for group, kinds in _NAMESPACED.items() for kind in kinds},
    **{(group, kind): False for group, kinds in _CLUSTER_WIDE.items() for kind in kinds},
}
"""The kinds that are kept as written, of whatever version; whether each lives in a namespace."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An object as written.

    Args:
        group: Its API group; the core group is the empty text.
        version: The rest of its API version.
        kind: Its kind.
        namespace: Where it lives; empty for one of the whole cluster.
        name: Its name.
        labels: Its labels, as far as they are text.
        annotations: Its annotations, as far as they are text.
        document: All of it, located.
    """

    group: str
    version: str
    kind: str
    namespace: str
    name: str
    document: Document = field(compare=False, repr=False)
    labels: Labels = field(default_factory=dict)
    annotations: Labels = field(default_factory=dict)

    @property
    def span(self) -> Span:
        """Where it starts."""
        return self.document.root.span(self.document.file)

    @property
    def shown(self) -> str:
        """What to call it: `HTTPRoute web/portal`."""
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {shown(name)}"

    def at(self, *path: str | int) -> Span:
        """Return where a field stands, or what is nearest to it of all that is there."""
        node = self.document.root
        for step in path:
            below = node.get(step)
            if below is None:
                break
            node = below
        return node.key_span(self.document.file)


def declared(document: Document, api_version: str, kind: str, namespace: str) -> Declared | None:
    """Return an object as one that is kept, None where its kind is not or it has no name.

    Args:
        document: The object.
        api_version: Its API version.
        kind: Its kind.
        namespace: Where it lives if it does not say.
    """
    group, version = group_of(api_version), api_version.rpartition("/")[2]
    namespaced = KEPT.get((group, kind))
    meta = document.root.get("metadata")
    name = _text(meta, "name") or _text(meta, "generateName")
    if namespaced is None or meta is None or not name:
        return None
    return Declared(
        group,
        version,
        kind,
        (_text(meta, "namespace") or namespace) if namespaced else "",
        name,
        document,
        _texts(meta.get("labels")),
        _texts(meta.get("annotations")),
    )


def body(item: Declared, into: type[T]) -> tuple[T | None, tuple[Diagnostic, ...]]:
    """Return the fields of an object that a type models; or what keeps it from being read so.

    Args:
        item: The object.
        into: A struct of the fields; nulls become absent ones.
    """
    try:
        return convert(item.document.root, into), ()
    except msgspec.ValidationError as error:
        return None, (_odd(item, str(error)),)


def _odd(item: Declared, error: str) -> Diagnostic:
    """Return what the decoder says is wrong, in our words and at its place."""
    said, _, place = error.partition(" - at `$")
    node = item.document.root
    path: list[str | int] = []
    for step in _steps(place.rstrip("`")):
        key = _unlike(node, said) if step is None else step
        below = node.get(key) if key is not None else None
        if below is None or key is None:
            break
        node, path = below, [*path, key]
    missing = _MISSING.match(said)
    if missing:
        where = f"`{shown(faults.path_text(tuple(path)))}`" if path else "the object"
        message, remedy = f"{where} has no `{missing[1]}`", f"add `{missing[1]}`"
    else:
        # What is not of another type is a word that stands for nothing.
        expected = wrongtype.wanted(said) or "a word that the API knows"
        message = wrongtype.message(tuple(path), node.value, expected)
        remedy = wrongtype.remedy(node.value, expected) or f"write {expected}"
    core = item.group in ("", "extensions") or item.group.endswith(".k8s.io")
    return Diagnostic(
        faults.WRONG_TYPE,
        Severity.ERROR,
        message,
        node.span(item.document.file),
        item.shown,
        faults.ABSENT,
        remedy,
        f"Kubernetes API reference, {item.kind}" if core else f"API {item.group}, {item.kind}",
    )


_MISSING = re.compile(r"Object missing required field `([^`]+)`")


def _unlike(node: Node, said: str) -> str | None:
    """Return the first key of a mapping whose value is what the decoder does not want there."""
    wrong = wrongtype.given(said)
    if wrong is None or not isinstance(node.value, dict):
        return None
    return next((key for key, each in node.value.items() if type(each.value) is wrong), None)


def of_kind(items: Iterable[Declared], *kinds: GroupKind) -> tuple[Declared, ...]:
    """Return those of some kinds."""
    return tuple(item for item in items if (item.group, item.kind) in kinds)


def _steps(path: str) -> list[str | int | None]:
    """Return the steps of a path as the decoder writes it: `.spec.rules[0].host`.

    None stands for a key of a mapping, which it does not name: `.data[...]`.
    """
    found: list[str | int | None] = []
    for part in path.replace("[...]", ".[]").replace("[", ".[").split("."):
        if part.startswith("["):
            found.append(int(part[1:-1]) if part[1:-1].isdecimal() else None)
        elif part:
            found.append(part)
    return found


def _text(node: Node | None, key: str) -> str:
    found = node.get(key) if node is not None else None
    return found.value if found is not None and isinstance(found.value, str) else ""


def _texts(node: Node | None) -> Labels:
    if node is None or not isinstance(node.value, dict):
        return {}
    return {
        key: each.value for key, each in sorted(node.value.items()) if isinstance(each.value, str)
    }
