"""Reading contracts. What is wrong with an entry costs that entry and no other."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cloison.base import Diagnostic, Severity, Span, sort_diagnostics
from cloison.intent import entries, faults
from cloison.intent.fields import Fields
from cloison.intent.model import (
    API_VERSION,
    KIND,
    WORLD,
    Contract,
    ContractEnd,
    Dependency,
    EndForm,
    External,
    Guardrail,
    Placement,
)
from cloison.resources.documents import Document, Node

TOP: Final = ("apiVersion", "kind", "metadata", "spec")

Reader = Callable[[Fields, Mapping[str, str]], Any]

SECTIONS: Final[Mapping[str, tuple[str, str, tuple[str, ...], Reader]]] = {
    "zones": ("zones", "a zone", entries.ZONE, entries.zone),
    "workloads": ("workloads", "an entry of workloads", entries.WORKLOAD, entries.workload),
    "dependencies": ("dependencies", "a dependency", entries.DEPENDENCY, entries.dependency),
    "guardrails": ("guardrails", "a guardrail", entries.GUARDRAIL, entries.guardrail),
    "externals": ("externals", "an external", entries.EXTERNAL, entries.external),
    "namespaceLabels": ("namespace_labels", "a namespace label", entries.LABEL, entries.label),
    "platform": ("platform", "a component", entries.PLATFORM, entries.platform),
}
"""By field of `spec`: the field of `Contract`, what an entry is called, its fields, its reader."""

SPEC: Final = ("owner", "defaults", *SECTIONS)

MINIMAL: Final = """\
apiVersion: cloison.dev/v1alpha1
kind: Contract
metadata:
  name: shop
spec:
  owner: team-shop
  dependencies:
    - from: web/portal
      to: api/server
      ports: [8080]
      reason: the portal shows what the API gives it
  guardrails:
    - name: database
      reason: nobody but the API reads the database
      only: {from: api/server, to: api/database}"""
"""A small contract, for whoever has none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What contract documents hold.

    Args:
        contract: All that could be read, together.
        diagnostics: What is wrong with them, sorted.
        documents: How many documents there were.
    """

    contract: Contract
    diagnostics: tuple[Diagnostic, ...] = ()
    documents: int = 0


def is_contract(document: Document) -> bool:
    """Return whether a document of Cloison's own group says that it is a contract."""
    kind = document.root.get("kind")
    return kind is not None and kind.value == KIND


def read_contract(documents: Iterable[Document]) -> Reading:
    """Return what contract documents say together, whatever their order.

    Args:
        documents: Documents that are contracts, or were named as such.
    """
    ordered = sorted(documents, key=lambda d: d.root.span(d.file))
    said: list[Diagnostic] = []
    names: list[str] = []
    found: dict[str, list[Any]] = {field: [] for field, *_ in SECTIONS.values()}
    for document in ordered:
        spec = _spec(document, said)
        if spec is None:
            continue
        name = document.root.get("metadata", "name")
        if name is not None and isinstance(name.value, str):
            names.append(name.value)
        defaults = _defaults(spec)
        said += spec.found
        for section, (field, *_) in SECTIONS.items():
            found[field] += _section(spec, section, defaults, said)
    once = {field: tuple(_once(field, each, said)) for field, each in found.items()}
    contract = Contract(tuple(sorted(set(names))), **once)
    contract = _settled(contract, said)
    return Reading(contract, sort_diagnostics(said), len(ordered))


def _spec(document: Document, said: list[Diagnostic]) -> Fields | None:
    """Return the fields of a document's `spec`; None where it is no contract."""
    root, file = document.root, document.file
    effect = "nothing of this document is part of the contract"
    help_ = f"write apiVersion: {API_VERSION}, kind: {KIND} and a `spec`"
    for key, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        node = root.get(key)
        if node is None or node.value != wanted:
            held = "missing" if node is None else repr(node.plain())
            span = (node or root).span(file)
            message = f"`{key}` is {held}, not {wanted}"
            said.append(faults.fault(faults.NOT_A_CONTRACT, span, message, help_, effect=effect))
            return None
    top = Fields(file, root, "a contract", TOP)
    said += top.found
    metadata = top.child("metadata", "`metadata`", ("name", "labels", "annotations"))
    if metadata is not None:
        metadata.found = []
        metadata.text("name")
        said += metadata.found
    node = root.get("spec")
    if node is None or not isinstance(node.value, dict):
        held = "missing" if node is None else faults.described(node)
        span = (node or root).span(file)
        message = f"`spec` is {held}, not a mapping"
        said.append(faults.fault(faults.NOT_A_CONTRACT, span, message, help_, effect=effect))
        return None
    return Fields(file, node, "the spec of a contract", SPEC)


def _defaults(spec: Fields) -> Mapping[str, str]:
    """Return what entries say that do not say it themselves."""
    found = {"owner": spec.text("owner")}
    inner = spec.child("defaults", "`defaults`", entries.DEFAULTS)
    for key in entries.DEFAULTS if inner is not None else ():
        if inner is not None:
            choice = key == "direction"
            found[key] = inner.choice(key, entries.DIRECTIONS) if choice else inner.text(key)
    return {key: value for key, value in found.items() if value is not None}


