"""Proposed objects laid over a source while it is read: replaced, added and deleted by name."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

import msgspec

from cloison.app.proposed import Part, proposed
from cloison.base import Diagnostic, QuestionError, Severity, Span, UnknownEndpointError
from cloison.dialects import TABLE, dialect_for
from cloison.resources.documents import Document, RawObject
from cloison.resources.kinds import BY_TYPE, KINDS
from cloison.resources.names import shown
from cloison.resources.typed import NOT_SO

Item: TypeAlias = Document | RawObject | Diagnostic

SHORT = {
    "cj": "cronjob",
    "deploy": "deployment",
    "ds": "daemonset",
    "no": "node",
    "ns": "namespace",
    "po": "pod",
    "rc": "replicationcontroller",
    "rs": "replicaset",
    "sa": "serviceaccount",
    "sts": "statefulset",
    "svc": "service",
    **{short: kind for row in TABLE for short, kind in row.short.items()},
}
"""kubectl's short names of kinds, in lower case; with the group where two have the kind."""
_CLUSTERWIDE = {found for row in TABLE for found in row.kinds if found[1] in row.clusterwide}
_STORED_AS = {store: group for row in TABLE for store, group in row.stored.items()}
_STORED_BEFORE = {store: row.stored_before for row in TABLE for store in row.stored}
_PLAIN = dict.fromkeys(("networkpolicy", "networkpolicies"), "networking.k8s.io")
"""What a kind without a group is to kubectl, where more than one group has it."""
_FORMS = "write KIND/NAMESPACE/NAME, or KIND/NAME for what lives in no namespace"
_SHOWN = 3


