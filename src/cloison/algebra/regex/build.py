"""Makes automata of regular expressions.

First a graph with edges that read nothing, some of which are there only at the start of a text
or at its end. Then, for each place where a character is read, the places that may come next;
sets of places, held as bits, are the states of the automaton.
"""

from dataclasses import dataclass, field

from cloison.algebra.automata import Alphabet, Dfa, canonical, cut
from cloison.algebra.budget import Budget
from cloison.algebra.characters import CharSet
from cloison.algebra.regex.syntax import Alt, Cat, Chars, Edge, Node

_CHEAP = 8
"""So many edges that read nothing are followed in the time of one transition."""


def build(tree: Node, budget: Budget) -> Dfa:
    """Return the automaton of all texts that match as a whole.

    Raises:
        TooLargeError: It is beyond the budget.
    """
    graph = _Graph(budget)
    start, end = graph.node(), graph.node()
    graph.add(tree, start, end)
    return _Places(graph, start, end).automaton(budget)


def accepts(tree: Node, text: str, budget: Budget) -> bool:
    """Return whether a text matches as a whole, without making the automaton of all that do.

    Raises:
        TooLargeError: It is beyond the budget.
    """
    graph = _Graph(budget)
    start, end = graph.node(), graph.node()
    graph.add(tree, start, end)
    return _Places(graph, start, end).accepts(text, budget)


@dataclass(slots=True)
class _Graph:
    """Nodes by number.

    Args:
        budget: What is left to spend.
        free: For each node, where it leads without reading.
        edges: For each node, where it leads at the start or at the end of the text only.
        reads: For nodes that read a character, which ones, and where they lead.
    """

    budget: Budget
    free: list[list[int]] = field(default_factory=list)
    edges: dict[int, list[tuple[bool, int]]] = field(default_factory=dict)
    reads: dict[int, tuple[CharSet, int]] = field(default_factory=dict)

    def node(self) -> int:
        self.budget.spend(1)
        self.budget.hold(len(self.free) // 4)
        self.free.append([])
        return len(self.free) - 1

    def add(self, tree: Node, start: int, end: int) -> None:
        """Put a tree between two nodes."""
        match tree:
            case Chars(chars):
                reader = self.node()
                self.free[start].append(reader)
                self.reads[reader] = (chars, end)
            case Edge(at_end):
                self.edges.setdefault(start, []).append((at_end, end))
            case Cat(parts):
                for part in parts[:-1]:
                    after = self.node()
                    self.add(part, start, after)
                    start = after
                if parts:
                    self.add(parts[-1], start, end)
                else:
                    self.free[start].append(end)
            case Alt(parts):
                for part in parts:
                    self.add(part, start, end)
            case _:
                self._repeat(tree.part, tree.low, tree.high, (start, end))

    def _repeat(self, part: Node, low: int, high: int | None, ends: tuple[int, int]) -> None:
        start, end = ends
        # A node of its own: nobody may come back to what else begins where this begins.
        at = self.node()
        self.free[start].append(at)
        for _ in range(low):
            after = self.node()
            self.add(part, at, after)
            at = after
        if high is None:
            loop, back = self.node(), self.node()
            self.free[at].append(loop)
            self.add(part, loop, back)
            self.free[back].append(loop)
            at = loop
        else:
            for _ in range(high - low):
                self.free[at].append(end)
                after = self.node()
                self.add(part, at, after)
                at = after
        self.free[at].append(end)


class _Places:
    """The nodes that read, as bits, and what may come after each."""

    __slots__ = ("_end", "_graph", "_places", "_start")

    def __init__(self, graph: _Graph, start: int, end: int) -> None:
        self._graph = graph
        self._start = start
        self._end = end
        self._places = {node: place for place, node in enumerate(graph.reads)}

    def accepts(self, text: str, budget: Budget) -> bool:
        alphabet, masks = self._letters()
        after = self._after()
        open_, ends = self._reached(self._start, at_start=True)
        for char in text:
            open_, ends = _together(open_ & masks[alphabet.letter(char)], after, budget)
            budget.spend(1)
            if not open_ and not ends:
                return False
        return ends

    def _letters(self) -> tuple[Alphabet, list[int]]:
        """Return the letters that are told apart, and for each the places that read it."""
        distinct = list(dict.fromkeys(chars for chars, _ in self._graph.reads.values()))
        number = {chars: n for n, chars in enumerate(distinct)}
        alphabet, holders = cut(distinct)
        sets = [number[chars] for chars, _ in self._graph.reads.values()]
        masks = [
            sum(1 << place for place, n in enumerate(sets) if holder >> n & 1) for holder in holders
        ]
        return alphabet, masks

    def _after(self) -> list[tuple[int, bool]]:
        """Return for each place what may come next, and whether the text may end."""
        after: list[tuple[int, bool]] = []
        known: dict[int, tuple[int, bool]] = {}
        for _, target in self._graph.reads.values():
            if target not in known:
                known[target] = self._reached(target, at_start=False)
            after.append(known[target])
        return after

    def automaton(self, budget: Budget) -> Dfa:
        alphabet, masks = self._letters()
        after = self._after()
        first = self._reached(self._start, at_start=True)
        numbers = {first: 0}
        queue = [first]
        rows = []
        moves: dict[int, int] = {}
        for open_, _ in queue:
            budget.spend(len(masks))
            row = []
            for mask in masks:
                read = open_ & mask
                if read not in moves:
                    state = _together(read, after, budget)
                    moves[read] = numbers.setdefault(state, len(numbers))
                    if moves[read] == len(queue):
                        queue.append(state)
                        budget.hold(len(queue))
                row.append(moves[read])
            rows.append(row)
        final = {number for state, number in numbers.items() if state[1]}
        return canonical(alphabet, rows, final, budget)

    def _reached(self, node: int, *, at_start: bool) -> tuple[int, bool]:
        """Return the places that may read next after a node, and whether the text may end."""
        inside = self._closure(node, {False: at_start, True: False})
        ending = self._closure(node, {False: at_start, True: True})
        bits = sum(1 << self._places[each] for each in inside if each in self._places)
        return bits, self._end in ending

    def _closure(self, node: int, open_: dict[bool, bool]) -> set[int]:
        graph = self._graph
        seen = {node}
        stack = [node]
        while stack:
            each = stack.pop()
            targets = graph.free[each]
            if each in graph.edges:
                targets = [*targets, *(end for kind, end in graph.edges[each] if open_[kind])]
            new = [target for target in targets if target not in seen]
            seen.update(new)
            stack += new
        graph.budget.spend(len(seen) // _CHEAP)
        return seen


def _together(read: int, after: list[tuple[int, bool]], budget: Budget) -> tuple[int, bool]:
    """Return the state after a character was read at some places, given as bits."""
    bits, ends = 0, False
    count = 0
    while read:
        place = read & -read
        more, end = after[place.bit_length() - 1]
        bits |= more
        ends |= end
        read ^= place
        count += 1
    budget.spend(count // _CHEAP)
    return bits, ends
