"""What writers get, and what they return."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cloison.base import Diagnostic
from cloison.dialects.writing.tree import Tree
from cloison.ir.policy import AddressGroup, LayerSpec, Policy
from cloison.ir.profile import Profile
from cloison.resources.documents import Document
from cloison.resources.world import World


@dataclass(frozen=True, slots=True)
class Statement:
    """An object to be said in another language.

    Args:
        document: The object as written.
        policies: What it means.
        object: The object in its dialect's own words.
    """

    document: Document
    policies: tuple[Policy, ...]
    object: Any = None

    @property
    def name(self) -> str:
        """The object for people, `Kind namespace/name`."""
        return object_name(self.document)


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What is around the statements.

    Args:
        profile: Who will enforce what is written.
        source: Who enforces the statements.
        world: The inventory.
        layers: The tiers that the statements' policies sit in.
        groups: Address groups that the statements may speak of.
        converted: Policies of the statements, those that are refused from the start among them.
        standing: Policies that stay as they are beside what is written.
        names: Names in use per kind and namespace (None: cluster-wide) by what stays.
        snapshot: Whether what is right for today's inventory only may be written.
    """

    profile: Profile
    source: Profile
    world: World
    layers: tuple[LayerSpec, ...]
    groups: tuple[AddressGroup, ...] = ()
    converted: tuple[Policy, ...] = ()
    standing: tuple[Policy, ...] = ()
    names: Mapping[tuple[str, str | None], frozenset[str]] = field(default_factory=dict)
    snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A document to write.

    Args:
        statement: What it comes from.
        tree: The document.
    """

    statement: Statement
    tree: Mapping[str, Tree]


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer made of statements.

    Args:
        manifests: The documents, those of one statement together.
        refusals: What was not written and why, an error each; and what was but should be known.
    """

    manifests: tuple[Manifest, ...]
    refusals: tuple[Diagnostic, ...] = ()


Write: TypeAlias = Callable[[Sequence[Statement], WriteContext], Written]


@dataclass(frozen=True, slots=True)
class Writer:
    """How a dialect writes what others mean.

    Args:
        name: What the language is called where it is chosen.
        write: Writes statements, all that are to be written at once: what one comes to may
            depend on the others.
        kinds: Of the kinds of the dialect, those that are written; others are read only, and
            can be converted.
        places: Kinds of which a profile that enforces the language knows one, as keys of
            `Profile.places`; empty where every profile does.
        profile: The profile to enforce it where the source's does not.
    """

    name: str
    write: Write
    kinds: frozenset[str] | None = None
    places: tuple[str, ...] = ()
    profile: str | None = None

    def writes(self, document: Document) -> bool:
        """Return whether a document of the dialect is what would be written."""
        return self.kinds is None or _text(document, "kind") in self.kinds

    def enforced(self, profile: Profile) -> bool:
        """Return whether a profile enforces what is written."""
        return not self.places or any(profile.places.get(key) for key in self.places)


def object_name(document: Document) -> str:
    """Return an object's name for people, `Kind namespace/name`."""
    kind, namespace, name = (
        _text(document, *path)
        for path in (("kind",), ("metadata", "namespace"), ("metadata", "name"))
    )
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _text(document: Document, *path: str) -> str:
    node = document.root.get(*path)
    return node.value if node is not None and isinstance(node.value, str) else ""