@dataclass(frozen=True, slots=True, order=True)
class ObjectId:
    """What makes two documents the same object, whatever version of the API they are written in.

    Args:
        group: The API group; that of today's version for kinds that have moved.
        kind: The kind.
        namespace: Where it lives; None for kinds that live in none.
        name: Its name.
    """

    group: str
    kind: str
    namespace: str | None
    name: str

    @property
    def place(self) -> str:
        """Its name with its namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Target:
    """What somebody wants deleted.

    Args:
        text: As written.
        kind: The kind in lower case, singular or plural; `.GROUP` is split off.
        group: The group, or the beginning of it; empty when it was not said.
        namespace: Where it lives; None when that was not said.
        name: Its name.
    """

    text: str
    kind: str
    group: str
    namespace: str | None
    name: str

    @classmethod
    def of(cls, text: str) -> "Target":
        """Read `KIND/NAMESPACE/NAME` or `KIND/NAME`.

        Raises:
            QuestionError: It is neither.
        """
        word, *rest = text.split("/")
        if len(rest) not in (1, 2) or not all((word, *rest)):
            msg = f"{shown(text)!r} names no object"
            raise QuestionError(msg, _FORMS)
        kind, _, group = word.lower().partition(".")
        kind, _, implied = SHORT.get(kind, kind).partition(".")
        implied = implied or _PLAIN.get(kind, "")
        home = rest[0] if len(rest) > 1 else None
        return cls(text, kind, _STORED_AS.get(group, group) or implied, home, rest[-1])

    def is_kind(self, object_id: ObjectId) -> bool:
        """Return whether an object is of the kind that is meant."""
        kind = object_id.kind.lower()
        plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
        forms = (kind, plural, f"{kind}es")
        return self.kind in forms and object_id.group.startswith(self.group)

    def holds(self, object_id: ObjectId) -> bool:
        """Return whether an object goes because the namespace it lives in does."""
        return self.kind in ("namespace", "namespaces") and object_id.namespace == self.name

    def means(self, object_id: ObjectId, namespace: str) -> bool:
        """Return whether an object is the one that is meant.

        Args:
            object_id: The object.
            namespace: Where objects live whose namespace was not said.
        """
        if not self.is_kind(object_id) or object_id.name != self.name:
            return False
        if object_id.namespace is None:
            return self.namespace is None
        return object_id.namespace == (self.namespace or namespace)


class _Meta(msgspec.Struct):
    name: str | None = None
    namespace: str | None = None


class _Named(msgspec.Struct):
    metadata: _Meta | None = None


class Overlay:
    """A proposed change to a source.

    Args:
        items: What was read of the proposal: objects that replace those of their kind,
            namespace and name, or are new, and diagnostics.
        delete: What is deleted, as `KIND/NAMESPACE/NAME`.
        namespace: Namespace of objects that name none.
        stands: Whether an object is one that the API server would take. One it would refuse
            replaces nothing: what is there stays.

    Attributes:
        items: What is there besides what is kept of the source.
        objects: The objects among them.
        proposed: What the proposal holds, as far as it could be read.
        deleted: Objects of the source that were deleted, as far as it was seen.

    Raises:
        QuestionError: Something to delete is not named as an object is.
    """

    def __init__(
        self,
        items: Iterable[Item],
        delete: Sequence[str] = (),
        namespace: str = "default",
        stands: Callable[[Item], bool] = lambda _: True,
    ) -> None:
        self.items = tuple(items)
        self.namespace = namespace
        parts = [(self._id(item), item, stands(item)) for item in self.items]
        named = [(found, item) for found, item, _ in parts if found is not None]
        standing = [found for found, _, taken in parts if found is not None and taken]
        self.objects = frozenset(standing)
        self.proposed = proposed(
            [_part(found, item, stands=taken) for found, item, taken in parts if _counts(item)],
            (f"{each.kind} {shown(each.place)}" for each in standing),
        )
        self._refused = {found: item for found, item in named if found not in self.objects}
        self._stays: set[ObjectId] = set()
        self._kinds = {(found.group, found.kind) for found, _ in named}
        self._targets = tuple(Target.of(text) for text in delete)
        self._met: set[Target] = set()
        self.deleted: set[ObjectId] = set()
        self._near: dict[Target, set[str]] = defaultdict(set)

    def keeps(self, item: Item) -> bool:
        """Return whether an item of the source is still there once the change is made."""
        if isinstance(item, Diagnostic) or not self._concerned(item):
            return True
        found = self._id(item)
        if found is None:
            return True
        gone = False
        for target in self._targets:
            if target.means(found, self.namespace) or target.holds(found):
                self._met.add(target)
                self.deleted.add(found)
                gone = True
            elif target.is_kind(found):
                self._near[target].add(found.place)
        if not gone and found in self._refused:
            self._stays.add(found)
        return not gone and found not in self.objects

    def notices(self) -> tuple[Diagnostic, ...]:
        """Return what there is to say of the change, once the whole source was seen."""
        return tuple(_stays(each, _span(self._refused[each])) for each in sorted(self._stays))

    def check(self) -> None:
        """Make sure that everything to delete was there, once the whole source was seen.

        Raises:
            UnknownEndpointError: Something was not.
        """
        for target in self._targets:
            if target not in self._met:
                raise _missing(target, self.namespace, self._near[target])

    def _concerned(self, item: Document | RawObject) -> bool:
        """Return whether an item's kind makes it worth reading its name."""
        if self._targets or not isinstance(item, RawObject):
            return True
        return _kind(item.api_version, item.kind) in self._kinds

    def _id(self, item: Item) -> ObjectId | None:
        if isinstance(item, Diagnostic):
            return None
        if isinstance(item, RawObject):
            api_version, kind = item.api_version, item.kind
            try:
                meta = msgspec.json.decode(item.data, type=_Named).metadata or _Meta()
            except NOT_SO:
                return None
            name, namespace = meta.name, meta.namespace
        else:
            api_version, kind = (_text(item, key) or "" for key in ("apiVersion", "kind"))
            name, namespace = (_text(item, "metadata", key) for key in ("name", "namespace"))
        if not name:
            return None
        info = KINDS.get((api_version, kind))
        group, _ = current = _kind(api_version, kind)
        homeless = (group, kind) in _CLUSTERWIDE or (info is not None and not info.namespaced)
        if kind.endswith("Policy"):
            name = name.removeprefix(_STORED_BEFORE.get(api_version.rpartition("/")[0], ""))
        return ObjectId(*current, None if homeless else namespace or self.namespace, name)


