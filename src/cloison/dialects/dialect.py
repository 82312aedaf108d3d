"""What a dialect offers the rest of the house."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cloison.algebra import NO_ADDRESSES, AddressSet
from cloison.base import Diagnostic, Span
from cloison.ir.policy import AddressGroup, LayerSpec, Policy, Rule, TierSpec
from cloison.ir.profile import Profile
from cloison.resources.documents import Document, Node, PlainObject
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool
from cloison.resources.world import World

if TYPE_CHECKING:
    from cloison.dialects.writing.statement import Writer

T = TypeVar("T")

GroupKind = tuple[str, str]
"""API group and kind: `("networking.k8s.io", "NetworkPolicy")`."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What policies are applied to, for judging whether they are meant.

    Args:
        world: The inventory, as far as it is known.
        profile: Who enforces.
        pods: Where somebody said pod addresses come from.
        nodes: Where somebody said node addresses come from.
        services: Where somebody said Service addresses come from.
        groups: Address groups that objects of any dialect declare.
        notes: Whether what is only worth a note is looked for, too: findings of severity `info`.
            Where nobody reads them, checks that cost much may leave them out.
    """

    world: World
    profile: Profile
    pods: AddressSet = NO_ADDRESSES
    nodes: AddressSet = NO_ADDRESSES
    services: AddressSet = NO_ADDRESSES
    groups: tuple[AddressGroup, ...] = ()
    notes: bool = True


@dataclass(frozen=True, slots=True)
class Compilation:
    """What the objects of a dialect mean.

    Args:
        policies: Their policies, in the objects' order.
        origins: For each policy, the place of the object it came from.
        tiers: Tiers that objects declare, for the profile's first layer; `TierSpec.order` says
            where each stands among those the profile has.
        layers: Layers of enforcement that objects bring along, after the profile's own.
        groups: Address groups that objects declare.
        diagnostics: What came to light while objects were put together: of everything that
            takes more than one object, or the world, to see.
    """

    policies: tuple[Policy, ...]
    origins: tuple[int, ...]
    tiers: tuple[TierSpec, ...] = ()
    layers: tuple[LayerSpec, ...] = ()
    groups: tuple[AddressGroup, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @classmethod
    def each(cls, policies: Iterable[Policy]) -> "Compilation":
        """Return the compilation of objects that come to a policy each."""
        found = tuple(policies)
        return cls(found, tuple(range(len(found))))


@dataclass(frozen=True, slots=True)
class Dialect(Generic[T]):
    """A policy language: how to read its objects and what they mean.

    Args:
        name: For people and in the IR: `networkpolicy`.
        read: Turns a document, which must say its version and kind (`completed`), into the
            dialect's own object, with diagnostics; None when it takes no part, because the
            API server would refuse it or because it is not enforced. The pool keeps what
            repeats within one load.
        compile: Says what objects mean, in the IR, under a profile; equal parts shared. The
            world is for what the language itself resolves by it (labels that network sets
            inherit, backends of Services); selectors of pods stay selectors.
        notices: What everybody who gets an answer must know about these objects, as few
            diagnostics as possible. Always asked.
        suspicious: What is accepted but probably not meant, given every object of the
            dialect and what they are applied to. Asked when somebody wants judgement.
        create: Writes a new policy that is proposed as a manifest; None where none ever is.
        makes: Kinds of such policies: that of one in a namespace, and that of one in none, which
            is None where there is no such kind.
        amend: Writes an object with more rules.
        fragment: Writes only the lines that rules add, for a policy of a namespace.
        rewrite: Writes an object as a policy means it that is changed from what the object means
            now; what is not changed, labels and annotations included, stays as it was. None where
            that never is proposed.
        writer: Returns what says in this language what objects of others mean; None where that
            is not possible. Its name stands in the row of the table, too.
        besides: Yields the places of an object's rules whose peers are pods and also what other
            languages do not know by label, address groups: what is not there today is not in
            the IR. None where no rule is like that.
        plain: Reads plain values as `read` does a document, if there is nothing to say of them:
            many at once, and quickly. None for an object that `read` must look at; None instead
            of a function where it looks at all of them.
        tells: Returns the inventory with what objects say of it: labels by which an enforcer
            sees pods, say, or where it leads the traffic of a Service. None where they say
            nothing of it.
        compile_among: Does what `compile` does, where what policies of other languages mean
            counts, too: those come last. None where they do not matter.
        beside: Returns policies of another language, one for one, as they are under a profile
            beside those of this one. None where each means the same alone.
    """

    name: str
    read: Callable[[Document, ReadOptions, Pool], tuple[T | None, list[Diagnostic]]]
    compile: Callable[[Sequence[T], Profile, World], Compilation]
    notices: Callable[[Sequence[T]], list[Diagnostic]]
    suspicious: Callable[[Sequence[T], Surroundings], list[Diagnostic]]
    create: Callable[[Policy], str] | None = None
    makes: tuple[str, str | None] = ("NetworkPolicy", None)
    amend: Callable[[T, Sequence[Rule]], str] | None = None
    fragment: Callable[[Sequence[Rule], str], str] | None = None
    rewrite: Callable[[T, Policy, Policy], str] | None = None
    writer: "Callable[[], Writer] | None" = None
    besides: Callable[[T], Iterator[Span]] | None = None
    plain: Callable[[PlainObject, ReadOptions, Pool], T | None] | None = None
    tells: Callable[[Sequence[T], Profile, World], World] | None = None
    compile_among: Callable[[Sequence[T], Profile, World, Sequence[Policy]], Compilation] | None = (
        None
    )
    beside: (
        Callable[[Sequence[Policy], Sequence[Policy], Profile, World], Sequence[Policy]] | None
    ) = None


def told(
    objects: Iterable[tuple[Dialect[Any], Sequence[Any]]], profile: Profile, world: World
) -> World:
    """Return an inventory as an enforcer sees it, by what objects of every dialect say of it.

    Args:
        objects: The objects by their dialects.
        profile: Who enforces.
        world: The inventory as it was read.
    """
    for dialect, held in objects:
        if dialect.tells is not None:
            world = dialect.tells(held, profile, world)
    return world


def later(module: str, name: str) -> Callable[..., Any]:
    """Return a function of a module that is imported when it is first called.

    Most runs read, and neither judge nor write.
    """

    def call(*arguments: object) -> object:
        return getattr(import_module(module), name)(*arguments)

    return call


def completed(document: Document, api_version: str, kind: str) -> Document:
    """Return `document` saying what it is, for an item of a typed list that leaves it out."""
    root = document.root
    missing = {"apiVersion": api_version, "kind": kind}
    if not isinstance(root.value, dict) or missing.keys() <= root.value.keys():
        return document
    said = {key: Node(text, root.line, root.column) for key, text in missing.items()}
    return Document(document.file, Node(said | root.value, root.line, root.column))
