"""What the CRDs refuse, and what they store although nobody can use it.

Unknown fields, types and names are checked with `shape` (`resources.check`); here is what else
the schemas and their rules say. Every problem of an object is collected. A null field counts as
absent, as the API server prunes it; a null item of a list is refused.

Source: kubernetes-sigs/network-policy-api config/crd/{standard,experimental}, v0.1.7 and v0.2.0.
"""

from collections.abc import Callable
from typing import Final

from cloison.algebra import MAX_PORT, Operator
from cloison.base import Diagnostic
from cloison.dialects.adminpolicy.checking import Checking
from cloison.dialects.adminpolicy.nodes import text
from cloison.dialects.adminpolicy.terms import (
    PROTOCOLS,
    cidr_help,
    is_cidr,
    is_domain,
    operator_help,
    protocol_help,
    usable,
)
from cloison.resources.documents import Document
from cloison.resources.faults import Path, path_text
from cloison.resources.names import shown
from cloison.resources.options import Channel

MAX_PRIORITY: Final = 1000
MAX_BLOCKS: Final = 25
_MAX_NAME = 100
_MAX_CIDR = 43
_PEERS = {"ingress": "from", "egress": "to"}
_PEER_FIELDS = {
    "ingress": ("namespaces", "pods"),
    "egress": ("namespaces", "pods", "networks", "nodes", "domainNames"),
}
_CEL_CIDR = "kubernetes/kubernetes apiserver pkg/cel/library/cidr.go, isCIDR"
_SELECTORS = "kubernetes/apimachinery pkg/apis/meta/v1/helpers.go, LabelSelectorAsSelector"


def validate(
    document: Document, kind: str, object_: str, channel: Channel | None
) -> list[Diagnostic]:
    """Return every reason to refuse an object, as errors, and what else is wrong with it.

    Args:
        document: The object.
        kind: One of `LIMITS`.
        object_: What it is called, for people.
        channel: Which CRDs are installed, where somebody says so.

    Returns:
        Diagnostics in the order of the fields. Those whose effect is that the object is absent
        are refusals.
    """
    check = _Check(document, kind, object_, channel)
    check.whole()
    return check.found


