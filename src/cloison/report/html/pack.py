"""A report's content as the tables that the page looks things up in.

`docs/design/html-report.md` describes them. Nothing here grows with the number of pairs: a map is
rows of sets, and the reasons are the decisions themselves.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeAlias, cast

from cloison.algebra import L4, AddressSet, address_text
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map, Passage
from cloison.analyses.diff import Diff, Shift
from cloison.analyses.ledger import Act, Governed, Member, Part, Reason
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Direction, Policy, Rule
from cloison.ir.ruleset import BoundRule
from cloison.ir.when import When
from cloison.report.about import About
from cloison.report.html.axes import Axes, axes, block_name, example
from cloison.report.html.content import Content, Side
from cloison.report.html.tables import Json, Sets, Shared, Table, clean
from cloison.report.lacking import previews
from cloison.report.text.layout import profile_line
from cloison.report.text.map import passages
from cloison.report.text.walk import rule_words

State: TypeAlias = Passage | Shift
DIRECTIONS = (Direction.EGRESS, Direction.INGRESS)
NODES, OUTSIDE = "nodes", "outside the cluster"
"""What ends without a namespace stand under."""
_MET = 2000
"""Pairs of conditions whose requests are worked out; of more the page names both."""


def pack(content: Content, about: About) -> dict[str, Json]:
    """Return the tables of a report."""
    shared = Shared()
    along = axes(content)
    matrix = _matrix(content.result, along, shared)
    sides = [_Side(side, along, shared).packed() for side in content.sides]
    return {
        "kind": "map" if isinstance(content.result, Map) else "diff",
        "title": clean(content.title),
        "tool": f"cloison {about.version}",
        "profile": clean(profile_line(about)),
        "partial": content.result.partial,
        "scope": clean(content.scope),
        "edges": _edges(content.result),
        "stands": [shared.caveats(c) for c in _stands(content.result)],
        "previews": [clean(sentence) for sentence in previews(about)],
        "input": [_severities(about), *_said(about)],
        **_ends(along, content),
        **matrix,
        "sides": sides,
        "traffic": shared.traffic.rows,
        "passages": shared.passages.rows,
        "caveats": shared.caveats.rows,
        "requests": shared.requests.table.rows,
        "met": [[*pair, found] for pair, found in shared.requests.met.items()],
        "less": [[*pair, found] for pair, found in shared.requests.less.items()],
        "files": shared.files.rows,
    }


def _edges(result: Map | Diff) -> dict[str, int]:
    """Return how many edges look how, counted as `map` and `diff` count them."""
    if isinstance(result, Diff):
        return {str(kind): number for kind, number in result.counts.items()}
    found: Counter[str] = Counter()
    for passage, pairs in passages(result):
        if passage.allowed:
            found["all" if passage.allowed >= L4 else "some"] += pairs
        if any(each.allowed for each in passage.when):
            found["when"] += pairs
        if passage.open or any(each.undetermined for each in passage.when):
            found["doubt"] += pairs
    return dict(found)


def _stands(result: Map | Diff) -> Iterable[Caveat]:
    if isinstance(result, Map):
        return result.caveats
    return sorted({*result.caveats_before, *result.caveats_after})


def _severities(about: About) -> list[int]:
    return [
        sum(d.severity.value == severity for d in about.diagnostics)
        for severity in ("error", "warning")
    ]


_TOLD = 20


def _said(about: About) -> Iterator[Json]:
    ranked = sorted(about.diagnostics, key=lambda d: -d.severity.rank)
    for each in ranked[:_TOLD]:
        place = each.span.place if each.span else ""
        yield [each.severity.value, clean(place), clean(each.message), clean(each.effect or "")]


def _ends(along: Axes, content: Content) -> dict[str, Json]:
    """Return the ends, and the headings they stand under."""
    headings = Table[str](clean)
    names: dict[EndRef, str] = {}
    for side in content.sides:
        names |= side.ledger.names
    taken = _LOOPBACK
    for side in content.sides:
        taken |= side.ledger.taken
    rows: list[Json] = []
    for end in along.ends:
        if end.addresses is not None:
            rows.append([headings(OUTSIDE), *_block(end.addresses, taken)])
        elif end.kind == "node":
            rows.append(
                [
                    headings(NODES),
                    clean(end.name),
                    "node",
                    clean(names.get(end, f"node:{end.name}")),
                    "",
                ]
            )
        else:
            plain = str(end)
            kind = end.type or end.kind
            asked = names.get(end, plain)
            rows.append([headings(end.namespace), clean(end.name), kind, clean(asked), ""])
    return {"headings": headings.rows, "ends": rows, "inside": along.inside}


_LOOPBACK = AddressSet.block("127.0.0.0/8") | AddressSet.block("::1/128")


def _block(addresses: AddressSet, taken: AddressSet) -> list[Json]:
    """Return a block outside: its name, what to ask about, and all that is in it."""
    blocks = list(addresses.blocks())
    free = addresses - taken
    # A question about an address that is somebody's is a question about that somebody. Where
    # all of them are, nobody can ask about the block.
    one = len(blocks) == 1 and "-" not in blocks[0] and free == addresses
    asked = blocks[0] if one else address_text(example(free)) if free else ""
    return [block_name(addresses), "addresses", asked, ", ".join(blocks)]


def _matrix(result: Map | Diff, along: Axes, shared: Shared) -> dict[str, Json]:
    """Return what is in the cells, for each source: states, and the destinations they hold of."""

    def row_of(state: State) -> Json:
        if isinstance(state, Passage):
            return [shared.passages(state)]
        return [shared.passages(state.before), shared.passages(state.after), str(state.kind)]

    states, sets = Table[State](row_of), Sets()
    kinds = Table[tuple[tuple[int, int], ...]](list)
    found: list[dict[State, BitMap]] = [{} for _ in along.ends]
    # Both kinds of result are rows of sets, by what is to be said of their members.
    rows = cast("Mapping[int, Mapping[State, BitMap]]", result.rows)
    outward = cast("Mapping[int, Mapping[State, AddressSet]]", result.outward)
    inward = cast("Mapping[int, Mapping[State, AddressSet]]", result.inward)
    for source, row in rows.items():
        place = along.place[source]
        # A row never speaks of an end and itself, so with its own source added the rows of
        # an open group are one and the same.
        found[place] = {s: along.moved(m) | BitMap([place]) for s, m in row.items()}
    known: dict[AddressSet, BitMap] = {}
    for source, held in outward.items():
        for state, addresses in held.items():
            if addresses not in known:
                known[addresses] = along.outside(addresses)
            _join(found[along.place[source]], state, known[addresses])
    for target, held in inward.items():
        for state, addresses in held.items():
            if addresses not in known:
                known[addresses] = along.outside(addresses)
            for block in known[addresses]:
                _join(found[block], state, BitMap([along.place[target]]))
    numbered = [
        kinds(tuple(sorted((states(state), sets.of(m)) for state, m in row.items())))
        for row in found
    ]
    itself = {str(along.place[end]): states(state) for end, state in result.itself.items()}
    return {
        "states": states.rows,
        "sets": sets.rows,
        "rowKinds": kinds.rows,
        "rows": numbered,
        "itself": itself,
    }


def _join(row: dict[State, BitMap], state: State, members: BitMap) -> None:
    held = row.get(state)
    row[state] = members.copy() if held is None else held | members


class _Side:
    """Packs one world's decisions; lives for one report."""

    def __init__(self, side: Side, along: Axes, shared: Shared) -> None:
        self.side = side
        self.along = along
        self.shared = shared
        self.sets = Sets()
        self.nodes = Table[str | None](lambda name: clean(name) if name is not None else None)
        self._by_id: dict[int, Policy] = {}
        self.policies = Table[int](self._policy)
        self._rules: dict[tuple[int, int], Rule] = {}
        self.rules = Table[tuple[int, int]](self._rule)
        self._bound: dict[int, BoundRule] = {}
        self.bound = Table[int](self._bound_rule)
        self._when: tuple[dict[When, None], dict[When, None]] = ({}, {})
        self._reasons: dict[int, Reason] = {}
        self.reasons = Table[int](self._reason)

    def packed(self) -> dict[str, Json]:
        ledger = self.side.ledger
        decisions = [self._decision(d) for d in ledger.decisions]
        ends = [self._end(end) for end in self.along.ends]
        self._meet()
        return {
            "label": self.side.label,
            "asked": None if self.side.asked is None else clean(self.side.asked),
            "families": [p.family for p in ledger.places],
            "hosted": [n for n, p in enumerate(ledger.places) if p.hosted],
            "egress": [-1 if p.egress is None else p.egress for p in ledger.places],
            "ingress": [-1 if p.ingress is None else p.ingress for p in ledger.places],
            "decisions": decisions,
            "ends": ends,
            "pending": [n for n, end in enumerate(self.along.ends) if end in ledger.pending],
            "sets": self.sets.rows,
            "policies": self.policies.rows,
            "rules": self.rules.rows,
            "bound": self.bound.rows,
            "reasons": self.reasons.rows,
            "nodes": self.nodes.rows,
        }

    def _meet(self) -> None:
        """Take down what requests pass both of two points that both ask for some."""
        leaving, entering = self._when
        pairs = (
            (out, into)
            for out in leaving
            for into in entering
            if not out.traffic.isdisjoint(into.traffic)
        )
        for out, into in islice(pairs, _MET):
            self.shared.requests.meet(out, into)

    def _end(self, end: EndRef) -> Json:
        """Return the units of an end, or nothing where this side does not have it."""
        if end.addresses is not None:
            return [[unit, -1, 0, ""] for unit in self.side.ledger.units_at(end.addresses)]
        members = self.side.ledger.members.get(end, ())
        return [self._member(m, several=len(members) > 1) for m in members]

    def _member(self, member: Member, *, several: bool) -> Json:
        nodes = [self.nodes(n) for n in member.nodes]
        plain = member.nodes == (None,)
        alone = -1 if member.alone is None else member.alone
        return [member.unit, alone, 0 if plain else nodes, clean(member.example) if several else ""]

    def _decision(self, known: Governed) -> Json:
        policies = [self._number(p) for p in known.policies]
        isolating = [self._number(p) for p in known.isolating]
        # The part with the most peers is what the others leave over.
        rest = max(known.parts, key=lambda part: len(part.peers))
        parts = [self._part(p, rest=False) for p in known.parts if p is not rest]
        by_family = {
            str(family): [self._part(p, rest=False) for p in found]
            for family, found in known.by_family.items()
            if found
        }
        side = DIRECTIONS.index(known.direction)
        for part in (*known.parts, *(p for each in known.by_family.values() for p in each)):
            for reason in (part.reason, *part.related.values()):
                self._when[side].update(dict.fromkeys(reason.outcome.when))
        return [side, policies, isolating, [*parts, self._part(rest, rest=True)], by_family or 0]

    def _part(self, known: Part, *, rest: bool) -> Json:
        members = -1 if rest else self.sets.of(known.peers)
        related = {kind: self._reason_number(r) for kind, r in sorted(known.related.items())}
        return [members, self._reason_number(known.reason), related or 0]

    def _number(self, policy: Policy) -> int:
        self._by_id[id(policy)] = policy
        return self.policies(id(policy))

    def _policy(self, key: int) -> Json:
        policy = self._by_id[key]
        span = policy.span
        return [
            policy.id.kind,
            clean(str(policy.id) if policy.opaque else policy.id.said),
            self.shared.files(span.file) if span else -1,
            span.line if span else 0,
            -1 if policy.opaque is None else self.shared.caveats(policy.opaque.caveat),
        ]

    def _rule(self, key: tuple[int, int]) -> Json:
        policy, rule = self._by_id[key[0]], self._rules[key]
        span = rule.span or policy.span
        return [
            self._number(policy),
            DIRECTIONS.index(rule.direction),
            rule.index,
            self.shared.files(span.file) if span else -1,
            span.line if span else 0,
            str(rule.action),
            clean(rule_words(policy, rule)),
        ]

    def _bound_rule(self, key: int) -> Json:
        bound = self._bound[key]
        place = (id(bound.policy), id(bound.rule))
        self._by_id[id(bound.policy)] = bound.policy
        self._rules[place] = bound.rule
        return [
            self.rules(place),
            self.shared.traffic(bound.traffic),
            self.shared.traffic(bound.may_traffic),
        ]

    def _reason_number(self, reason: Reason) -> int:
        self._reasons[id(reason)] = reason
        return self.reasons(id(reason))

    def _reason(self, key: int) -> Json:
        reason = self._reasons[key]
        rules: list[int] = []
        for bound, sure in reason.rules:
            self._bound[id(bound)] = bound
            rules += (self.bound(id(bound)), int(sure))
        return [
            self.shared.traffic(reason.outcome.allowed),
            self.shared.traffic(reason.outcome.open),
            rules,
            reason.builtin,
            int(reason.sure),
            [self.shared.caveats(c) for c in reason.caveats],
            [self._act(act) for act in reason.acts] or 0,
            self.shared.when(reason.outcome.when),
        ]

    def _act(self, act: Act) -> Json:
        number = -1
        if act.rule is not None:
            place = (id(act.rule.policy), id(act.rule.rule))
            self._by_id[id(act.rule.policy)] = act.rule.policy
            self._rules[place] = act.rule.rule
            number = self.rules(place)
        return [
            clean(act.tier),
            str(act.action or ""),
            self.shared.traffic(act.traffic),
            number,
            [self._number(p) for p in act.policies],
        ]
