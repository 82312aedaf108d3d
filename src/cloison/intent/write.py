"""A contract as YAML that reads back as the same contract, and is the same bytes every time."""

from collections.abc import Mapping, Sequence
from typing import Final

from cloison.algebra import LabelSelector, Operator
from cloison.base import Span
from cloison.dialects.writing.render import Comments, rendered
from cloison.dialects.writing.tree import At, Tree
from cloison.intent.entries import PRIMITIVES
from cloison.intent.model import (
    API_VERSION,
    KIND,
    Contract,
    ContractEnd,
    Dependency,
    Exemption,
    External,
    Guardrail,
    LabelRule,
    Placement,
    Platform,
    Port,
    Zone,
)

Remarks = Mapping[tuple[str, str], Sequence[str]]
"""Lines to write as comments above an entry, by the section and the name of the entry.

Sections are those of `spec`. The name of an entry about workloads is its match as text, that of a
namespace label its key, that of a component its id. `("", "")` stands above the document, and
`(section, "")` above a section.
"""

NO_REMARKS: Final[Remarks] = {}

_ABOVE = "(comments)"


def write(contract: Contract, remarks: Remarks = NO_REMARKS) -> str:
    """Return a contract as one YAML document.

    Args:
        contract: The contract.
        remarks: Comments, such as the evidence of an entry.
    """
    page = _Page(remarks)
    metadata = {"name": contract.names[0]} if contract.names else {}
    spec: dict[str, Tree] = {}
    sections: tuple[tuple[str, list[tuple[str, Tree]]], ...] = (
        ("zones", [(z.name, _zone(z)) for z in contract.zones]),
        ("workloads", [(str(w.match), _placement(w)) for w in contract.workloads]),
        ("dependencies", [(d.name, _dependency(d)) for d in contract.dependencies]),
        ("guardrails", [(g.name, _guardrail(g)) for g in contract.guardrails]),
        ("externals", [(e.name, _external(e)) for e in contract.externals]),
        ("namespaceLabels", [(r.key, _label(r)) for r in contract.namespace_labels]),
        ("platform", [(p.id, _platform(p)) for p in contract.platform]),
    )
    for section, found in sections:
        if found:
            entries = [page.remarked(section, name, tree) for name, tree in found]
            spec[section] = page.remarked(section, "", entries)
    document: dict[str, Tree] = {"apiVersion": page.remarked("", "", API_VERSION), "kind": KIND}
    if metadata:
        document["metadata"] = metadata
    document["spec"] = spec
    return rendered(document, Comments(page.above))


class _Page:
    """Gives each remark the place it belongs to; lives for one document."""

    def __init__(self, remarks: Remarks) -> None:
        self.remarks = remarks
        self.above: dict[Span, tuple[str, ...]] = {}

    def remarked(self, section: str, name: str, tree: Tree) -> Tree:
        lines = self.remarks.get((section, name))
        if not lines:
            return tree
        span = Span(_ABOVE, len(self.above) + 1)
        # A remark may quote the input; a line of it must not end the comment.
        self.above[span] = tuple(f" {' '.join(line.split())}" for line in lines)
        return At(tree, span)


def _said(**fields: Tree) -> dict[str, Tree]:
    """Return the fields that say something, under the names that YAML has for them."""
    named = ((key.rstrip("_"), value) for key, value in fields.items())
    return {key: value for key, value in named if value not in (None, "", [], (), {}, False)}


def _zone(zone: Zone) -> Tree:
    return _said(name=zone.name, to=list(zone.to), from_=list(zone.from_))


def _placement(placed: Placement) -> Tree:
    match = placed.match
    labels = {} if match.selector is None else {"selector": _selector(match.selector)}
    return {
        "match": {**_said(namespace=match.namespace, kind=match.kind, name=match.name), **labels},
        **_said(
            zone=placed.zone,
            class_=None if placed.workload_class is None else placed.workload_class.value,
            owner=placed.owner,
            asset=placed.asset,
        ),
    }


def _dependency(dependency: Dependency) -> Tree:
    http = dependency.http
    asked = None if http is None else _said(method=http.method, path=http.path, host=http.host)
    return {
        "name": dependency.name,
        "from": _end(dependency.source),
        "to": _end(dependency.destination),
        **_said(
            ports=_ports(dependency.ports),
            http=asked,
            owner=dependency.owner,
            reason=dependency.reason,
            ticket=dependency.ticket,
            expires=None if dependency.expires is None else dependency.expires.isoformat(),
            **{key: getattr(dependency, key) for key in PRIMITIVES},
        ),
    }


def _guardrail(guardrail: Guardrail) -> Tree:
    said = _said(
        from_=_ends(guardrail.sources),
        to=_ends(guardrail.destinations),
        ports=_ports(guardrail.ports),
    )
    return _said(
        name=guardrail.name,
        reason=guardrail.reason,
        owner=guardrail.owner,
        **{"only" if guardrail.only else "deny": said},
        except_=[_exemption(each) for each in guardrail.exempt],
    )


def _exemption(exemption: Exemption) -> Tree:
    return _said(
        from_=_ends(exemption.sources),
        to=_ends(exemption.destinations),
        ports=_ports(exemption.ports),
    )


def _external(external: External) -> Tree:
    ranges = external.ranges
    listed: Tree = None
    if ranges is not None:
        listed = {"file": ranges.file, "keep": dict(ranges.keep)} if ranges.keep else ranges.file
    return _said(
        name=external.name,
        cidrs=list(external.cidrs),
        names=list(external.hosts),
        ranges=listed,
        zone=external.zone,
        owner=external.owner,
        reason=external.reason,
        review=None if external.review is None else external.review.isoformat(),
    )


def _label(rule: LabelRule) -> Tree:
    return _said(
        key=rule.key,
        values=list(rule.values),
        owner=rule.owner,
        changedBy=list(rule.changed_by),
        required=rule.required,
        except_=list(rule.exempt),
    )


def _platform(component: Platform) -> Tree:
    return _said(id=component.id, owner=component.owner, reason=component.reason)


def _ends(ends: Sequence[ContractEnd]) -> list[Tree]:
    return [_end(each) for each in ends]


def _end(end: ContractEnd) -> Tree:
    if end.pods is None:
        return end.text
    pods = end.pods
    found: dict[str, Tree] = {}
    if pods.namespace is not None:
        found["namespace"] = pods.namespace
    else:
        found["namespaceSelector"] = _selector(pods.namespaces)
    if pods.pods:
        found["selector"] = _selector(pods.pods)
    return found


def _ports(ports: Sequence[Port]) -> list[Tree]:
    return [int(text) if (text := each.text).isdecimal() else text for each in ports]


def _selector(selector: LabelSelector) -> Tree:
    """Return a selector: labels alone where it asks for nothing else."""
    one = [
        r.values[0] if r.operator is Operator.IN and len(r.values) == 1 else None
        for r in selector.requirements
    ]
    keys = [r.key for r in selector.requirements]
    if None not in one and len(set(keys)) == len(keys):
        return {key: value for key, value in zip(keys, one, strict=True) if value is not None}
    return {
        "matchExpressions": [
            {"key": r.key, "operator": r.operator.value, **_said(values=list(r.values))}
            for r in selector.requirements
        ]
    }
