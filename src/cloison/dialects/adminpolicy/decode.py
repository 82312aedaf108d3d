"""From a document to the model: `decode` is the one way in.

The field table and the rules of the CRD have their say first. What they refuse is absent; what
they prune is left out here too, and they have said what that widens.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.channels import experimental
from cloison.dialects.adminpolicy.nodes import items, number, text
from cloison.dialects.adminpolicy.say import ABSENT, DOCS
from cloison.dialects.adminpolicy.shape import VERSIONS, custom
from cloison.dialects.adminpolicy.validate import validate
from cloison.resources.check import check_custom, object_name
from cloison.resources.documents import Document, Node
from cloison.resources.options import Channel, ReadOptions
from cloison.resources.pool import Pool

T = TypeVar("T")
Written = tuple[model.Object | None, list[Diagnostic]]

_UNKNOWN_EFFECT = "it is not read, and answers about any pod that it may select are undetermined"


def decode(document: Document, options: ReadOptions, pool: Pool | None = None) -> Written:
    """Return the policy that `document` holds, and everything there is to say about it.

    Args:
        document: One object of the three kinds, in any version.
        options: What unknown fields do, and which CRDs are installed.
        pool: Where repeated values are kept; pass the same one for a whole load.

    Returns:
        The policy; an `Unreadable` one where the version, or the whole of what a server stored, is
        not known; or None when the API server would refuse it. And diagnostics: every reason for
        refusal, not only the first, and warnings.

    Raises:
        KeyError: the document is of another kind.
    """
    root, file = document.root, document.file
    kind = text(root.get("kind")) or ""
    name = object_name(root, kind, options, namespaced=False)
    version = text(root.get("apiVersion")) or VERSIONS[kind]
    if version != VERSIONS[kind]:
        return _unknown_version(document, kind, name.name, version)
    live = root.get("metadata", "uid") is not None
    # Whoever stored it had the CRDs for it.
    channel = None if live else options.policy_channel
    checked = check_custom(document, custom(kind, channel), options)
    diagnostics = validate(document, kind, str(name), channel)
    absent = checked.refused or any(d.effect == ABSENT for d in diagnostics)
    if not absent and channel is not Channel.EXPERIMENTAL and not live:
        diagnostics += experimental(document, str(name))
    said = [*checked.diagnostics, *diagnostics]
    if absent:
        return None, said
    reader = _Reader(file, kind, pool or Pool(), live=live)
    return reader.policy(root), said


def _unknown_version(document: Document, kind: str, name: str, version: str) -> Written:
    reason = f"{kind} of `{version}` is a version that is not known"
    policy = model.Unreadable(kind, name, reason, document.root.span(document.file))
    said = Diagnostic(
        "ADL001",
        Severity.WARNING,
        reason,
        policy.span,
        str(policy),
        _UNKNOWN_EFFECT,
        f"write `apiVersion: {VERSIONS[kind]}` if the cluster serves that",
        DOCS,
    )
    return policy, [said]


class _Reader:
    """Turns the nodes of an accepted object into plain values."""

    __slots__ = ("file", "kind", "live", "pool")

    def __init__(self, file: str, kind: str, pool: Pool, *, live: bool) -> None:
        self.file = file
        self.kind = kind
        self.pool = pool
        self.live = live

    def policy(self, root: Node) -> model.Object:
        name = text(root.get("metadata", "name"))
        if not name:
            # The server will append five characters nobody knows yet. The position keeps
            # apart two objects that ask for the same prefix.
            prefix = text(root.get("metadata", "generateName")) or ""
            name = f"{prefix}* ({root.span(self.file).place})"
        span = root.span(self.file)
        spec = root.get("spec")
        subject = self.subject(root.get("spec", "subject"))
        newer = self.newer(spec, _SPEC)
        if newer or subject is None:
            what = f"a field `{newer[0]}`" if newer else "a subject"
            reason = f"the stored {self.kind} has {what} that is not known"
            return model.Unreadable(self.kind, name, reason, span)
        shared: dict[str, Any] = {
            "name": name,
            "subject": subject,
            "ingress": self.items(root.get("spec", "ingress"), lambda n: self.rule(n, "from")),
            "egress": self.items(root.get("spec", "egress"), lambda n: self.rule(n, "to")),
            "labels": self.strings(root.get("metadata", "labels")),
            "annotations": self.strings(root.get("metadata", "annotations")),
            "created": text(root.get("metadata", "creationTimestamp")),
            "span": span,
        }
        if self.kind == "BaselineAdminNetworkPolicy":
            return model.BaselineAdminNetworkPolicy(**shared)
        priority = number(root.get("spec", "priority")) or 0
        if self.kind == "AdminNetworkPolicy":
            return model.AdminNetworkPolicy(priority=priority, **shared)
        tier = model.Tier(text(root.get("spec", "tier")) or "")
        return model.ClusterNetworkPolicy(tier=tier, priority=priority, **shared)

    def newer(self, node: Node | None, known: frozenset[str]) -> tuple[str, ...]:
        """Return the fields of a stored object that we do not know; of others they are pruned."""
        found = node.value if node is not None and isinstance(node.value, dict) else {}
        unknown = (k for k, v in found.items() if k not in known and v.value is not None)
        return tuple(unknown) if self.live else ()

    def items(self, node: Node | None, read: Callable[[Node], T]) -> tuple[T, ...] | None:
        """Return a list's items, None when absent or null."""
        if node is None or not isinstance(node.value, list):
            return None
        return tuple(read(item) for item in node.value)

    def texts(self, node: Node | None) -> tuple[str, ...] | None:
        found = self.items(node, lambda item: text(item) or "")
        return None if found is None else self.pool.share(found)

    def strings(self, node: Node | None) -> Mapping[str, str]:
        found = node.value if node is not None and isinstance(node.value, dict) else {}
        return self.pool.mapping({key: text(value) or "" for key, value in found.items()})

    def span(self, node: Node) -> Span:
        return node.span(self.file)

    def subject(self, node: Node | None) -> model.Subject | None:
        """Return a subject; None for one that says nothing we know."""
        if node is None or self.newer(node, _SELECTS):
            return None
        namespaces = self.selector(node.get("namespaces"))
        pods = self.pods(node.get("pods"))
        if namespaces is None and pods is None:
            return None
        return model.Subject(namespaces, pods, self.span(node))

    def pods(self, node: Node | None) -> model.NamespacedPod | None:
        if node is None or not isinstance(node.value, dict):
            return None
        return model.NamespacedPod(
            self.selector(node.get("podSelector")) or model.LabelSelector(),
            self.selector(node.get("namespaceSelector")),
            self.span(node),
        )

    def selector(self, node: Node | None) -> model.LabelSelector | None:
        if node is None or not isinstance(node.value, dict):
            return None
        expressions = self.items(node.get("matchExpressions"), self.requirement)
        labels = self.strings(node.get("matchLabels"))
        return model.LabelSelector(labels, expressions or (), self.span(node))

    def requirement(self, node: Node) -> model.LabelSelectorRequirement:
        return model.LabelSelectorRequirement(
            text(node.get("key")) or "",
            text(node.get("operator")) or "",
            self.texts(node.get("values")) or (),
        )

    def rule(self, node: Node, peers: str) -> model.Rule:
        fields = frozenset({"name", "action", peers, "ports", "protocols"})
        known = _EGRESS if peers == "to" else _SELECTS
        unknown = [*self.newer(node, fields)]
        for peer in items(node.get(peers)):
            if any(peer.get(field) is not None for field in known):
                unknown += self.newer(peer, known)
        for entry in (*items(node.get("ports")), *items(node.get("protocols"))):
            unknown += self.newer(entry, _ENTRY)
        return model.Rule(
            text(node.get("action")) or "",
            self.items(node.get(peers), self.peer) or (),
            self.items(node.get("ports"), self.port),
            self.items(node.get("protocols"), self.protocol),
            text(node.get("name")),
            tuple(dict.fromkeys(unknown)),
            self.span(node),
        )

    def peer(self, node: Node) -> model.Peer:
        return model.Peer(
            self.selector(node.get("namespaces")),
            self.pods(node.get("pods")),
            self.selector(node.get("nodes")),
            self.texts(node.get("networks")),
            self.texts(node.get("domainNames")),
            self.span(node),
        )

    def port(self, node: Node) -> model.Port:
        one, several = node.get("portNumber"), node.get("portRange")
        return model.Port(
            model.PortNumber(number(one.get("port")) or 0, text(one.get("protocol")))
            if one is not None and one.value is not None
            else None,
            model.PortRange(
                number(several.get("start")) or 0,
                number(several.get("end")) or 0,
                text(several.get("protocol")),
            )
            if several is not None and several.value is not None
            else None,
            text(node.get("namedPort")),
            self.span(node),
        )

    def protocol(self, node: Node) -> model.Protocol:
        return model.Protocol(
            _destination(node.get("tcp")),
            _destination(node.get("udp")),
            _destination(node.get("sctp")),
            text(node.get("destinationNamedPort")),
            self.span(node),
        )


_SELECTS = frozenset({"namespaces", "pods"})
_EGRESS = _SELECTS | {"networks", "nodes", "domainNames"}
_ENTRY = frozenset(
    {
        *("portNumber", "portRange", "namedPort"),
        *("tcp", "udp", "sctp", "destinationNamedPort"),
    }
)
_SPEC = frozenset({"tier", "priority", "subject", "ingress", "egress"})


def _destination(node: Node | None) -> model.DestinationPort | None:
    port = node.get("destinationPort") if node is not None else None
    if port is None or not isinstance(port.value, dict):
        return None
    ends = port.get("range")
    return model.DestinationPort(
        number(port.get("number")),
        (number(ends.get("start")) or 0, number(ends.get("end")) or 0)
        if ends is not None and ends.value is not None
        else None,
    )
