"""Names of what is written: those of the source, told apart where they would be the same."""

from collections.abc import Mapping
from itertools import count
from typing import Final

LONGEST: Final = 253
"""Characters of a name."""


class Names:
    """Names that are taken; lives for one call of a writer.

    Args:
        taken: Names in use, by kind and namespace (None where a kind lives in none).
    """

    def __init__(self, taken: Mapping[tuple[str, str | None], frozenset[str]]) -> None:
        self._taken = {key: set(names) for key, names in taken.items()}

    def free(self, kind: str, namespace: str | None, *wanted: str) -> str:
        """Take a name: the first of those that are wanted that is free, or the last with a number.

        >>> names = Names({("P", None): frozenset({"web"})})
        >>> names.free("P", None, "web"), names.free("P", None, "web")
        ('web-2', 'web-3')
        """
        taken = self._taken.setdefault((kind, namespace), set())
        numbered = (f"{wanted[-1][: LONGEST - 5]}-{n}" for n in count(2))
        found = next((name for name in wanted if name not in taken), None) or next(
            name for name in numbered if name not in taken
        )
        taken.add(found)
        return found
