"""Values as rows of tables: each distinct one once, and numbers wherever it is meant."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from cloison import algebra
from cloison.algebra import ANY, L4, TrafficSet
from cloison.algebra.bitmaps import BitMap, FrozenBitMap
from cloison.analyses.connectivity import Passage
from cloison.analyses.request import usual
from cloison.ir.caveats import REQUESTS_TOO_LARGE
from cloison.ir.fidelity import Caveat
from cloison.ir.when import When
from cloison.report.about import PLAIN

if TYPE_CHECKING:
    from cloison.algebra import RequestSet

Key = TypeVar("Key", bound=Hashable)
Json = object
"""What msgspec writes as JSON: numbers, text, lists, mappings of text."""


class Table(Generic[Key]):
    """Gives distinct values numbers, in the order they turn up.

    Args:
        row: Makes a value's row.
    """

    def __init__(self, row: Callable[[Key], Json]) -> None:
        self._row = row
        self._numbers: dict[Key, int] = {}
        self.rows: list[Json] = []

    def __call__(self, key: Key) -> int:
        """Return the number of a value."""
        number = self._numbers.get(key)
        if number is None:
            row = self._row(key)
            number = self._numbers[key] = len(self.rows)
            self.rows.append(row)
        return number


class Sets(Table[FrozenBitMap]):
    """Sets of small numbers, as first and last of each run."""

    def __init__(self) -> None:
        super().__init__(runs)

    def of(self, members: BitMap) -> int:
        """Return the number of a set."""
        return self(FrozenBitMap(members))


def runs(members: Iterable[int]) -> list[int]:
    """Return ascending numbers as first and last of each run.

    >>> runs([1, 2, 3, 7])
    [1, 3, 7, 7]
    """
    found: list[int] = []
    for number in members:
        if found and number == found[-1] + 1:
            found[-1] = number
        else:
            found += (number, number)
    return found


class Requests:
    """Sets of requests, and what some of them come to together.

    The page knows no request: what it has to know of two sets is worked out here.
    """

    def __init__(self) -> None:
        self.table = Table["RequestSet"](self._row)
        # The first two are none and all, which nobody has to look up.
        self.table.rows += (["none", ""], ["any", ""])
        self.met: dict[tuple[int, int], int] = {}
        self.less: dict[tuple[int, int], int] = {}

    @staticmethod
    def _row(known: "RequestSet") -> Json:
        return [clean(str(known)), clean(str(usual(known)))]

    def number(self, known: "RequestSet") -> int:
        """Return the number of a set."""
        if not known:
            return _NONE
        return _EVERY if known == algebra.EVERY_REQUEST else self.table(known)

    def passing(self, known: When) -> int:
        """Return the number of all requests with which traffic may pass."""
        if not known.undetermined:
            return self.number(known.allowed)
        try:
            passing = known.allowed | known.undetermined
        except algebra.UndecidedError:
            return _EVERY
        number = self.number(passing)
        self.less[number, self.number(known.allowed)] = self.number(known.undetermined)
        return number

    def meet(self, one: When, other: When) -> None:
        """Take down what passes two points, where it is not too much work."""
        try:
            met = replace(one, traffic=ANY).meet(replace(other, traffic=ANY))
            both = [each.allowed | each.undetermined for each in (one, other, met)]
        except algebra.UndecidedError:
            return
        if REQUESTS_TOO_LARGE in met.doubts - one.doubts - other.doubts:
            return
        allowed = self._pair(one.allowed, other.allowed, met.allowed)
        passing = self._pair(*both)
        if met.allowed and met.undetermined:
            self.less[passing, allowed] = self.number(met.undetermined)

    def _pair(self, one: "RequestSet", other: "RequestSet", met: "RequestSet") -> int:
        low, high = sorted((self.number(one), self.number(other)))
        found = self.number(met)
        if low > _EVERY and low != high:
            self.met[low, high] = found
        return found


_NONE, _EVERY = 0, 1


class Shared:
    """Tables that all of a report shares."""

    def __init__(self) -> None:
        self.traffic = Table[TrafficSet](lambda known: [n for span in known for n in span])
        self.caveats = Table[Caveat](lambda known: [known.id, clean(known.text), known.source])
        self.files = Table[str](clean)
        self.passages = Table[Passage](self._passage)
        self.requests = Requests()

    def _passage(self, known: Passage) -> Json:
        return [
            self.traffic(known.allowed),
            self.traffic(known.open & L4),
            [self.caveats(c) for c in known.caveats],
            self.when(known.when),
        ]

    def when(self, known: Iterable[When]) -> Json:
        """Return rows of traffic of which requests decide, 0 for none."""
        return [
            [
                self.traffic(each.traffic),
                self.requests.number(each.allowed),
                self.requests.passing(each),
            ]
            for each in known
            if each.mixed
        ] or 0


def clean(text: str) -> str:
    r"""Return text as it may be shown: nothing invisible, nothing that turns a line around.

    >>> clean("a\u202eb")
    'a\\u202eb'
    """
    return PLAIN.safe(text.replace("\n", " ")).encode("utf-8", "backslashreplace").decode()
