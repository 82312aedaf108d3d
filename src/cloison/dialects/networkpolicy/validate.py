"""What an API server refuses, field by field, and what it only grumbles about.

Names, labels, types and unknown fields are every kind's business and are checked with the
field table (`resources.check`); here is what only NetworkPolicy has. Every problem of an
object is collected. The order of checks inside a field is the
server's, so that we stop where it stops.

Source: kubernetes/kubernetes pkg/apis/networking/validation/validation.go, and
pkg/registry/networking/networkpolicy/strategy.go for what an update may keep.
"""

import re
from collections.abc import Iterator

from cloison.algebra import MAX_PORT, Operator
from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.networkpolicy import model
from cloison.dialects.networkpolicy.cidr import V4_BITS, Cidr, parse_cidr
from cloison.dialects.networkpolicy.say import VALIDATION, refused
from cloison.resources.documents import Document
from cloison.resources.faults import Path, path_text
from cloison.resources.names import (
    MAX_PORT_NAME,
    is_label_key,
    is_label_value,
    is_port_name,
    shown,
)
from cloison.resources.options import ReadOptions

STRICT_CIDR_SINCE = (1, 36)
"""Kubernetes version whose default feature gates refuse sloppy blocks in new objects."""

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_LABELS = "Kubernetes docs, Labels and Selectors, Syntax and character set"
_SELECTORS = "kubernetes/apimachinery pkg/apis/meta/v1/validation/validation.go"
_PORT_NAMES = "kubernetes/apimachinery pkg/util/validation/validation.go, IsValidPortName"
_STRICT = "KEP-4858, Stricter validation of IP addresses and CIDRs"


def validate(
    policy: model.NetworkPolicy,
    options: ReadOptions,
    *,
    old: model.NetworkPolicy | None = None,
    document: Document | None = None,
) -> list[Diagnostic]:
    """Return every reason to refuse `policy`, as errors, and the server's own warnings.

    Args:
        policy: As written.
        options: `kubernetes` decides how strictly blocks are read.
        old: The stored object that `policy` replaces; its blocks may stay as they are.
        document: Where the policy was read, for exact positions; without it they are
            those of the nearest part of the model that has one.

    Returns:
        Diagnostics in the order of the fields. Without an error, the server stores it.
    """
    check = _Check(policy, options, old, document)
    check.spec()
    return check.found


