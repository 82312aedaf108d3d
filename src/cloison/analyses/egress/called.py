"""What people call addresses: the ranges they lie in, and those that they hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloison.algebra import AddressSet
from cloison.platform.ranges import NamedRange, RangeKind

_UNSAID = frozenset((RangeKind.SPECIAL, RangeKind.NAME))
"""Kinds of ranges of which nobody asks whether a destination has some of them."""


@dataclass(frozen=True, slots=True)
class Called:
    """What addresses are called.

    Args:
        inside: The least ranges that they all lie in.
        whole: Where they lie in none, those that they have all of.
        part: Those that they have some of.
    """

    inside: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    part: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it in words; empty where there is nothing to say."""
        said = ["; ".join(self.inside)] if self.inside else []
        said += [f"holds {'; '.join(self.whole)}"] if self.whole else []
        said += [f"holds some of {'; '.join(self.part)}"] if self.part else []
        return "; ".join(said)


def called(addresses: AddressSet, ranges: Sequence[NamedRange]) -> Called:
    """Return what addresses are called.

    Args:
        addresses: The addresses.
        ranges: Address ranges with names.
    """
    if not addresses:
        return Called()
    around = [each for each in ranges if addresses <= each.addresses]
    if around:
        least = min(each.addresses.size() for each in around)
        return Called(tuple(r.name for r in around if r.addresses.size() == least))
    # Who reaches all of them reaches the internet, and nobody wants that spelled out.
    internet = all(r.addresses <= addresses for r in ranges if r.kind is RangeKind.PROVIDER)
    held = [r for r in ranges if r.kind not in _UNSAID and addresses & r.addresses]
    whole = [r for r in held if r.addresses <= addresses]
    return Called(
        (),
        tuple(r.name for r in whole if r.kind is not RangeKind.PROVIDER or not internet),
        tuple(r.name for r in held if r not in whole and r.kind is not RangeKind.PROVIDER),
    )
