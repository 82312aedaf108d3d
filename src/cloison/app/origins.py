"""What each policy was compiled from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloison.dialects import Compilation, Dialect
from cloison.ir.policy import Policy, PolicyId


@dataclass(frozen=True, slots=True)
class Origin:
    """What a policy was compiled from.

    Args:
        dialect: Whose object it is.
        object: The object in the dialect's own words.
        policy: The policy as it was compiled, before it met other dialects' objects.
    """

    dialect: Dialect[Any]
    object: Any
    policy: Policy


class Origins(Mapping[PolicyId, Origin]):
    """Origins by policy, put together when somebody first looks: most runs never do."""

    __slots__ = ("_by_id", "_groups")

    def __init__(self) -> None:
        self._groups: list[tuple[Dialect[Any], Compilation, Sequence[Any]]] = []
        self._by_id: dict[PolicyId, Origin] | None = None

    def add(self, dialect: Dialect[Any], compiled: Compilation, objects: Sequence[Any]) -> None:
        """Note what the objects of one dialect came to."""
        self._groups.append((dialect, compiled, objects))
        self._by_id = None

    def _found(self) -> dict[PolicyId, Origin]:
        if self._by_id is None:
            self._by_id = {
                policy.id: Origin(dialect, objects[place], policy)
                for dialect, compiled, objects in self._groups
                for policy, place in zip(compiled.policies, compiled.origins, strict=True)
                if place < len(objects)  # settings alone can bring a policy, without any object
            }
        return self._by_id

    def __getitem__(self, name: PolicyId) -> Origin:
        """Return what a policy was compiled from."""
        return self._found()[name]

    def __iter__(self) -> Iterator[PolicyId]:
        """Iterate over the policies' names, in the order of `add`."""
        return iter(self._found())

    def __len__(self) -> int:
        """Return the number of policies."""
        return len(self._found())