class _Check:
    """One object's validation; collects what it finds."""

    def __init__(
        self,
        policy: model.NetworkPolicy,
        options: ReadOptions,
        old: model.NetworkPolicy | None,
        document: Document | None,
    ) -> None:
        self.policy = policy
        self.strict = options.kubernetes >= STRICT_CIDR_SINCE
        self.version = ".".join(map(str, options.kubernetes))
        self.kept = frozenset(_blocks(old)) if old else frozenset()
        self.any_values = old is not None and bool(_bad_values(old.pod_selector))
        self.document = document
        self.near = policy.span
        self.found: list[Diagnostic] = []

    def error(
        self, code: str, path: Path, message: str, help_: str, source: str = VALIDATION
    ) -> None:
        text = f"{message} at {path_text(path)}"
        self.found.append(
            refused(code, str(self.policy), self.locate(path), text, help_, source=source)
        )

    def locate(self, path: Path) -> Span | None:
        if self.document is None:
            return self.near
        node = self.document.root
        for step in path:
            child = node.get(step)
            if child is None:
                break
            node = child
        return node.span(self.document.file)

    def spec(self) -> None:
        self.selector(self.policy.pod_selector, ("spec", "podSelector"))
        for field, peers, rules in (
            ("ingress", "from", self.policy.ingress),
            ("egress", "to", self.policy.egress),
        ):
            for i, rule in enumerate(rules or ()):
                at: Path = ("spec", field, i)
                for j, port in enumerate(rule.ports or ()):
                    self.near = port.span or rule.span or self.policy.span
                    self.port(port, (*at, "ports", j))
                for j, peer in enumerate(rule.peers or ()):
                    self.near = peer.span or rule.span or self.policy.span
                    self.peer(peer, (*at, peers, j))
        self.near = self.policy.policy_types_span or self.policy.span
        self.types(self.policy.policy_types or ())

    def types(self, types: tuple[str, ...]) -> None:
        at: Path = ("spec", "policyTypes")
        if len(types) > len(model.PolicyType):
            # The server looks no further, so neither do we.
            self.error(
                "NPL004",
                at,
                f"{len(types)} policy types, and at most two are accepted",
                "name each of `Ingress` and `Egress` at most once",
            )
            return
        for i, type_ in enumerate(types):
            if type_ not in tuple(model.PolicyType):
                self.error(
                    "NPL005",
                    (*at, i),
                    f"{_show(type_)} is not a policy type",
                    _nearest(type_, tuple(model.PolicyType)),
                )

    def peer(self, peer: model.NetworkPolicyPeer, at: Path) -> None:
        self.selector(peer.pod_selector, (*at, "podSelector"))
        self.selector(peer.namespace_selector, (*at, "namespaceSelector"))
        selects = peer.pod_selector is not None or peer.namespace_selector is not None
        if peer.ip_block is not None:
            self.block(peer.ip_block, (*at, "ipBlock"))
            if selects:
                self.error(
                    "NPL007",
                    at,
                    "a peer has `ipBlock` and a selector",
                    "write two list items, one with `ipBlock` and one with the selectors",
                )
        elif not selects:
            self.error(
                "NPL006",
                at,
                "a peer has none of `podSelector`, `namespaceSelector`, `ipBlock`",
                "name one of them, or drop the whole list to admit every peer",
            )

    def block(self, block: model.IPBlock, at: Path) -> None:
        if not block.cidr:
            self.error("NPL008", (*at, "cidr"), "`cidr` is missing", _CIDR_HELP)
            return
        outer = self.cidr("NPL009", block.cidr, (*at, "cidr"))
        if outer is None:
            return
        for i, text in enumerate(block.except_):
            path = (*at, "except", i)
            inner = self.cidr("NPL010", text, path)
            if inner is not None and not outer.holds_strictly(inner):
                self.error(
                    "NPL011",
                    path,
                    f"{_show(text)} is not a smaller block inside {_show(block.cidr)}",
                    _except_help(outer, inner),
                )

    def cidr(self, code: str, text: str, at: Path) -> Cidr | None:
        cidr = parse_cidr(text)
        if cidr is None:
            self.error(code, at, f"{_show(text)} is not an address block", _cidr_help(text))
            return None
        complaint = cidr.complaint
        if complaint is None:
            if cidr.bits != V4_BITS and cidr.canonical() != text:
                self.warn_text(cidr, at)
        elif self.strict and text not in self.kept:
            self.error(
                "NPL012",
                at,
                f"{_show(text)} {complaint}, which Kubernetes {self.version} refuses",
                f"write `{cidr.canonical()}`",
                _STRICT,
            )
        else:
            since = ".".join(map(str, STRICT_CIDR_SINCE))
            self.found.append(
                Diagnostic(
                    "NPL012",
                    Severity.WARNING,
                    f"{_show(text)} {complaint} at {path_text(at)}",
                    self.locate(at),
                    str(self.policy),
                    effect=f"read as `{cidr.canonical()}`; "
                    f"a new object with it is refused from Kubernetes {since} on",
                    help=f"write `{cidr.canonical()}`",
                    source=_STRICT,
                )
            )
        return cidr

    def warn_text(self, cidr: Cidr, at: Path) -> None:
        self.found.append(
            Diagnostic(
                "NPL026",
                Severity.INFO,
                f"{_show(cidr.text)} is not the canonical text of its block at {path_text(at)}",
                self.locate(at),
                str(self.policy),
                effect="none; the API server answers with a warning",
                help=f"write `{cidr.canonical()}`",
                source=_STRICT,
            )
        )

    def port(self, entry: model.NetworkPolicyPort, at: Path) -> None:
        if entry.protocol is not None and entry.protocol not in _PROTOCOLS:
            self.error(
                "NPL013",
                (*at, "protocol"),
                f"{_show(entry.protocol)} is not a protocol a NetworkPolicy can name",
                _nearest(entry.protocol, _PROTOCOLS),
            )
        if isinstance(entry.port, int):
            if not 1 <= entry.port <= MAX_PORT:
                self.error(
                    "NPL014", (*at, "port"), f"{entry.port} is not a port number", _PORT_HELP
                )
        elif entry.port is not None and not is_port_name(entry.port):
            problem = _port_name_problem(entry.port)
            self.error(
                "NPL015",
                (*at, "port"),
                f"{_show(entry.port)} is not a port name: {problem}",
                _port_name_help(entry.port),
                _PORT_NAMES,
            )
        if entry.end_port is not None:
            self.end_port(entry.port, entry.end_port, (*at, "endPort"))

    def end_port(self, port: int | str | None, end: int, at: Path) -> None:
        if port is None:
            self.error(
                "NPL016",
                at,
                "`endPort` without `port`",
                "write the first port of the range as `port`",
            )
        elif isinstance(port, str):
            self.error(
                "NPL017",
                at,
                f"`endPort` next to the named port {_show(port)}",
                "write `port` as a number, or remove `endPort`",
            )
        else:
            if end < port:
                self.error(
                    "NPL018",
                    at,
                    f"`endPort` {end} is smaller than `port` {port}",
                    f"write `port: {end}` and `endPort: {port}`, or remove `endPort`",
                )
            if not 1 <= end <= MAX_PORT:
                self.error("NPL019", at, f"`endPort` {end} is not a port number", _PORT_HELP)

    def selector(self, selector: model.LabelSelector | None, at: Path) -> None:
        if selector is None:
            return
        self.near = selector.span or self.near
        for key, value in selector.match_labels.items():
            path = (*at, "matchLabels", key)
            self.key(key, path)
            self.value("NPL021", value, path)
        for i, requirement in enumerate(selector.match_expressions):
            self.requirement(requirement, (*at, "matchExpressions", i))

    def requirement(self, asked: model.LabelSelectorRequirement, at: Path) -> None:
        if asked.operator in (Operator.IN, Operator.NOT_IN):
            if not asked.values:
                self.error(
                    "NPL023",
                    (*at, "values"),
                    f"`{asked.operator}` without values",
                    "list at least one value under `values`, or use `Exists` or `DoesNotExist`",
                    _SELECTORS,
                )
        elif asked.operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST):
            if asked.values:
                other = "In" if asked.operator == Operator.EXISTS else "NotIn"
                self.error(
                    "NPL024",
                    (*at, "values"),
                    f"`{asked.operator}` with values",
                    f"remove `values`, or write `operator: {other}`",
                    _SELECTORS,
                )
        else:
            self.error(
                "NPL022",
                (*at, "operator"),
                f"{_show(asked.operator)} is not an operator",
                _nearest(asked.operator, tuple(Operator)),
                _SELECTORS,
            )
        self.key(asked.key, (*at, "key"))
        if not self.any_values:
            for i, value in enumerate(asked.values):
                self.value("NPL025", value, (*at, "values", i))

    def key(self, key: str, at: Path) -> None:
        if not is_label_key(key):
            self.error(
                "NPL020",
                at,
                f"{_show(key)} is not a label key",
                "use at most 63 letters, digits, `-`, `_` and `.` with a letter or digit at both "
                "ends, after an optional lower-case DNS name and `/`",
                _LABELS,
            )

    def value(self, code: str, value: str, at: Path) -> None:
        if not is_label_value(value):
            self.error(
                code,
                at,
                f"{_show(value)} cannot be the value of a label",
                "use at most 63 letters, digits, `-`, `_` and `.` with a letter or digit at both "
                "ends, or nothing",
                _LABELS,
            )


