"""`portability` for people: by what is said, not by who says it, so that it stays short."""

from collections.abc import Iterable, Iterator

from cloison.analyses.portable import GONE, Portability, Portable, products
from cloison.ir.features import Feature, Kept, Use
from cloison.ir.profile import Profile
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import at, count, listed, wrapped

_POLICIES = 12
"""Policies that are named of those that use the same; the rest is counted."""

Users = list[tuple[Portable, Use]]


def lines(result: Portability, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of an answer."""
    for product, held in result.bound.items():
        yield look.paint(f"BOUND TO {product.upper()}", "bold")
        yield from _features(held, look, GONE)
        bare = [each for each in held if not any(each.lost(name) for name in each.languages)]
        for each in bare:
            yield f"  {_named(each)}"
        yield ""
    moving = [p for p in result.objects if p.bound is None and _vendor(p)]
    if moving:
        yield look.paint("CAN BE SAID OTHERWISE", "bold")
        yield from _moving(moving, look)
        yield ""
    if result.differing:
        yield look.paint("NOT READ ALIKE", "bold")
        yield from _read(result, look)
        yield ""
    yield summary(result)
    yield from closing(about, look)


def summary(result: Portability) -> str:
    """Return in one sentence how many policies bind to whom."""
    if not result.objects:
        return "no policy was read"
    parts = [
        f"{len(held)} of {count(len(result.objects), 'policy')} bound to {product}"
        for product, held in result.bound.items()
    ]
    if not parts:
        parts = [f"none of {count(len(result.objects), 'policy')} is bound to one CNI"]
    if result.differing:
        parts.append(f"{len(result.differing)} not read alike by all that enforce them")
    return ", ".join(parts)


def _vendor(each: Portable) -> bool:
    return len(each.products) == 1


def _named(each: Portable, use: Use | None = None) -> str:
    if use is None:
        return f"{each.id.said}{at(each.span)}"
    times = f" and {use.times - 1} more" if use.times > 1 else ""
    return f"{each.id.said}, {use.path}{times}{at(use.span)}"


def _features(held: Iterable[Portable], look: Look, kinds: tuple[Kept, ...]) -> Iterator[str]:
    """Iterate over what some policies say that is not kept elsewhere, feature by feature."""
    users: dict[Feature, Users] = {}
    for each in held:
        for use in each.uses:
            if any(use.feature.in_language(name).kept in kinds for name in each.languages):
                users.setdefault(use.feature, []).append((each, use))
    for feature, found in users.items():
        yield f"  {look.paint(feature.title, 'bold')}"
        for text, names in _elsewhere(feature, found[0][0].languages, kinds).items():
            yield from wrapped(f"{', '.join(names)}: {text}", look, "    ", "      ")
        yield from _users(found)


def _elsewhere(
    feature: Feature, languages: Iterable[str], kinds: tuple[Kept, ...]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in languages:
        there = feature.in_language(name)
        if there.kept in kinds:
            found.setdefault(there.text, []).append(name)
    return found


def _users(found: Users) -> Iterator[str]:
    for each, use in found[:_POLICIES]:
        yield f"    - {_named(each, use)}"
    if len(found) > _POLICIES:
        yield f"    and {count(len(found) - _POLICIES, 'policy')} more; -o json lists them"


def _moving(held: Iterable[Portable], look: Look) -> Iterator[str]:
    groups: dict[tuple[str, ...], list[Portable]] = {}
    for each in held:
        said = (f"{n} (in part)" if n in each.partly else n for n in each.sayable)
        groups.setdefault(tuple(said), []).append(each)
    for names, found in groups.items():
        yield from wrapped(f"in {', '.join(names)}:", look, "  ", "    ")
        for each in found[:_POLICIES]:
            yield f"    - {_named(each)}"
        if len(found) > _POLICIES:
            yield f"    and {count(len(found) - _POLICIES, 'policy')} more; -o json lists them"


def _read(result: Portability, look: Look) -> Iterator[str]:
    """Iterate over what is not read alike: by feature, who makes what of it, then who uses it.

    Who uses a feature is told once, for all that is made of it by anybody.
    """
    found: dict[str, dict[tuple[str, tuple[str, ...]], Users]] = {}
    for each, readings in result.differing:
        for read in readings:
            there = found.setdefault(read.use.feature.title, {})
            there.setdefault((read.text, read.by), []).append((each, read.use))
    for title, said in sorted(found.items()):
        yield f"  {look.paint(title, 'bold')}"
        together: dict[tuple[tuple[Portable, Use], ...], list[tuple[str, tuple[str, ...]]]] = {}
        for key, users in said.items():
            together.setdefault(tuple(users), []).append(key)
        for same, keys in together.items():
            for text, by in keys:
                yield from wrapped(f"{_by(by, result.profiles)}: {text}", look, "    ", "      ")
            yield from _users(list(same))


def _by(names: tuple[str, ...], profiles: tuple[Profile, ...]) -> str:
    return listed(products(names, profiles), 20)