def _counts(item: Item) -> bool:
    """Return whether an item is an object, or says that there is one that cannot be read."""
    return not isinstance(item, Diagnostic) or item.severity is Severity.ERROR


def _part(object_id: ObjectId | None, item: Item, *, stands: bool) -> Part:
    """Return an item as a part of a proposal."""
    at = _span(item)
    where = f" ({at})" if at is not None else ""
    if isinstance(item, Diagnostic):
        return Part(f"{item.object or 'what cannot be read'}{where}", stands=False)
    api_version, kind = _type(item)
    dialect = dialect_for(api_version, kind)
    name = f" {shown(object_id.place)}" if object_id is not None else ""
    return Part(f"{kind or 'an object'}{name}{where}", stands, dialect.name if dialect else None)


def is_policy(item: Item) -> bool:
    """Return whether an item says who may talk to whom; not what such objects refer to."""
    if isinstance(item, Diagnostic):
        return False
    api_version, kind = _type(item)
    policy = kind.endswith("Policy") and kind not in _LEADING
    return policy and dialect_for(api_version, kind) is not None


_LEADING = ("CiliumEgressGatewayPolicy", "CiliumLocalRedirectPolicy")
"""Kinds that lead traffic, and let none through."""


def _type(item: Document | RawObject) -> tuple[str, str]:
    if isinstance(item, RawObject):
        return item.api_version, item.kind
    return _text(item, "apiVersion") or "", _text(item, "kind") or ""


def _kind(api_version: str, kind: str) -> tuple[str, str]:
    """Return the group and kind, of today's version where the kind has moved."""
    info = KINDS.get((api_version, kind))
    current = info.replacement if info is not None else api_version
    group = current.rpartition("/")[0]
    return _STORED_AS.get(group, group), kind


def _span(item: Item) -> Span | None:
    match item:
        case RawObject():
            return Span(item.file, item.line, item.column)
        case Document():
            return item.root.span(item.file)
    return item.span


def _stays(object_id: ObjectId, span: Span | None) -> Diagnostic:
    """Say that an object stays as it is, since the one to replace it would be refused."""
    return Diagnostic(
        "APP002",
        Severity.ERROR,
        f"{shown(object_id.place)} is not replaced: the API server would refuse what is proposed",
        span,
        f"{object_id.kind} {shown(object_id.place)}",
        "the change leaves it as the source has it",
        "correct what is said to be wrong with the object that is proposed",
        "Kubernetes documentation, Kubernetes API Concepts",
    )


def _text(document: Document, *path: str) -> str | None:
    node = document.root.get(*path)
    return node.value if node is not None and isinstance(node.value, str) else None


def _missing(target: Target, namespace: str, near: Iterable[str]) -> UnknownEndpointError:
    """Return the error for what cannot be deleted because it is not there."""
    kind = next((known for known in BY_TYPE if target.is_kind(_any(known))), target.kind)
    known = sorted(near)
    home = target.namespace or namespace
    bare = not any("/" in place for place in known)
    wanted = target.name if bare and target.namespace is None else f"{home}/{target.name}"
    msg = f"there is no {kind} {shown(wanted)} to delete"
    close = get_close_matches(wanted, known, n=_SHOWN)
    close = close or [place for place in known if place.endswith(f"/{target.name}")][:_SHOWN]
    if close:
        return UnknownEndpointError(msg, f"did you mean {' or '.join(close)}?")
    if known:
        more = ", ..." if len(known) > 2 * _SHOWN else ""
        return UnknownEndpointError(msg, f"known: {', '.join(known[: 2 * _SHOWN])}{more}")
    return UnknownEndpointError(msg, f"the source holds none; {_FORMS}")


def _any(kind: str) -> ObjectId:
    return ObjectId(BY_TYPE[kind].replacement.rpartition("/")[0], kind, None, "")
