"""From documents to typed objects, one by one or in bulk."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from cloison.base import TREATED_AS_ABSENT, Diagnostic, Severity, Span
from cloison.resources import faults, wire
from cloison.resources.build import Builder
from cloison.resources.check import check, check_foreign, object_name
from cloison.resources.declared import KEPT, declared
from cloison.resources.documents import Document, PlainObject, RawObject
from cloison.resources.faults import Path
from cloison.resources.kinds import KINDS, KindInfo, group_of, misplaced, mistyped
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool
from cloison.resources.project import convert
from cloison.resources.resource import Resource
from cloison.resources.typed import NOT_SO, covers, read

_FOREIGN = KindInfo("", "")
_TEMPLATES: tuple[Path, ...] = (
    ("spec", "template"),
    ("spec", "jobTemplate", "spec", "template"),
)
_NEVER_OPENED = ("v1", "Secret")
_CLUSTER_WIDE = ("Node", "Namespace")


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """What one document came to.

    Args:
        api_version: Its API version; empty when it has none.
        kind: Its kind; empty when it has none.
        span: Where it starts.
        resource: The object; None when it is refused, not understood, or of a kind that is
            somebody else's (policies) or holds nothing for us (PodTemplate).
        diagnostics: What is to be said of it.
        understood: Whether its kind means something to us.
    """

    api_version: str
    kind: str
    span: Span
    resource: Resource | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    understood: bool = True


@dataclass(frozen=True, slots=True)
class _Way:
    """How one type is read: its modelled JSON, and what makes our object of it."""

    wire: type[msgspec.Struct]
    make: Callable[..., Resource]


_CONTROLLER = _Way(wire.ControllerW, Builder.controller)
_WAYS: dict[str, _Way] = {
    "Pod": _Way(wire.PodW, Builder.pod),
    "Deployment": _CONTROLLER,
    "StatefulSet": _CONTROLLER,
    "DaemonSet": _Way(wire.DaemonSetW, Builder.controller),
    "ReplicaSet": _CONTROLLER,
    "ReplicationController": _CONTROLLER,
    "CronJob": _Way(wire.CronJobW, Builder.controller),
    "Job": _Way(wire.JobW, Builder.controller),
    "Namespace": _Way(wire.NamedW, Builder.namespace_object),
    "Node": _Way(wire.NodeW, Builder.node),
    "Service": _Way(wire.ServiceW, Builder.service),
    "EndpointSlice": _Way(wire.SliceW, Builder.slice),
    "ServiceAccount": _Way(wire.AccountW, Builder.account),
}
_READ_ELSEWHERE = frozenset(("NetworkPolicy", "PodTemplate"))


def decode(
    document: Document,
    options: ReadOptions,
    pool: Pool | None = None,
    *,
    api_version: str | None = None,
    kind: str | None = None,
) -> Decoded:
    """Return the typed object of a document, with everything there is to say about it.

    Args:
        document: The object, located.
        options: How to read.
        pool: Where repeated values are kept; pass the same one for a whole load.
        api_version: API version of an object that says none itself (an item of a PodList).
        kind: Kind of an object that says none itself.
    """
    root = document.root
    span = root.span(document.file)
    api_version = _said(document, "apiVersion") or api_version or ""
    kind = _said(document, "kind") or kind or ""
    if not api_version or not kind:
        missing = "kind" if api_version else "apiVersion"
        diagnostic = Diagnostic(
            faults.MALFORMED,
            Severity.ERROR,
            f"the object has no `{missing}`",
            span,
            kind or None,
            "nothing can be read from it",
            f"add `{missing}`, or keep files that are not Kubernetes objects elsewhere",
            "Kubernetes documentation, Kubernetes Objects, Required fields",
        )
        return Decoded(api_version, kind, span, None, (diagnostic,))
    pool = pool or Pool()
    if (group_of(api_version), kind) in KEPT:
        kept = declared(document, api_version, kind, options.namespace)
        return Decoded(api_version, kind, span, kept, understood=kept is not None)
    info = KINDS.get((api_version, kind))
    if info is None:
        return _decode_foreign(document, options, pool, api_version, kind)
    if info.type in _READ_ELSEWHERE:
        return Decoded(api_version, kind, span)
    gone = info.removed is not None and options.kubernetes >= info.removed
    checked = check(document, info.type, options, report_unknown=info.removed is None)
    diagnostics = checked.diagnostics
    if gone and info.removed is not None:
        name = object_name(root, kind, options, namespaced=info.namespaced)
        place = root.get("apiVersion") or root
        notice = faults.version_gone(
            place.span(document.file), str(name), api_version, info.replacement, info.removed
        )
        diagnostics = (notice, *diagnostics)
    if checked.refused:
        return Decoded(api_version, kind, span, None, diagnostics)
    builder = Builder(api_version, kind, info, span, options, pool)
    return _finish(document, builder, _WAYS[info.type], diagnostics)


def decode_raw(
    raw: RawObject | PlainObject, options: ReadOptions, pool: Pool | None = None
) -> Decoded:
    """Return the typed object of an item of a large List, or of plain values.

    An item that is in any way remarkable is located and goes through `decode`, which can say
    where; both ways give equal objects. The one difference: an unknown field in an object that
    a server printed (it has a `uid`) is passed over here, where `decode` mentions it.

    Pause the garbage collector around bulk loads; this function leaves it alone.

    Args:
        raw: The item.
        options: How to read.
        pool: Where repeated values are kept; pass the same one for a whole load.
    """
    pool = pool or Pool()
    span = Span(raw.file, raw.line, raw.column)
    key = (raw.api_version, raw.kind)
    if key == _NEVER_OPENED:
        return Decoded(*key, span, understood=False)
    if (group_of(raw.api_version), raw.kind) in KEPT:
        return decode(raw.locate(), options, pool, api_version=raw.api_version, kind=raw.kind)
    info = KINDS.get(key)
    if info is not None and info.type in _READ_ELSEWHERE:
        return Decoded(*key, span)
    if info is None:
        odd = misplaced(*key) or mistyped(*key)
        if odd is None and not _may_have_template(raw):
            return Decoded(*key, span, understood=False)
    if info is not None and info.removed is None:
        resource = _bulk(raw, Builder(*key, info, span, options, pool))
        if resource is not None:
            return Decoded(*key, span, resource)
    return decode(raw.locate(), options, pool, api_version=raw.api_version, kind=raw.kind)


def _decode_foreign(
    document: Document, options: ReadOptions, pool: Pool, api_version: str, kind: str
) -> Decoded:
    """Read an object whose kind is not in the field table, if it has a pod template."""
    span = document.root.span(document.file)
    right = misplaced(api_version, kind)
    if right is not None:
        name = object_name(document.root, kind, options, namespaced=kind not in _CLUSTER_WIDE)
        place = (document.root.get("apiVersion") or document.root).span(document.file)
        diagnostic = faults.kind_misplaced(place, str(name), api_version, kind, right)
        return Decoded(api_version, kind, span, None, (diagnostic,))
    meant = mistyped(api_version, kind)
    if meant is not None:
        name = object_name(document.root, kind, options, namespaced=meant not in _CLUSTER_WIDE)
        place = (document.root.get("kind") or document.root).span(document.file)
        diagnostic = faults.kind_mistyped(place, str(name), api_version, kind, meant)
        return Decoded(api_version, kind, span, None, (diagnostic,))
    templates = tuple(
        path
        for path in _TEMPLATES
        if (containers := document.root.get(*path, "spec", "containers")) is not None
        and isinstance(containers.value, list)
    )
    if not templates or (api_version, kind) == _NEVER_OPENED:
        return Decoded(api_version, kind, span, understood=False)
    checked = check_foreign(document, kind, templates)
    if checked.refused:
        return Decoded(api_version, kind, span, None, checked.diagnostics)
    builder = Builder(api_version, kind, _FOREIGN, span, options, pool)
    return _finish(document, builder, _CONTROLLER, checked.diagnostics)


def _finish(
    document: Document, builder: Builder, way: _Way, diagnostics: tuple[Diagnostic, ...]
) -> Decoded:
    """Make the object of a document that passed its check."""
    root, file = document.root, document.file
    key = (builder.api_version, builder.kind)
    name = str(object_name(root, builder.kind, builder.options, namespaced=builder.info.namespaced))
    try:
        wired = convert(root, way.wire)
    except msgspec.ValidationError as error:
        # Only kinds outside the table come here: their fields may be typed otherwise.
        odd = Diagnostic(
            faults.WRONG_TYPE,
            Severity.ERROR,
            f"the object cannot be read as a controller: {error}",
            root.span(file),
            name,
            TREATED_AS_ABSENT,
        )
        return Decoded(*key, builder.span, None, (*diagnostics, odd))
    resource: Resource | None = way.make(builder, wired)
    placed = tuple(fault.at(root, file, name) for fault in builder.faults)
    if any(fault.severity is Severity.ERROR for fault in builder.faults):
        resource = None
    return Decoded(*key, builder.span, resource, (*diagnostics, *placed))


def _bulk(raw: RawObject | PlainObject, builder: Builder) -> Resource | None:
    """Return an object without any fault, or None for one that must be looked at closely."""
    way, type_name = _WAYS[builder.info.type], builder.info.type
    wired = read(raw, type_name)
    if wired is None:
        return None  # `decode` says what is wrong with it, and where
    if not covers(type_name, way.wire):
        try:
            wired = raw.decode(way.wire)
        except NOT_SO:
            return None
    resource = way.make(builder, wired)
    return None if builder.faults else resource


def _may_have_template(raw: RawObject | PlainObject) -> bool:
    """Return whether an object of a kind we do not know could hold a pod template."""
    try:
        spec = raw.decode(wire.ControllerW).spec
    except NOT_SO:
        return True
    if spec is None:
        return False
    job = spec.jobTemplate.spec if spec.jobTemplate else None
    templates = (spec.template, job.template if job else None)
    return any(
        template is not None and template.spec is not None and template.spec.containers is not None
        for template in templates
    )


def _said(document: Document, key: str) -> str | None:
    node = document.root.get(key)
    return node.value if node is not None and isinstance(node.value, str) else None
