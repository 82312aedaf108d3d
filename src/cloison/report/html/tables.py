"""Values as rows of tables: each distinct one once, and numbers wherever it is meant."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from cloison.algebra import L4, TrafficSet
from cloison.algebra.bitmaps import BitMap, FrozenBitMap
from cloison.analyses.connectivity import Passage
from cloison.ir.fidelity import Caveat
from cloison.report.about import PLAIN

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


class Shared:
    """Tables that all of a report shares."""

    def __init__(self) -> None:
        self.traffic = Table[TrafficSet](lambda known: [n for span in known for n in span])
        self.caveats = Table[Caveat](lambda known: [known.id, clean(known.text), known.source])
        self.files = Table[str](clean)
        self.passages = Table[Passage](self._passage)

    def _passage(self, known: Passage) -> Json:
        return [
            self.traffic(known.allowed),
            self.traffic(known.undetermined & L4),
            [self.caveats(c) for c in known.caveats],
        ]


def clean(text: str) -> str:
    r"""Return text as it may be shown: nothing invisible, nothing that turns a line around.

    >>> clean("a\u202eb")
    'a\\u202eb'
    """
    return PLAIN.safe(text.replace("\n", " ")).encode("utf-8", "backslashreplace").decode()
