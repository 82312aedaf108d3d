"""What two profiles do not agree on: the facts as such, and those about kinds of policy.

A profile with one fact of another is an enforcer in between: see `facts`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cloison.ir.profile import Place, Profile

SAID = {True: "yes", False: "no", None: "unclear"}
"""What is so, in words."""

REQUESTS, SERVICES, SCTP, ISOLATION = "requests", "services", "sctp", "isolation"
"""What facts may be about."""

Swap = Callable[[Profile, Profile], Profile | None]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something two profiles do not agree on.

    Args:
        id: Stable name, `blocks-match-pods`.
        title: What it is about, as a sentence without an end.
        first: What the first profile says.
        second: What the second one says.
        swap: Returns the profile given first with this fact as the profile given second has it;
            None where it could not stand there.
        edges: Whether it can change who may talk to whom.
        about: What has to be there for it to be told where no edge shows it: `requests`,
            `services`, `sctp`, `isolation`, or a kind of policy; empty where nothing has to.
    """

    id: str
    title: str
    first: str
    second: str
    swap: Swap
    edges: bool = True
    about: str = ""


def kinds(first: Profile, second: Profile) -> Iterator[Fact]:
    """Yield the kinds of policy that only one of two enforces."""
    # A NetworkPolicy has a place of its own only where there is something to say of it.
    for kind in sorted({*first.places, *second.places} - {"NetworkPolicy"}):
        one, two = _enforced(first, kind), _enforced(second, kind)
        if one != two:
            yield Fact(
                f"enforces-{kind.replace('/', '-')}",
                f"{kind} is enforced",
                SAID[one],
                SAID[two],
                _without(kind),
            )


def unknown(first: Profile, second: Profile) -> Iterator[Fact]:
    """Yield what only one of two knows in the policies of a kind that both enforce."""
    for kind in sorted(first.places.keys() & second.places.keys()):
        one, two = first.places[kind], second.places[kind]
        if one is None or two is None:
            continue
        if (one.lacks, one.passes_unknown) != (two.lacks, two.passes_unknown):
            yield Fact(
                f"unknown-{kind.replace('/', '-')}",
                f"fields of a {kind} whose rules fail closed, because they are not known",
                _lacking(one),
                _lacking(two),
                _knowing(kind),
            )


def noted(first: Profile, second: Profile) -> Iterator[Fact]:
    """Yield what only one does with policies of a kind, and no verdict shows."""
    for kind in sorted(first.places.keys() & second.places.keys()):
        one, two = first.places[kind], second.places[kind]
        said = [frozenset(each.caveats if each is not None else ()) for each in (one, two)]
        for caveat in sorted(said[0] ^ said[1]):
            yield Fact(
                f"noted-{kind.replace('/', '-')}-{caveat.id}",
                f"{kind}: {caveat.text.rstrip('.')}",
                SAID[caveat in said[0]],
                SAID[caveat in said[1]],
                _noting(kind),
                edges=False,
                about=kind.partition("/")[0],
            )


def _noting(kind: str) -> Swap:
    def swap(profile: Profile, other: Profile) -> Profile | None:
        mine, theirs = profile.places[kind], other.places[kind]
        if mine is None or theirs is None:
            return None
        place = replace(mine, caveats=theirs.caveats)
        return replace(profile, places={**profile.places, kind: place})

    return swap


def known(first: Profile, second: Profile) -> Iterator[Fact]:
    """Yield what only one of two is known to do, and is not modelled or depends on more."""
    for caveat in sorted(set(first.known) ^ set(second.known)):
        yield Fact(
            f"known-{caveat.id}",
            caveat.text.rstrip("."),
            SAID[caveat in first.known],
            SAID[caveat in second.known],
            _taking_known,
            edges=False,
        )


def late(first: Profile, second: Profile) -> Iterator[Fact]:
    """Yield the last order at which two enforce policies of a kind, where that is not the same."""
    for kind in sorted(first.places.keys() & second.places.keys()):
        one, two = first.places[kind], second.places[kind]
        if one is not None and two is not None and one.last != two.last:
            yield Fact(
                f"last-{kind.replace('/', '-')}",
                f"the latest priority at which a {kind} is enforced",
                "any" if one.last is None else f"{one.last:g}",
                "any" if two.last is None else f"{two.last:g}",
                _ending(kind),
            )


def _ending(kind: str) -> Swap:
    def swap(profile: Profile, other: Profile) -> Profile | None:
        mine, theirs = profile.places[kind], other.places[kind]
        if mine is None or theirs is None:
            return None
        place = replace(mine, last=theirs.last)
        return replace(profile, places={**profile.places, kind: place})

    return swap


def _lacking(place: Place) -> str:
    said = ", ".join(sorted(place.lacks)) or "none"
    return f"{said}; what such a rule passes on, none" if place.passes_unknown else said


def _knowing(kind: str) -> Swap:
    def swap(profile: Profile, other: Profile) -> Profile | None:
        mine, theirs = profile.places[kind], other.places[kind]
        if mine is None or theirs is None:
            return None
        place = replace(mine, lacks=theirs.lacks, passes_unknown=theirs.passes_unknown)
        return replace(profile, places={**profile.places, kind: place})

    return swap


def _enforced(profile: Profile, kind: str) -> bool | None:
    """Return whether a profile enforces a kind; None where nobody knows."""
    if kind not in profile.places:
        return None
    return profile.places[kind] is not None


def _without(kind: str) -> Swap:
    def swap(profile: Profile, other: Profile) -> Profile | None:
        match _enforced(other, kind):
            case True:
                return None
            case False:
                return replace(profile, places={**profile.places, kind: None})
        # Who does not know one kind of a product knows none of them.
        group, slash, _ = kind.partition("/")
        own = f"{group}/" if slash and "." in group else kind
        rest = {each: p for each, p in profile.places.items() if not each.startswith(own)}
        return replace(profile, places=rest)

    return swap


def _taking_known(profile: Profile, other: Profile) -> Profile:
    return replace(profile, known=other.known)
