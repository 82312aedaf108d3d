"""Sets of texts: what a path, a host name or the value of a header may be."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from cloison.algebra import automata, derived, members
from cloison.algebra.automata import Dfa
from cloison.algebra.budget import MOST_STATES, MOST_STEPS, Budget
from cloison.algebra.characters import EVERY_CHARACTER, CharSet
from cloison.algebra.regex import build, literal, parse, write
from cloison.algebra.regex.syntax import Chars, Node, alt, cat, repeat

_NO_CHARACTERS = CharSet()


class StringSet:
    """A set of texts, always canonical, so equality is set equality. Immutable.

    It is a regular language, kept as the minimal automaton over Unicode characters. Every
    operation is bounded: beyond the bound it raises `TooLargeError`, and is never wrong.

    >>> api = StringSet.pattern("/api/.*")
    >>> StringSet.of("/api/v1") <= api, (api - StringSet.prefix("/api/v1")).example()
    (True, '/api/')
    >>> StringSet.pattern("(a|b)*") == StringSet.pattern("[ab]*")
    True
    """

    __slots__ = ("_dfa", "_hash")

    _dfa: Dfa
    _hash: int

    @classmethod
    def _of(cls, dfa: Dfa) -> "StringSet":
        new = cls.__new__(cls)
        new._dfa = dfa
        new._hash = hash(dfa)
        return new

    @classmethod
    def accepted(cls, automaton: Dfa) -> "StringSet":
        """Return the texts that an automaton accepts, which is in its one form."""
        return cls._of(automaton)

    @property
    def automaton(self) -> Dfa:
        """The automaton that accepts them, in its one form."""
        return self._dfa

    @classmethod
    def _made(cls, tree: Node, budget: Budget | None = None) -> "StringSet":
        return cls._of(build(tree, budget or Budget()))

    @classmethod
    def of(cls, *texts: str) -> "StringSet":
        """Return a few texts.

        >>> sorted(StringSet.of("GET", "HEAD").texts(9))
        ['GET', 'HEAD']
        """
        return cls._made(alt(literal(text) for text in dict.fromkeys(texts)))

    @classmethod
    def pattern(cls, text: str, budget: Budget | None = None) -> "StringSet":
        """Return the texts that a regular expression of Go or RE2 matches as a whole.

        Raises:
            PatternError: It is no regular expression.
            UndecidedError: It is one, but uses what is not supported, or is too large.

        >>> [t in StringSet.pattern("/v[12]/.+") for t in ("/v1/", "/v2/x", "/x/v1/y")]
        [False, True, False]
        """
        return cls._made(parse(text), budget)

    @classmethod
    def prefix(cls, text: str) -> "StringSet":
        """Return the texts that start with one."""
        return cls._made(cat((literal(text), _ANYTHING)))

    @classmethod
    def glob(cls, text: str, wildcards: Mapping[str, str]) -> "StringSet":
        """Return the texts of a pattern in which some words stand for others.

        Args:
            text: The pattern; what is no wildcard means itself.
            wildcards: For each, a regular expression of what may stand in its place. Of two that
                begin alike the longer one is meant.

        Raises:
            PatternError: A wildcard's regular expression is none.
            TooLargeError: The set is beyond the bound.

        >>> names = StringSet.glob("*.example.com", {"*": "[-a-z0-9_]*"})
        >>> [name in names for name in ("a.example.com", "a.b.example.com", "example.com")]
        [True, False, False]
        """
        holes = {word: parse(each) for word, each in wildcards.items()}
        words = sorted(holes, key=lambda word: (-len(word), word))
        parts: list[Node] = []
        at = 0
        while at < len(text):
            word = next((w for w in words if w and text.startswith(w, at)), None)
            parts.append(literal(text[at]) if word is None else holes[word])
            at += len(word or text[at])
        return cls._made(cat(parts))

    @classmethod
    def union(cls, sets: Iterable["StringSet"], budget: Budget | None = None) -> "StringSet":
        """Return the union of any number of sets, two by two, so that none is touched often."""
        left = list(sets)
        spent = budget or Budget()
        while len(left) > 1:
            pairs = zip(left[::2], left[1::2], strict=False)
            odd = left[-1:] if len(left) % 2 else []
            left = [*(one.join(other, spent) for one, other in pairs), *odd]
        return left[0] if left else NO_STRINGS

    def join(self, other: "StringSet", budget: Budget) -> "StringSet":
        """Return the union, within a budget."""
        return self._combined(other, _OR, budget)

    def meet(self, other: "StringSet", budget: Budget) -> "StringSet":
        """Return the intersection, within a budget."""
        return self._combined(other, _AND, budget)

    def _combined(self, other: "StringSet", table: "_Table", budget: Budget) -> "StringSet":
        if self == other:
            return self if table[1][1] else NO_STRINGS
        # The product has at most as many states as these have pairs.
        if self._size * other._size <= _LITTLE and len(self) * len(other) <= budget.states:
            found, steps = _combination(self, other, table)
            budget.spend(steps)
            return found
        return self._worked_out(other, table, budget)

    def _worked_out(self, other: "StringSet", table: "_Table", budget: Budget) -> "StringSet":
        return self._of(automata.product(self._dfa, other._dfa, lambda a, b: table[a][b], budget))

    @property
    def _size(self) -> int:
        """How many transitions there are."""
        return len(self._dfa.rows) * len(self._dfa.rows[0])

    def __or__(self, other: "StringSet") -> "StringSet":
        """Return the union."""
        return self._combined(other, _OR, Budget())

    def __and__(self, other: "StringSet") -> "StringSet":
        """Return the intersection."""
        return self._combined(other, _AND, Budget())

    def __sub__(self, other: "StringSet") -> "StringSet":
        """Return the texts that are not in `other`."""
        return self._combined(other, _BUT, Budget())

    def __invert__(self) -> "StringSet":
        """Return all other texts."""
        alphabet, rows, final = self._dfa
        others = set(range(len(rows))).difference(final)
        return self._of(Dfa(alphabet, rows, tuple(sorted(others))))

    def __add__(self, other: "StringSet") -> "StringSet":
        """Return every text of this set with one of `other` after it."""
        return self._of(derived.followed(self._dfa, other._dfa, Budget()))

    def __le__(self, other: "StringSet") -> bool:
        """Return whether every text is in `other`."""
        return self == other or not automata.meets(
            self._dfa, other._dfa, outside=True, budget=Budget()
        )

    def __ge__(self, other: "StringSet") -> bool:
        """Return whether every text of `other` is in this set."""
        return other <= self

    def isdisjoint(self, other: "StringSet") -> bool:
        """Return whether the two sets share no text."""
        return not automata.meets(self._dfa, other._dfa, outside=False, budget=Budget())

    def __contains__(self, text: str) -> bool:
        """Return whether a text is in the set."""
        alphabet, rows, final = self._dfa
        state = 0
        for char in text:
            state = rows[state][alphabet.letter(char)]
        return state in final

    def __bool__(self) -> bool:
        """Return whether any text is in the set."""
        return bool(self._dfa.final)

    def __len__(self) -> int:
        """Return the number of states, not of texts."""
        return len(self._dfa.rows)

    def __eq__(self, other: object) -> bool:
        """Return whether both sets have the same texts."""
        return isinstance(other, StringSet) and self._dfa == other._dfa

    def __hash__(self) -> int:
        """Hash by texts."""
        return self._hash

    @property
    def order(self) -> tuple[int, Dfa]:
        """Something to sort sets by: the smaller automaton first."""
        return len(self._dfa.rows), self._dfa

    def example(self) -> str | None:
        """Return one of the shortest texts, of letters people use where it may; None for none.

        >>> StringSet.pattern("/v[0-9]+/[^/]+").example()
        '/v0/a'
        """
        return members.example(self._dfa)

    def texts(self, most: int) -> tuple[str, ...] | None:
        """Return every text, the shortest first; None where there are more than `most`.

        >>> StringSet.pattern("a?b").texts(2), StringSet.pattern("a+b").texts(2)
        (('b', 'ab'), None)
        """
        return members.texts(self._dfa, most)

    def replaced(self, changes: Mapping[str, str]) -> "StringSet":
        """Return the texts that are in this set once some of their characters are replaced.

        >>> lower = StringSet.of("/a/b").replaced({"%": "/"})
        >>> sorted(lower.texts(9))
        ['%a%b', '%a/b', '/a%b', '/a/b']
        """
        return self._of(derived.replaced(self._dfa, changes, Budget()))

    def any_case(self) -> "StringSet":
        """Return the texts whose small-letter form is in this set; ASCII letters alone count."""
        return self.replaced(_SMALL)

    def before(self, ending: str) -> "StringSet":
        """Return the texts that are in this set once `ending` is written after them.

        >>> StringSet.of("/a", "/b/").before("/").texts(9)
        ('/b',)
        """
        return self._of(derived.before(self._dfa, ending, Budget()))

    def text(self, absent: CharSet = _NO_CHARACTERS) -> str:
        """Return a regular expression that matches these texts and no others.

        Sets too large for one that anybody reads are told by their size and an example.

        Args:
            absent: Characters that no text in question has, so that `.` may be said of all else.
        """
        found = write(self._dfa, absent)
        if found is None:
            return f"<{len(self)} states, such as {self.example()!r}>"
        return found

    def plainly(self, text: str) -> bool:
        """Return whether an expression of these texts is as short as can be expected.

        Then it is a word with little around it, and its opposite is not said in fewer letters.
        """
        return automata.dead(self._dfa) is not None and len(text) <= 2 * len(self)

    def __str__(self) -> str:
        """Render as a regular expression.

        >>> str(StringSet.pattern("/v1/(users|orders)/[^/]+") | StringSet.of("/v1/users"))
        '/v1/(orders/[^/]+|users(/[^/]+)?)'
        """
        return self.text()

    def __repr__(self) -> str:
        """Render as a call."""
        return f"StringSet.pattern({self.text()!r})"


_Table: TypeAlias = tuple[tuple[bool, bool], tuple[bool, bool]]
_OR: _Table = ((False, True), (True, True))
_AND: _Table = ((False, False), (False, True))
_BUT: _Table = ((False, False), (True, False))

_LITTLE: Final = MOST_STATES
"""Pairs of transitions, at most, of two sets of which it is remembered what they come to."""


@lru_cache(maxsize=2048)
def _combination(one: StringSet, other: StringSet, table: _Table) -> tuple[StringSet, int]:
    """Return what two small sets come to, and how many steps it takes to work that out.

    The policies of a cluster say few different paths, hosts and methods, and these meet again in
    every question. The steps count each time, so that no answer depends on what was asked before.
    """
    budget = Budget()
    found = one._worked_out(other, table, budget)
    return found, MOST_STEPS - budget.steps


_ANYTHING = repeat(Chars(EVERY_CHARACTER), 0, None)
_SMALL = {chr(number_): chr(number_).lower() for number_ in range(ord("A"), ord("Z") + 1)}

NO_STRINGS = StringSet._made(alt(()))
"""The empty set."""
EVERY_STRING = StringSet._made(_ANYTHING)
"""All texts."""