class _Check(Checking):
    """One object's validation; collects what it finds."""

    def whole(self) -> None:
        name = self.get(("metadata", "name"))
        if self.kind == "BaselineAdminNetworkPolicy" and (name is None or name.value != "default"):
            self.error(
                "ADL003",
                ("metadata", "name"),
                "a BaselineAdminNetworkPolicy must be called `default`",
                "write `name: default`; there is only one per cluster",
            )
        status = self.get(("status",))
        if (
            self.kind == "ClusterNetworkPolicy"
            and status is not None
            and self.get(("status", "conditions")) is None
        ):
            self.error(
                "ADL004",
                ("status",),
                "`status` without `conditions`",
                "leave `status` out: only the enforcer writes it",
            )
        if not self.required(("spec",), "the rules"):
            return
        if self.kind != "BaselineAdminNetworkPolicy":
            self.priority(("spec", "priority"))
        if self.kind == "ClusterNetworkPolicy":
            self.word(("spec", "tier"), "a tier", ("Admin", "Baseline"))
        self.subject(("spec", "subject"))
        for direction in _PEERS:
            self.rules(direction, ("spec", direction))

    def priority(self, path: Path) -> None:
        if self.required(path, f"a number from 0 to {MAX_PRIORITY}, lower is tried earlier"):
            self.number(path, "ADL008", 0, MAX_PRIORITY, "a priority")

    def subject(self, path: Path) -> None:
        if not self.required(path, "`namespaces: {}` is every pod of the cluster"):
            return
        match self.one_of(path, ("namespaces", "pods"), "a subject"):
            case "namespaces":
                self.selector((*path, "namespaces"))
            case "pods":
                self.pods((*path, "pods"))

    def pods(self, path: Path) -> None:
        self.required((*path, "podSelector"), "`{}` is every pod")
        self.selector((*path, "podSelector"))
        if self.kind != "ClusterNetworkPolicy":
            self.required((*path, "namespaceSelector"), "`{}` is every namespace")
        self.selector((*path, "namespaceSelector"))

    def rules(self, direction: str, path: Path) -> None:
        for i in self.items(path, self.limits.rules):
            at = (*path, i)
            if self.get(at) is None:
                continue
            name = self.get((*at, "name"))
            if name is not None and isinstance(name.value, str) and len(name.value) > _MAX_NAME:
                self.error(
                    "ADL014",
                    (*at, "name"),
                    f"a rule's name has {len(name.value)} characters",
                    f"use at most {_MAX_NAME}",
                )
            self.word((*at, "action"), "an action", self.limits.actions)
            peers = (*at, _PEERS[direction])
            if self.required(peers, "`- namespaces: {}` is every pod of the cluster"):
                for j in self.items(peers, self.limits.items, 1):
                    if self.get((*peers, j)) is not None:
                        self.peer((*peers, j), direction)
            traffic = (*at, self.limits.traffic)
            for j in self.items(traffic, self.limits.items, 1):
                if self.get((*traffic, j)) is not None:
                    self.traffic((*traffic, j))
            self.named(at, peers, traffic)

    def peer(self, path: Path, direction: str) -> None:
        fields = _PEER_FIELDS[direction]
        if self.kind == "BaselineAdminNetworkPolicy":
            fields = fields[:4]
        if self.channel is Channel.STANDARD:
            fields = fields[:3]
        match self.one_of(path, fields, "a peer"):
            case "pods":
                self.pods((*path, "pods"))
            case "networks":
                self.texts((*path, "networks"), self.block)
            case "domainNames":
                self.texts((*path, "domainNames"), self.domain)
            case None:
                pass
            case field:
                self.selector((*path, field))

    def texts(self, path: Path, judge: Callable[[str, Path], None]) -> None:
        seen: set[object] = set()
        for i in self.items(path, MAX_BLOCKS, 1):
            node = self.get((*path, i))
            if node is None or not isinstance(node.value, str):
                continue
            if node.value in seen:
                self.error(
                    "ADL015",
                    (*path, i),
                    f"`{shown(node.value)}` is listed twice",
                    "remove one of the two",
                )
            seen.add(node.value)
            judge(node.value, (*path, i))

    def block(self, text: str, path: Path) -> None:
        if len(text) > _MAX_CIDR or not is_cidr(text):
            self.error(
                "ADL016",
                path,
                f"`{shown(text)}` is not an address block",
                cidr_help(text),
                _CEL_CIDR,
            )

    def domain(self, text: str, path: Path) -> None:
        if not is_domain(text):
            self.error(
                "ADL017",
                path,
                f"`{shown(text)}` is not a domain name",
                "write at least two labels, `example.com`, with `*.` only at the front",
            )

    def traffic(self, path: Path) -> None:
        if self.limits.traffic == "ports":
            self.old_port(path)
            return
        fields = ("tcp", "udp", "sctp", "destinationNamedPort")
        field = self.one_of(path, fields, "an entry of `protocols`")
        if field is None or field == "destinationNamedPort":
            return
        at = (*path, field)
        node = self.get(at)
        if node is not None and node.value == {}:
            self.error(
                "ADL018",
                at,
                f"`{field}: {{}}` is empty",
                f"for every port write `{field}: {{destinationPort: {{range: "
                f"{{start: 1, end: {MAX_PORT}}}}}}}`",
            )
            return
        at = (*at, "destinationPort")
        if not self.required(at, "`{number: 80}`, or `{range: {start: 80, end: 90}}`"):
            return
        match self.one_of(at, ("number", "range"), "a port"):
            case "number":
                self.number((*at, "number"), "ADL019", 1, MAX_PORT, "a port number")
            case "range":
                ends = self.range((*at, "range"))
                if ends is not None and ends[0] >= ends[1]:
                    self.error(
                        "ADL020",
                        (*at, "range"),
                        f"the range {ends[0]}-{ends[1]} does not go up",
                        f"for one port write `number: {ends[0]}`"
                        if ends[0] == ends[1]
                        else f"write `start: {ends[1]}` and `end: {ends[0]}`",
                    )

    def old_port(self, path: Path) -> None:
        fields: tuple[str, ...] = ("portNumber", "portRange", "namedPort")
        if self.channel is Channel.STANDARD:
            fields = fields[:2]
        field = self.one_of(path, fields, "an entry of `ports`")
        if field is None or field == "namedPort":
            return
        at = (*path, field)
        protocol = self.get((*at, "protocol"))
        if (
            protocol is not None
            and isinstance(protocol.value, str)
            and protocol.value not in PROTOCOLS
        ):
            self.note(
                "ADL021",
                (*at, "protocol"),
                f"`{shown(protocol.value)}` is not a protocol, though the CRD stores it, "
                f"at {path_text((*at, 'protocol'))}",
                "what the entry matches is up to the enforcer: answers that depend on it are "
                "undetermined",
                protocol_help(protocol.value),
            )
        if field == "portNumber":
            if self.required((*at, "port"), f"a number from 1 to {MAX_PORT}"):
                self.number((*at, "port"), "ADL019", 1, MAX_PORT, "a port number")
            return
        ends = self.range(at)
        if ends is not None and ends[0] > ends[1]:
            self.note(
                "ADL022",
                at,
                f"the range {ends[0]}-{ends[1]} goes down, though the CRD stores it, "
                f"at {path_text(at)}",
                "the entry matches nothing",
                f"write `start: {ends[1]}` and `end: {ends[0]}`",
            )

    def range(self, path: Path) -> tuple[int, int] | None:
        """Return the ends of a range that are port numbers."""
        ends = []
        for field in ("start", "end"):
            if self.required((*path, field), f"a number from 1 to {MAX_PORT}"):
                value = self.number((*path, field), "ADL019", 1, MAX_PORT, "a port number")
                if value is not None:
                    ends.append(value)
        return (ends[0], ends[1]) if len(ends) == len(("start", "end")) else None

    def named(self, rule: Path, peers: Path, traffic: Path) -> None:
        """Judge named ports beside peers that have no names."""
        field = "namedPort" if self.limits.traffic == "ports" else "destinationNamedPort"
        names = any(self.get((*traffic, i, field)) for i in range(self.limits.items))
        if not names:
            return
        placed = [
            f
            for f in ("networks", "nodes", "domainNames")
            if any(self.get((*peers, i, f)) for i in range(self.limits.items))
        ]
        if not placed:
            return
        message = f"`{placed[0]}` beside `{field}`"
        help_ = "write two rules, one with the port's number; addresses have no port names"
        # The one combination that the standard CRDs know the fields of, and do not look for.
        if (
            placed == ["networks"]
            and field == "destinationNamedPort"
            and (self.channel is not Channel.EXPERIMENTAL)
        ):
            self.note(
                "ADL023",
                rule,
                f"{message} at {path_text(rule)}",
                "only the standard CRDs store it, the experimental ones refuse it; where it is "
                "stored, the name is looked up on pods at those addresses and, by Calico, on "
                "host endpoints",
                help_,
            )
        else:
            self.error("ADL023", rule, message, help_)

    def selector(self, path: Path) -> None:
        """Judge a selector: the CRD asks for keys and operators and looks no further."""
        expressions = (*path, "matchExpressions")
        labels = self.get((*path, "matchLabels"))
        pairs = labels.value if labels is not None and isinstance(labels.value, dict) else {}
        for key, node in pairs.items():
            if isinstance(node.value, str):
                self.unusable((*path, "matchLabels", key), Operator.IN, key, [node.value])
        for i in self.items(expressions, 1 << 20):
            at = (*expressions, i)
            if self.get(at) is None:
                continue
            asked = [self.required((*at, f), "an expression needs it") for f in ("key", "operator")]
            name, operator = text(self.get((*at, "key"))), text(self.get((*at, "operator")))
            listed = self.get((*at, "values"))
            values = listed.value if listed is not None and isinstance(listed.value, list) else []
            for j, value in enumerate(values):
                if value.value is None:
                    self.error("ADL013", (*at, "values", j), "an item is null", "write it")
            # What is no text at all is refused by the schema, which says so.
            nested = any(isinstance(v.value, dict | list) for v in values)
            if all(asked) and name is not None and operator is not None and not nested:
                self.unusable(at, operator, name, [str(v.value) for v in values])

    def unusable(self, path: Path, operator: str, key: str, values: list[str]) -> None:
        problem = usable(operator, key, values)
        if problem is None:
            return
        self.note(
            "ADL024",
            path,
            f"{problem}, though the CRD stores it, at {path_text(path)}",
            "the enforcer cannot use the selector: answers that depend on it are undetermined",
            operator_help(operator),
            _SELECTORS,
        )
