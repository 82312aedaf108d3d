"""Which service accounts may do something at the API server, and who mounts their token.

Source: kubernetes/api rbac/v1 types.go; kubernetes/kubernetes
plugin/pkg/admission/serviceaccount/admission.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from cloison.resources.declared import Declared, GroupKind, body
from cloison.resources.objects import PodShape
from cloison.resources.world import World

_GROUP: Final = "rbac.authorization.k8s.io"
_EVERYBODY: Final = "system:serviceaccounts"
"""The group of all service accounts; with a namespace behind it, of those of that namespace."""
_ADMISSION_ONLY: Final = "use"
"""The verb that admission asks about in a pod's name: the pod itself makes no such call."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a binding gives to a service account.

    Args:
        binding: The binding.
        role: What it binds, for people: `ClusterRole prometheus`.
        known: Whether that role is in the input, so that its rules are known.
    """

    binding: Declared
    role: str
    known: bool


class _Subject(msgspec.Struct):
    kind: str | None = None
    name: str | None = None
    namespace: str | None = None


class _RoleRef(msgspec.Struct):
    kind: str | None = None
    name: str | None = None


class _Binding(msgspec.Struct, rename="camel"):
    subjects: list[_Subject | None] | None = None
    role_ref: _RoleRef | None = None


class _Rule(msgspec.Struct, rename="camel"):
    verbs: list[str | None] | None = None


class _Role(msgspec.Struct, rename="camel"):
    rules: list[_Rule | None] | None = None
    aggregation_rule: dict[str, object] | None = None


Grants = Mapping[tuple[str, str], tuple[Grant, ...]]
"""What service accounts are given, by namespace and name; those without a name by namespace."""


def grants(world: World) -> Grants:
    """Return what service accounts are given: by `(namespace, account)`.

    An empty account stands for all of a namespace, and empty texts for all there are.
    """
    found: dict[tuple[str, str], list[Grant]] = {}
    roles = {
        (kind, item.namespace, item.name): item
        for kind in ("ClusterRole", "Role")
        for item in world.declared.get((_GROUP, kind), ())
    }
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for item in world.declared.get((_GROUP, kind), ()):
            read, _ = body(item, _Binding)
            given = _given(roles, item, read.role_ref) if read and read.role_ref else None
            if read is None or given is None:
                continue
            for subject in read.subjects or ():
                key = _account(subject, item.namespace) if subject is not None else None
                if key is not None:
                    found.setdefault(key, []).append(given)
    return {key: tuple(each) for key, each in sorted(found.items())}


def granted(found: Grants, namespace: str, account: str) -> tuple[Grant, ...]:
    """Return what a service account is given."""
    keys = ((namespace, account), (namespace, ""), ("", ""))
    return tuple(each for key in keys for each in found.get(key, ()))


def mounts_token(world: World, namespace: str, shape: PodShape) -> bool:
    """Return whether a pod gets the token of its service account without asking for it itself."""
    own = shape.runtime.mounts_token if shape.runtime is not None else None
    if own is not None:
        return own
    account = world.accounts.get((namespace, shape.service_account))
    return account is None or account.mounts_token is not False


def _account(subject: _Subject, namespace: str) -> tuple[str, str] | None:
    if subject.kind == "ServiceAccount" and subject.name:
        return subject.namespace or namespace, subject.name
    if subject.kind == "Group" and subject.name:
        group, colon, space = subject.name.partition(f"{_EVERYBODY}:")
        if subject.name == _EVERYBODY:
            return "", ""
        if colon and not group:
            return space, ""
    return None


def _given(
    roles: Mapping[tuple[str, str, str], Declared], binding: Declared, ref: _RoleRef
) -> Grant | None:
    """Return what a binding gives, None where the role allows no calls."""
    kind, name = ref.kind or "", ref.name or ""
    namespace = binding.namespace if kind == "Role" else ""
    shown = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
    role = roles.get((kind, namespace, name))
    if role is not None and not any(_calls(role)):
        return None
    return Grant(binding, shown, known=role is not None)


def _calls(role: Declared) -> Iterator[bool]:
    """Yield True for each rule of a role with which a pod would make calls."""
    read, _ = body(role, _Role)
    if read is None or read.aggregation_rule is not None:
        yield True
        return
    for rule in read.rules or ():
        verbs = set((rule.verbs if rule is not None else None) or ())
        if verbs - {_ADMISSION_ONLY, None}:
            yield True


SHAPES: Final[Mapping[GroupKind, type[msgspec.Struct]]] = {
    (_GROUP, "ClusterRole"): _Role,
    (_GROUP, "ClusterRoleBinding"): _Binding,
    (_GROUP, "Role"): _Role,
    (_GROUP, "RoleBinding"): _Binding,
}
"""How objects are read here."""
