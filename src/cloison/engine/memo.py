"""What others make of an engine, made once and kept with it."""

from collections.abc import Callable
from typing import Self, TypeVar

T = TypeVar("T")


class Memo:
    """Keeps what is made of it, for as long as it lives."""

    _derived: dict[str, object]

    def derived(self, name: str, make: Callable[[Self], T], kind: type[T]) -> T:
        """Return what somebody makes of this, made once.

        Args:
            name: What to keep it as.
            make: Makes it.
            kind: What it is.
        """
        found = self._derived.get(name)
        if not isinstance(found, kind):
            found = make(self)
            self._derived[name] = found
        return found
