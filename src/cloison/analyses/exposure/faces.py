"""How declared peers look at pods that are not in the input.

A peer is a list of faces, each a region with whether all its pods are matched. A pod in several is
matched as surely as in any of them; one in none is not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cloison.algebra import FAMILY, AddressSet
from cloison.analyses.exposure.cells import MOST, TooManyError, without
from cloison.analyses.exposure.regions import EVERY_POD, Homes, Region
from cloison.engine import Engine
from cloison.engine.matching import whole_families
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    UnknownMatch,
    plain_matches,
)

Caveats = frozenset[Caveat]
NO_CAVEATS: Caveats = frozenset()
LOOKED_INTO: Caveats = frozenset({known.LABEL_VALUE_UNKNOWN})
_OF_ADDRESSES: Caveats = frozenset({known.CNI_IPBLOCK_POD, known.POD_ADDRESS_UNKNOWN})


@dataclass(frozen=True, slots=True)
class Face:
    """Pods that a peer matches.

    Args:
        region: The pods.
        sure: Whether it matches all of them.
        caveats: What that stands on.
        doubts: Why it is not sure.
    """

    region: Region
    sure: bool = True
    caveats: Caveats = NO_CAVEATS
    doubts: Caveats = NO_CAVEATS


@dataclass(frozen=True, slots=True)
class Seat:
    """Where pods that are asked about are, as far as addresses tell.

    Args:
        place: Where their addresses are known to lie; None when nothing is known of them.
        family: Their address family, where that is known although nothing else is.
    """

    place: AddressSet | None = None
    family: int | None = None


class Faces:
    """Finds the faces of peers.

    Args:
        engine: Who decides.
        homes: The namespaces there are.
    """

    def __init__(self, engine: Engine, homes: Homes) -> None:
        self.engine = engine
        self.homes = homes

    def any_of(self, matches: Iterable[PeerMatch], seat: Seat) -> tuple[Face, ...]:
        """Return how peers, any of them, look at pods.

        Raises:
            TooManyError: It takes too many regions to say.
        """
        return tuple(face for match in matches for face in self.of(match, seat))

    def of(self, match: PeerMatch, seat: Seat) -> Iterator[Face]:
        """Iterate over the faces of one peer.

        Nodes and names outside are no pods. How a pod stands to its peer is left out, as in a map.

        Raises:
            TooManyError: There are too many.
        """
        if isinstance(match, PodsMatch):
            for region, sure in self.homes.told(match):
                yield Face(region, sure, doubts=NO_CAVEATS if sure else LOOKED_INTO)
        elif isinstance(match, AnyMatch):
            yield Face(EVERY_POD)
        elif isinstance(match, BlockMatch | GroupsMatch):
            yield from self._of_addresses(match, seat)
        elif isinstance(match, UnknownMatch):
            yield Face(EVERY_POD, sure=False, doubts=frozenset({match.caveat}))
        elif isinstance(match, AnyOf):
            yield from self.any_of(match.matches, seat)
        elif isinstance(match, AllOf):
            yield from self._all_of(match, seat)
        elif isinstance(match, NoneOf):
            yield from self._none_of(match, seat)

    def _of_addresses(self, match: BlockMatch | GroupsMatch, seat: Seat) -> Iterator[Face]:
        sure = self.engine.binder.in_block(match, seat.place)
        if seat.place is None and seat.family is not None and seat.family not in self._whole(match):
            sure = None
        if sure is not None:
            said = match.caveat if isinstance(match, BlockMatch) else None
            written = frozenset({said}) if said is not None else NO_CAVEATS
            doubts = NO_CAVEATS if sure else frozenset({known.POD_ADDRESS_UNKNOWN})
            yield Face(EVERY_POD, sure, _OF_ADDRESSES | written, doubts)

    def _whole(self, match: BlockMatch | GroupsMatch) -> frozenset[int]:
        """Return the address families that a match is whole of."""
        if isinstance(match, BlockMatch):
            return frozenset((match.family,)) if match.whole else frozenset()
        return whole_families(self.engine.binder.matcher.book.group(match.labels))

    def _all_of(self, match: AllOf, seat: Seat) -> Iterator[Face]:
        found = [Face(EVERY_POD)]
        for each in match.matches:
            found = [
                Face(
                    region,
                    one.sure and other.sure,
                    one.caveats | other.caveats,
                    one.doubts | other.doubts,
                )
                for other in list(self.of(each, seat))
                for one in found
                if (region := self.homes.settle(one.region & other.region)) is not None
            ]
            if len(found) > MOST:
                raise TooManyError
        yield from found

    def _none_of(self, match: NoneOf, seat: Seat) -> Iterator[Face]:
        by_address = any(isinstance(m, BlockMatch | GroupsMatch) for m in plain_matches(match))
        if by_address and seat.place is None and seat.family is None:
            yield from self._either_family(match)
            return
        faces = self.any_of(match.matches, seat)
        caveats = NO_CAVEATS.union(*(f.caveats for f in faces))
        if by_address and self.engine.profile.block_matches_pods:
            caveats |= _OF_ADDRESSES
        doubts = NO_CAVEATS.union(*(f.doubts for f in faces))
        for region in without(self.homes, [EVERY_POD], [f.region for f in faces]):
            yield Face(region, caveats=caveats)
        left = self.homes.widest(self.homes.settle(f.region) for f in faces if not f.sure)
        for region in without(self.homes, left, [f.region for f in faces if f.sure]):
            yield Face(region, sure=False, caveats=caveats, doubts=doubts)

    def _either_family(self, match: NoneOf) -> Iterator[Face]:
        """Iterate over the faces towards pods that may be of either family."""
        four, six = (tuple(self._none_of(match, Seat(family=family))) for family in FAMILY)
        for one in four:
            for other in six:
                region = self.homes.settle(one.region & other.region)
                if one.sure and other.sure and region is not None:
                    yield Face(region, caveats=one.caveats | other.caveats)
        for face in (*four, *six):
            yield replace(face, sure=False, doubts=face.doubts | {known.POD_ADDRESS_UNKNOWN})


def doubted(faces: Iterable[Face]) -> tuple[Face, ...]:
    """Return faces of what may not count at all."""
    return tuple(replace(face, sure=False) for face in faces)
