"""Which counters a packet has to move, going by what `why` says about it.

At each enforcement point a packet meets rules that take note of it or pass it on, and last what
decides. Where several rules match of which any may be the one, exactly one of them counts it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from cloison.analyses.explain import CaseAnswer, PointAnswer
from cloison.analyses.walk import Walk
from cloison.engine.resolve import builtin_key, end_key, rule_key
from cloison.engine.steps import Cause, Step
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action, Combine, Direction, PolicyId, TierSpec
from cloison.ir.ruleset import BoundRule

NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stage:
    """Of `one_of` exactly one counts the packet, of `besides` any may.

    Args:
        direction: Where: with whom it comes from, or with whom it goes to.
        one_of: What may be the one; empty where nothing has to count.
        besides: What may count as well.
    """

    direction: Direction
    one_of: frozenset[str] = frozenset()
    besides: frozenset[str] = frozenset()

    @property
    def possible(self) -> frozenset[str]:
        """Everything that may count the packet."""
        return self.one_of | self.besides


@dataclass(frozen=True, slots=True)
class Path:
    """What a packet moves on its way.

    Args:
        stages: In order. Where something decides, only what `why` names may be what counts.
        isolating: Policies that `why` names for a tier's end, by what counts there.
    """

    stages: tuple[Stage, ...] = ()
    isolating: tuple[tuple[str, frozenset[PolicyId]], ...] = ()


def path_of(answer: CaseAnswer) -> Path | None:
    """Return what a packet moves, of a case whose verdict is known.

    None where one of its ends leaves open what the other settles.

    Raises:
        ValueError: `why` names what did not take part.
    """
    stages: list[Stage] = []
    isolating: dict[str, frozenset[PolicyId]] = {}
    for point in answer.points:
        if point.verdict not in (Verdict.ALLOWED, Verdict.DENIED):
            return None
        if point.walk is None:
            continue
        found = [s for s in _stages(point.walk, point.direction) if s.possible]
        named = dict(_named(point))
        if named and all(each.policy is not None for each in point.decided_by):
            *before, last = found or [Stage(point.direction)]
            last = Stage(last.direction, last.one_of & named.keys(), last.besides)
            if not named.keys() & last.possible:
                msg = f"{sorted(named)} decided, it is said, and that is not what came last"
                raise ValueError(msg)
            found = [*before, last]
        stages += found
        isolating |= {key: policies for key, policies in named.items() if policies}
        if point.verdict is Verdict.DENIED:
            break
    return Path(tuple(stages), tuple(isolating.items()))


def _named(point: PointAnswer) -> Iterator[tuple[str, frozenset[PolicyId]]]:
    """Yield what `why` says decides at a point: what counts there, and who isolates."""
    isolating: dict[str, set[PolicyId]] = {}
    for each in point.decided_by:
        if each.policy is not None and each.rule is not None:
            yield rule_key(each.policy, point.direction, each.rule), frozenset()
        elif each.policy is not None and each.tier is not None:
            isolating.setdefault(end_key(each.tier, point.direction), set()).add(each.policy)
    yield from ((key, frozenset(policies)) for key, policies in isolating.items())


def _stages(walk: Walk, direction: Direction) -> Iterator[Stage]:
    """Yield what a packet moves in one layer, in order."""
    specs = {tier.name: tier for tier in walk.layer.tiers}
    for (cause, tier), group in groupby(walk.steps, key=lambda step: (step.cause, step.tier)):
        steps = list(group)
        match cause:
            case Cause.BUILTIN if tier is None:
                keys = [_builtin(walk, step, direction) for step in steps]
                stage = _stage(steps, keys, direction)
                # Where nothing follows, there is no need for a filter to look.
                yield stage if _closes(walk, direction) else Stage(direction, NONE, stage.possible)
            case Cause.END if tier is not None:
                yield _stage(steps, [end_key(tier, direction)] * len(steps), direction)
            case Cause.RULE if tier is not None:
                yield from _of_rules(specs[tier], steps, direction)
            case _:
                continue


def _closes(walk: Walk, direction: Direction) -> bool:
    """Whether what no rule of a layer lets through is surely stopped somewhere in it."""
    return any(
        tier.spec.end is Action.DENY and any(direction in p.isolates for p in tier.policies)
        for tier in walk.tiers
    )


def _stage(steps: Sequence[Step], keys: Iterable[str], direction: Direction) -> Stage:
    keyed = list(zip(steps, keys, strict=True))
    sure = frozenset(key for step, key in keyed if step.sure)
    unsure = frozenset(in_doubt(key) for step, key in keyed if not step.sure)
    return Stage(direction, sure, unsure - sure)


def in_doubt(key: str) -> str:
    """Return what counts where a filter cannot tell whether a rule matches: it decides nothing."""
    return f"{key}, in doubt"


def _builtin(walk: Walk, step: Step, direction: Direction) -> str:
    index = step.builtin.index if step.builtin is not None else 0
    return builtin_key(walk.layer.name, direction, index)


def _of_rules(tier: TierSpec, steps: Sequence[Step], direction: Direction) -> Iterator[Stage]:
    """Yield what rules of a tier move: those of a band that may each be the one together."""
    acting = [(step, step.rule) for step in steps if step.rule is not None]
    for band, group in groupby(acting, key=lambda item: item[1].policy.band):
        members = list(group)
        if tier.bands[band] is Combine.FIRST_MATCH:
            for _, same in groupby(members, key=lambda item: item[1].policy.order):
                yield from _in_order(list(same), direction)
        else:
            for _, same in groupby(members, key=lambda item: item[0].action):
                yield _any_of(list(same), direction)


def _in_order(members: Sequence[tuple[Step, BoundRule]], direction: Direction) -> Iterator[Stage]:
    """Yield what rules of equal order move: one by one, or whichever policy comes first."""
    if len({rule.policy.id for _, rule in members}) > 1:
        final = [item for item in members if item[0].action is not Action.LOG]
        noted = frozenset(
            _key(rule, direction) for step, rule in members if step.action is Action.LOG
        )
        stage = _any_of(final, direction)
        yield Stage(direction, stage.one_of, stage.besides | noted)
        return
    for item in members:
        yield _any_of([item], direction)


def _any_of(members: Sequence[tuple[Step, BoundRule]], direction: Direction) -> Stage:
    keys = [_key(rule, direction) for _, rule in members]
    return _stage([step for step, _ in members], keys, direction)


def _key(rule: BoundRule, direction: Direction) -> str:
    return rule_key(rule.policy.id, rule.rule.listed or direction, rule.rule.index)