def _section(
    spec: Fields, section: str, defaults: Mapping[str, str], said: list[Diagnostic]
) -> Iterator[Any]:
    node = spec.held.get(section)
    if node is None:
        return
    _, what, known, read = SECTIONS[section]
    if not isinstance(node.value, list):
        message = f"`{section}` is {faults.described(node)}, not a list"
        span = node.span(spec.file)
        effect = "none of its entries is part of the contract"
        help_ = "write each entry after `- `"
        said.append(faults.fault(faults.WRONG_TYPE, span, message, help_, effect=effect))
        return
    for each in node.value:
        item = each
        if section == "platform" and isinstance(each.value, str):
            # A component may be named without more.
            item = Node({"id": each}, each.line, each.column)
        fields = Fields(spec.file, item, what, known)
        entry = read(fields, defaults) if isinstance(item.value, dict) else None
        said += fields.found
        if entry is not None and not fields.faulty:
            yield entry


def _key(field: str, entry: Any) -> str | None:  # noqa: ANN401 - an entry of any section
    if field == "namespace_labels":
        return str(entry.key)
    if field == "platform":
        return str(entry.id)
    return None if field == "workloads" else str(entry.name)


def _once(field: str, found: Iterable[Any], said: list[Diagnostic]) -> Iterator[Any]:
    """Yield the entries whose name is theirs alone; the first of a name counts."""
    seen: dict[str, Span | None] = {}
    for entry in found:
        key = _key(field, entry)
        if key is None or key not in seen:
            if key is not None:
                seen[key] = entry.span
            yield entry
            continue
        first = seen[key]
        message = f"another entry of the same kind is called {key!r} already, at {first}"
        help_ = "give it a name of its own, or remove one of the two"
        said.append(faults.fault(faults.NAME_REPEATED, entry.span, message, help_))


def _settled(contract: Contract, said: list[Diagnostic]) -> Contract:
    """Return a contract without the entries that lean on what is not declared."""
    zones = {each.name for each in contract.zones} | {WORLD}
    outside: list[External] = []
    for external in contract.externals:
        if external.zone is not None and external.zone not in zones:
            _undeclared(said, "zone", external.zone, external.zone_span or external.span, zones)
        else:
            outside.append(external)
    externals = {each.name for each in outside}

    def declared(ends: Iterable[ContractEnd]) -> bool:
        good = True
        for end in ends:
            known = {EndForm.ZONE: zones, EndForm.EXTERNAL: externals}.get(end.form)
            if known is not None and end.rest not in known:
                good = False
                _undeclared(said, end.form.name.lower(), end.rest, end.span, known)
        return good

    for zone in contract.zones:
        for name in (*zone.to, *zone.from_):
            if name not in zones:
                _undeclared(said, "zone", name, zone.places.get(name, zone.span), zones)
    placed: list[Placement] = []
    for each in contract.workloads:
        if each.zone is not None and each.zone not in zones - {WORLD}:
            _undeclared(said, "zone", each.zone, each.zone_span or each.span, zones - {WORLD})
            continue
        placed.append(each)
    _disagreeing(placed, said)
    return replace(
        contract,
        workloads=tuple(placed),
        externals=tuple(outside),
        dependencies=tuple(d for d in contract.dependencies if declared((d.source, d.destination))),
        guardrails=tuple(g for g in contract.guardrails if declared(ends_of(g))),
    )


def ends_of(entry: Guardrail | Dependency) -> Iterator[ContractEnd]:
    """Iterate over the ends that an entry names."""
    if isinstance(entry, Dependency):
        yield from (entry.source, entry.destination)
        return
    yield from (*entry.sources, *entry.destinations)
    for exemption in entry.exempt:
        yield from (*exemption.sources, *exemption.destinations)


def _undeclared(
    said: list[Diagnostic], what: str, name: str, span: Span | None, known: Iterable[str]
) -> None:
    names = sorted(known)
    listed = f"declared are {', '.join(names)}" if names else f"declare one under `{what}s`"
    help_ = faults.nearest(name, names, listed)
    message = f"no {what} of the contract is called {name!r}"
    said.append(faults.fault(faults.NOT_DECLARED, span or Span("", 0, 0), message, help_))


def _disagreeing(placed: Iterable[Placement], said: list[Diagnostic]) -> None:
    """Say which two entries mean exactly the same workloads and say different things."""
    seen: dict[object, Placement] = {}
    for each in placed:
        first = seen.setdefault(each.match, each)
        if first is not each and each.span is not None:
            said.append(
                faults.fault(
                    faults.DISAGREE,
                    each.span,
                    f"another entry is about {each.match} already, at {first.span}",
                    "say all of it in one entry",
                    effect="the first of the two counts where both say something",
                    severity=Severity.WARNING,
                )
            )
