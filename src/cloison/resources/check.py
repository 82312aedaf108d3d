"""Hold an object, as located in its file, against the field table."""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from cloison.base import Diagnostic, Severity, Span
from cloison.resources import faults, wrongtype
from cloison.resources.documents import Document, Node
from cloison.resources.kinds import BY_TYPE, NETWORK_POLICY, KindInfo
from cloison.resources.names import (
    NameRule,
    is_label_key,
    is_label_value,
    is_name,
    shown,
)
from cloison.resources.options import FieldValidation, ReadOptions
from cloison.resources.schema import FieldType, Shape, StructType, schema

MAX_PROBLEMS = 100
"""Problems reported for one object; the rest are only mentioned."""

QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
"""How a quantity is spelt. Source: kubernetes/apimachinery pkg/api/resource/quantity.go."""
_OBJECT_META = "ObjectMeta"


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of a check.

    Args:
        refused: Whether the API server would refuse the object.
        diagnostics: Everything found, in the order it is written.
    """

    refused: bool
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class ObjectName:
    """What an object is called.

    Args:
        kind: As written.
        namespace: None for kinds that live in no namespace.
        name: `metadata.name`, else `metadata.generateName`; empty when there is neither.
    """

    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        """Render as `Kind namespace/name`."""
        name = shown(self.name) or "?"
        return (
            f"{self.kind} {shown(self.namespace)}/{name}"
            if self.namespace
            else (f"{self.kind} {name}")
        )


def object_name(root: Node, kind: str, options: ReadOptions, *, namespaced: bool) -> ObjectName:
    """Return what an object is called, as far as it can be told."""
    name = _text(root.get("metadata", "name")) or _text(root.get("metadata", "generateName"))
    if not namespaced:
        return ObjectName(kind, None, name)
    return ObjectName(kind, _text(root.get("metadata", "namespace")) or options.namespace, name)


def check(
    document: Document, type_name: str, options: ReadOptions, *, report_unknown: bool = True
) -> Checked:
    """Check an object of a kind in the field table.

    An object that carries a `uid` was printed by a server, which had accepted it: an unknown
    field there is one that is newer than our table, and never a reason to refuse.

    Finds unknown fields, values of the wrong type, and names and labels that are not well
    formed. Null is accepted everywhere, as the server does. Required fields are not asked
    for, so that parts of manifests can be analysed; only a name is.

    Args:
        document: The object.
        type_name: Its type in the table: the kind.
        options: What unknown fields do, and the default namespace.
        report_unknown: Whether unknown fields are faults (not for versions long gone,
            whose fields the table does not know).

    Returns:
        Whether the object is refused, and every problem found.
    """
    info = BY_TYPE[type_name]
    name = object_name(document.root, type_name, options, namespaced=info.namespaced)
    walk = _Walk(document.file, str(name), type_name, options, report_unknown=report_unknown)
    walk.live = bool(_text(document.root.get("metadata", "uid")))
    walk.struct(document.root, schema().types[type_name], ())
    walk.names(document.root, info)
    return walk.outcome()


@dataclass(frozen=True, slots=True)
class Custom:
    """A custom resource whose fields its dialect knows, though the field table does not.

    Args:
        struct: Its type; named as its kind.
        namespaced: Whether its objects live in a namespace.
        source: Where the type is from.
        dropped: What dropping a field does that a mapping should not have, given the name of its
            type; None where that changes nothing else.
        newer: The same of a field that a server printed.
        meant: What somebody meant who wrote a field where it does not belong, given the name of
            the type and the field.
    """

    struct: StructType
    namespaced: bool
    source: str
    dropped: Callable[[str, Node], str | None]
    newer: Callable[[str, Node], str | None]
    meant: Callable[[str, str], str | None]


def check_custom(document: Document, custom: Custom, options: ReadOptions) -> Checked:
    """Check an object of a kind that a dialect describes, as `check` does those of the table."""
    kind = custom.struct.name
    name = object_name(document.root, kind, options, namespaced=custom.namespaced)
    walk = _Walk(document.file, str(name), kind, options, report_unknown=True)
    walk.custom = custom
    walk.live = bool(_text(document.root.get("metadata", "uid")))
    walk.struct(document.root, custom.struct, ())
    walk.names(document.root, KindInfo(kind, "", namespaced=custom.namespaced))
    return walk.outcome()


def check_foreign(document: Document, kind: str, templates: tuple[faults.Path, ...]) -> Checked:
    """Check what we read of an object whose kind is not in the table.

    Its metadata and its pod template follow the table; unknown fields in them may be the
    kind's own and are let through.

    Args:
        document: The object.
        kind: Its kind.
        templates: Paths of what is typed like a pod template's holder.
    """
    options = ReadOptions()
    name = object_name(document.root, kind, options, namespaced=True)
    walk = _Walk(document.file, str(name), kind, options, report_unknown=False)
    types = schema().types
    meta = document.root.get("metadata")
    if meta is not None and isinstance(meta.value, dict):
        walk.struct(meta, types[_OBJECT_META], ("metadata",))
    walk.names(document.root, KindInfo("", ""))
    for path in templates:
        template = document.root.get(*path)
        if template is not None and isinstance(template.value, dict):
            walk.struct(template, types["PodTemplateSpec"], path)
    return walk.outcome()


class _Walk:
    """One pass over one object."""

    __slots__ = (
        "custom",
        "file",
        "found",
        "live",
        "name",
        "options",
        "refused",
        "report_unknown",
        "type_name",
    )

    def __init__(
        self, file: str, name: str, type_name: str, options: ReadOptions, *, report_unknown: bool
    ) -> None:
        self.file = file
        self.name = name
        self.type_name = type_name
        self.options = options
        self.report_unknown = report_unknown
        self.refused = False
        self.live = False
        self.custom: Custom | None = None
        self.found: list[Diagnostic] = []

    def outcome(self) -> Checked:
        found = self.found
        if len(found) > MAX_PROBLEMS:
            rest = len(found) - MAX_PROBLEMS
            last = Diagnostic(
                faults.TOO_MANY,
                Severity.ERROR,
                f"{rest if rest < MAX_PROBLEMS else 'many'} more problems in this object",
                found[MAX_PROBLEMS].span,
                self.name,
                "they are not listed",
                "mend the ones above first",
            )
            found = [*found[:MAX_PROBLEMS], last]
        return Checked(self.refused, tuple(found))

    def struct(self, node: Node, struct: StructType, path: faults.Path) -> None:
        """Check a mapping against a type with fields. The hot loop of reading files."""
        value = node.value
        if type(value) is not dict:  # only at the root; the rest is checked before the call
            self.wrong(node, "a mapping", path)
            return
        fields = struct.fields
        for key, child in value.items():
            field = fields.get(key)
            if field is None:
                self.unknown(node, key, struct, path)
                continue
            inner = child.value
            if inner is None:
                continue
            kind = type(inner)
            if field.shape == Shape.ONE:
                if kind not in field.accepts or field.code in "iq":
                    self.scalar(child, field, (*path, key))
                elif field.struct is not None:
                    self.struct(child, field.struct, (*path, key))
            elif field.shape == Shape.LIST:
                if isinstance(inner, list):
                    self.items(enumerate(inner), field, (*path, key))
                else:
                    self.wrong(child, "a list", (*path, key))
            elif isinstance(inner, dict):
                self.items(inner.items(), field, (*path, key))
            else:
                self.wrong(child, "a mapping", (*path, key))
        if struct.name == _OBJECT_META:
            self.labels(node, path)

    def items(
        self, items: Iterable[tuple[str | int, Node]], field: FieldType, path: faults.Path
    ) -> None:
        """Check the values of a list or mapping."""
        if len(self.found) > MAX_PROBLEMS * 2:
            return
        for step, item in items:
            inner = item.value
            if inner is None:
                continue
            if type(inner) not in field.accepts or field.code in "iq":
                self.scalar(item, field, (*path, step))
            elif field.struct is not None:
                self.struct(item, field.struct, (*path, step))

    def scalar(self, node: Node, field: FieldType, path: faults.Path) -> None:
        """Take a second look at a value whose type alone does not settle it."""
        value = node.value
        match field.code:
            case "i" | "x" if type(value) is float and value.is_integer():
                return  # kubectl hands `1.0` on as `1`
            case "i" if type(value) is int and abs(value) <= wrongtype.LARGEST:
                return
            case "q" if type(value) in field.accepts or (
                isinstance(value, str) and QUANTITY.fullmatch(value.strip())
            ):
                return
        self.wrong(node, field.expected, path)

    def labels(self, meta: Node, path: faults.Path) -> None:
        """Check the keys and values of `labels`."""
        node = meta.get("labels")
        if node is None or type(node.value) is not dict:
            return
        for key, child in node.value.items():
            value = child.value
            if value is None or type(value) is not str:
                value = ""
            if not is_label_key(key):
                self.label(child, f"`{shown(key)}` cannot be a label's key", path)
            elif not is_label_value(value):
                self.label(child, f"`{shown(value)}` cannot be a label's value", path)

    def names(self, root: Node, info: KindInfo) -> None:
        """Check `metadata.name` and `metadata.namespace`."""
        name = root.get("metadata", "name")
        if name is not None and name.value is not None and name.value != "":
            self.spelling(name, info.name_rule, "")
        else:
            prefix = root.get("metadata", "generateName")
            if prefix is not None and isinstance(prefix.value, str) and prefix.value:
                self.spelling(prefix, info.name_rule, "x")
            elif prefix is None or prefix.value is None or prefix.value == "":
                self.nameless(root.get("metadata") or root)
        namespace = root.get("metadata", "namespace")
        if info.namespaced and namespace is not None and namespace.value:
            self.spelling(namespace, NameRule.LABEL, "")

    def spelling(self, node: Node, rule: NameRule, suffix: str) -> None:
        value = node.value
        if not isinstance(value, str) or is_name(value + suffix, rule):
            return
        dots = ", `.`" if rule is NameRule.SUBDOMAIN else ""
        self.add(
            faults.NAME_INVALID,
            node.span(self.file),
            f"`{shown(value)}` cannot be a name",
            f"use only a-z, 0-9, `-`{dots}, and begin and end with a letter or digit",
            "kubernetes/apimachinery pkg/util/validation",
        )

    def nameless(self, node: Node) -> None:
        self.add(
            faults.NAME_MISSING,
            node.span(self.file),
            "the object has no name",
            "add `metadata.name`",
            "Kubernetes API reference, ObjectMeta.name",
        )

    def label(self, node: Node, message: str, path: faults.Path) -> None:
        self.add(
            faults.LABEL_INVALID,
            node.key_span(self.file),
            f"{message} in `{faults.path_text((*path, 'labels'))}`",
            "use at most 63 of a-z, A-Z, 0-9, `-`, `_`, `.`, and begin and end with a letter "
            "or digit; a key may begin with a DNS name and `/`",
            "kubernetes/apimachinery pkg/util/validation",
        )

    def wrong(self, node: Node, expected: str, path: faults.Path) -> None:
        """Report a value of the wrong type."""
        self.add(
            faults.WRONG_TYPE,
            node.span(self.file),
            wrongtype.message(path, node.value, expected),
            wrongtype.remedy(node.value, expected),
            f"Kubernetes API reference, {self.type_name}"
            if self.custom is None
            else self.custom.source,
        )

    def unknown(self, parent: Node, key: str, struct: StructType, path: faults.Path) -> None:
        """Report a field that the table does not have."""
        node = parent.get(key)
        if not self.report_unknown or node is None or len(self.found) > MAX_PROBLEMS * 2:
            return
        strict = not self.live and self.options.field_validation is FieldValidation.STRICT
        self.refused |= strict
        custom = self.custom
        serious = not self.live if custom is not None else self.type_name == NETWORK_POLICY
        near = custom.meant(struct.name, key) if custom is not None else None
        if near is None:
            nearest = _nearest(key, tuple(struct.fields))
            near = f"did you mean `{nearest}`?" if nearest else None
        effect = None
        if custom is not None:
            effect = (custom.newer if self.live else custom.dropped)(struct.name, parent)
        self.found.append(
            Diagnostic(
                faults.UNKNOWN_FIELD,
                Severity.ERROR if strict or serious else Severity.WARNING,
                f"unknown field `{shown(faults.path_text((*path, key)))}`",
                node.key_span(self.file),
                self.name,
                faults.ABSENT
                if strict
                else effect or (faults.NEWER if self.live else faults.DROPPED),
                near or "remove it, or move it where it belongs",
                f"Kubernetes API reference, {struct.name}" if custom is None else custom.source,
            )
        )

    def add(self, code: str, span: Span, message: str, advice: str | None, source: str) -> None:
        """Note a problem for which the server refuses the object."""
        self.refused = True
        if len(self.found) > MAX_PROBLEMS * 2:
            return
        self.found.append(
            Diagnostic(
                code, Severity.ERROR, message, span, self.name, faults.ABSENT, advice, source
            )
        )


@lru_cache(maxsize=4096)
def _nearest(key: str, fields: tuple[str, ...]) -> str | None:
    """Return the one of some fields that is spelt most like `key`."""
    if len(key) > MAX_PROBLEMS:
        return None
    folded = {name.lower(): name for name in fields}
    if key.lower() in folded:
        return folded[key.lower()]
    near = difflib.get_close_matches(key, fields, n=1)
    return near[0] if near else None


def _text(node: Node | None) -> str:
    return node.value if node is not None and isinstance(node.value, str) else ""
