"""Bounds on the work that sets of texts may take, and what is raised beyond them."""

MOST_STATES = 4000
"""States of an automaton, while it is made and afterwards."""
MOST_STEPS = 400_000
"""Transitions worked out in one operation: a good part of a second."""


class UndecidedError(Exception):
    """A set of texts or requests is not worked out; what depends on it is undetermined.

    Args:
        reason: What stands in the way, in a few words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooLargeError(UndecidedError):
    """A set needs more states or steps than are put up with."""


class UnsupportedPatternError(UndecidedError):
    """A regular expression is valid and uses what these sets do not know."""


class Budget:
    """How much work is left; operations that belong together share one.

    Args:
        steps: Transitions that may still be worked out.
        states: States that one automaton may have.
    """

    __slots__ = ("states", "steps")

    def __init__(self, steps: int = MOST_STEPS, states: int = MOST_STATES) -> None:
        self.steps = steps
        self.states = states

    def spend(self, steps: int) -> None:
        """Take note of work.

        Raises:
            TooLargeError: There is no budget left for it.
        """
        self.steps -= steps
        if self.steps < 0:
            raise TooLargeError("it takes too many steps")

    def hold(self, states: int) -> None:
        """Take note of how large an automaton has become.

        Raises:
            TooLargeError: It is larger than the budget allows.
        """
        if states > self.states:
            raise TooLargeError(f"it takes more than {self.states} states")
