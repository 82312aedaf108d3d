"""Which policies bind a cluster to one enforcer: what each says that others do not."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from cloison.base import Span
from cloison.ir.features import Kept, Use
from cloison.ir.policy import PolicyId
from cloison.ir.profile import Profile

GONE = (Kept.LOST, Kept.TODAY)
"""What is not there tomorrow is lost, too."""


@dataclass(frozen=True, slots=True)
class Portable:
    """A policy object, and who else can have it.

    Args:
        id: The object.
        span: Where it is written.
        language: The language it is written in, as it is called where one is chosen.
        languages: Every other language.
        enforced_by: The profiles that enforce objects of its kind.
        uses: What it says that others do not, or not so.
    """

    id: PolicyId
    span: Span | None
    language: str
    languages: tuple[str, ...]
    enforced_by: tuple[str, ...]
    uses: tuple[Use, ...] = ()

    @property
    def sayable(self) -> tuple[str, ...]:
        """The other languages that have words for all of it, or may have."""
        return tuple(name for name in self.languages if not self.lost(name))

    @property
    def partly(self) -> tuple[str, ...]:
        """Those of them that have words for all of it under conditions only."""
        return tuple(
            name
            for name in self.sayable
            if any(u.feature.in_language(name).kept is Kept.PARTLY for u in self.uses)
        )

    @property
    def products(self) -> tuple[str, ...]:
        """The products that enforce objects of its kind, whatever their version."""
        return tuple(sorted({product_of(name) for name in self.enforced_by}))

    @property
    def bound(self) -> str | None:
        """The one product that enforces it, where no other language can say it."""
        products = self.products
        return products[0] if len(products) == 1 and not self.sayable else None

    def lost(self, language: str) -> tuple[Use, ...]:
        """Return what a language has no words for."""
        return tuple(u for u in self.uses if u.feature.in_language(language).kept in GONE)


@dataclass(frozen=True, slots=True)
class Read:
    """What some enforcers make of what a policy says, and others do not.

    Args:
        use: What it says, and where.
        text: What they make of it.
        by: Their profiles.
    """

    use: Use
    text: str
    by: tuple[str, ...]


@dataclass(frozen=True)
class Portability:
    """The answer to `portability`.

    Args:
        objects: Every policy object, by language and name.
        profiles: Every enforcer there is to choose from.
    """

    objects: tuple[Portable, ...]
    profiles: tuple[Profile, ...]

    @cached_property
    def bound(self) -> dict[str, tuple[Portable, ...]]:
        """The policies that bind a cluster to one product, by the product."""
        found: dict[str, list[Portable]] = defaultdict(list)
        for each in self.objects:
            if each.bound is not None:
                found[each.bound].append(each)
        return {name: tuple(held) for name, held in sorted(found.items())}

    @cached_property
    def differing(self) -> tuple[tuple[Portable, tuple[Read, ...]], ...]:
        """The policies that enforcers of their kind do not read alike."""
        found = ((each, tuple(self.readings(each))) for each in self.objects)
        return tuple((each, read) for each, read in found if read)

    def readings(self, each: Portable) -> Iterator[Read]:
        """Yield what some of those that enforce a policy make of it, and others do not."""
        profiles = [p for p in self.profiles if p.name in each.enforced_by]
        for use in each.uses:
            for reading in use.feature.readings:
                by = tuple(p.name for p in profiles if reading.by(p))
                if by and len(by) < len(profiles):
                    yield Read(use, reading.text, by)


def product_of(profile: str) -> str:
    """Return a profile's product: its name without the version."""
    return profile.partition("@")[0]


def products(names: Sequence[str], every: Iterable[Profile]) -> tuple[str, ...]:
    """Return profiles in few words: a product where every version of it is among them.

    Args:
        names: Names of profiles.
        every: Every profile there is.
    """
    versions: dict[str, set[str]] = defaultdict(set)
    for each in every:
        versions[product_of(each.name)].add(each.name)
    whole = {product for product, held in versions.items() if held <= set(names)}
    said = (product_of(n) if product_of(n) in whole else n for n in names)
    return tuple(dict.fromkeys(said))


def enforces(profile: Profile, group: str, kind: str) -> bool:
    """Return whether a profile enforces objects of a kind.

    A NetworkPolicy has a place of its own only where there is something to say of it.

    Args:
        profile: The profile.
        group: The API group of the kind; empty for a kind that Kubernetes itself has.
        kind: The kind.
    """
    name = f"{group}/{kind}" if group else kind
    held = [p for key, p in profile.places.items() if key == name or key.startswith(f"{name}/")]
    if not held:
        return profile.enforces and name == "NetworkPolicy"
    return profile.enforces and any(place is not None for place in held)