_CIDR_HELP = "write a block such as `192.0.2.0/24` or `2001:db8::/32`"
_PORT_HELP = f"write a number from 1 to {MAX_PORT}, or leave it out to mean every port"


def _show(text: str) -> str:
    return f"`{shown(text)}`"


def _blocks(policy: model.NetworkPolicy) -> Iterator[str]:
    for type_ in model.PolicyType:
        for rule in policy.rules(type_):
            for peer in rule.peers or ():
                if peer.ip_block is not None:
                    yield peer.ip_block.cidr
                    yield from peer.ip_block.except_


def _bad_values(selector: model.LabelSelector | None) -> bool:
    """Return whether the server finds fault with a stored selector, for whatever reason."""
    if selector is None:
        return False
    probe = model.NetworkPolicy("default", "probe", selector)
    return bool(validate(probe, ReadOptions()))


def _port_name_problem(name: str) -> str:
    if len(name) > MAX_PORT_NAME:
        return f"longer than {MAX_PORT_NAME} characters"
    if not re.fullmatch(r"[-a-z0-9]+", name):
        return "only lower-case letters, digits and `-` are allowed"
    if not re.search(r"[a-z]", name):
        return "it needs a letter"
    return "no hyphen may stand at an end or next to another"


def _port_name_help(name: str) -> str:
    if name.isascii() and name.isdecimal():
        return f"for the port number write `port: {name.lstrip('0') or '1'}`, without quotes"
    if is_port_name(name.lower()):
        return f"write `{name.lower()}`, as the container's port is named"
    return "use at most 15 lower-case letters, digits and single hyphens, as container ports do"


def _cidr_help(text: str) -> str:
    alone = parse_cidr(text + ("/128" if ":" in text else "/32"))
    if alone is not None:
        return f"for this one address write `{alone.canonical()}`"
    return _CIDR_HELP


def _except_help(outer: Cidr, inner: Cidr) -> str:
    if outer.is_v4 != inner.is_v4:
        return "list only blocks of the family of `cidr`; the other family is not matched anyway"
    if inner.addresses == outer.addresses:
        return "nothing would be left of the block: remove the peer"
    return "list only blocks inside `cidr`; other addresses are not matched by this peer anyway"


def _nearest(text: str, words: tuple[str, ...]) -> str:
    for word in words:
        if word.lower() == text.lower():
            return f"write `{word}`, with this spelling"
    if text.upper() in ("ICMP", "ICMPV6"):
        return "remove the entry: a NetworkPolicy has no words for ICMP"
    return "write one of " + ", ".join(f"`{word}`" for word in words)
