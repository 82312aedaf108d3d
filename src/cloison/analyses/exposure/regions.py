"""Regions: pods that are not in the input, by the labels that they and their namespace have.

A namespace of the input has the labels that it has. Any other may have every label, and a name
that none of the input has; its name label says that name. What else policies ask of a pod is told
as if it were one of its labels, under a key that no label can have: the name of its node, and the
labels of its service account.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import ALL_LABELS, ANY_VALUE, LabelSelector, LabelSet, ValueSet
from cloison.ir.peers import PodsMatch
from cloison.resources.objects import NAMESPACE_NAME_LABEL, Labels

NODE = "@node"
"""What stands for the name of a pod's node, among its labels."""
ACCOUNT = "@account/"
"""What the labels of a pod's service account begin with, among its own."""

_STEPS = 1000
"""Boxes to look into for a pod of a region, before it is taken that there is one."""


@dataclass(frozen=True, slots=True)
class Region:
    """Pods by their namespace's labels, the name label among them, and by their own.

    Args:
        namespaces: Labels of the namespace.
        pods: Labels of the pod.
        but: Labels of pods that are left out, although `pods` has them.
    """

    namespaces: LabelSet = ALL_LABELS
    pods: LabelSet = ALL_LABELS
    but: tuple[LabelSet, ...] = ()

    @classmethod
    def of(cls, match: PodsMatch) -> "Region":
        """Return the pods that a policy's words match, or where `Homes.told` doubts it, more."""
        pods = LabelSet.of(match.pods)
        if match.accounts:
            keys = LabelSet.of(match.accounts).keys
            pods &= LabelSet(tuple((f"{ACCOUNT}{key}", values) for key, values in keys))
        if match.nodes is not None:
            pods &= LabelSet(((NODE, ValueSet(frozenset(match.nodes))),))
        if match.namespace is not None:
            return cls(named(match.namespace), pods)
        return cls(LabelSet.of(match.namespaces), pods)

    def __and__(self, other: "Region") -> "Region":
        """Return the pods of both."""
        return Region(
            self.namespaces & other.namespaces, self.pods & other.pods, self.but + other.but
        )

    def minus(self, other: "Region") -> Iterator["Region"]:
        """Iterate over regions that together hold the pods of this one that `other` lacks."""
        for namespaces in self.namespaces.minus(other.namespaces):
            yield replace(self, namespaces=namespaces)
        yield replace(self, but=(*self.but, other.pods))
        for labels in other.but:
            yield replace(self, pods=self.pods & labels)

    def matches(self, home: Labels, labels: Labels) -> bool:
        """Return whether a pod is in it.

        Args:
            home: Labels of the pod's namespace.
            labels: Labels of the pod, as `asked_of` puts them together.
        """
        return (
            self.namespaces.matches(home)
            and self.pods.matches(labels)
            and not any(each.matches(labels) for each in self.but)
        )

    @property
    def names(self) -> ValueSet:
        """The names its namespaces may have."""
        return self.namespaces[NAMESPACE_NAME_LABEL]

    def example(self) -> dict[str, str]:
        """Return labels that a pod of it has.

        Raises:
            ValueError: There can be no such pod.
        """
        found = _some(self.pods, [Region(pods=each) for each in self.but])
        if found is None:
            msg = "no pod can be in this region"
            raise ValueError(msg)
        return found.example()

    def selectors(self) -> Iterator[tuple[LabelSelector, LabelSelector]]:
        """Iterate over pairs of selectors, of namespaces and of pods, for all of `pods`.

        Together they match exactly the region and what `excepted` matches of it.
        """
        for namespaces in self.namespaces.selectors():
            for pods in self.pods.selectors():
                yield namespaces, pods

    def excepted(self) -> tuple[LabelSelector, ...]:
        """Return the selectors of pods that are left out, sorted."""
        return tuple(sorted((s for each in self.but for s in each.selectors()), key=str))


def asked_of(labels: Labels, account: Labels, node: str) -> dict[str, str]:
    """Return all that regions ask of a pod, but for its namespace.

    Args:
        labels: Labels of the pod.
        account: Labels of its service account.
        node: The name of its node.
    """
    return {**labels, **{f"{ACCOUNT}{key}": value for key, value in account.items()}, NODE: node}


EVERY_POD = Region()
"""Any pod in any namespace."""


def named(*names: str) -> LabelSet:
    """Return the labels of namespaces by name."""
    return LabelSet(((NAMESPACE_NAME_LABEL, ValueSet(frozenset(names))),))


def not_named(names: Iterable[str]) -> LabelSet:
    """Return the labels of namespaces that have none of these names."""
    return ALL_LABELS.where(NAMESPACE_NAME_LABEL, ValueSet(frozenset(names), complement=True))


_Box = dict[str, ValueSet]


def _some(box: LabelSet, taken: Sequence[Region]) -> LabelSet | None:
    """Return labels of `box` of pods in none of some regions, whatever their namespaces.

    Returns:
        None when there are none; `box`, or part of it, when it takes too long to see.
    """
    if not box:
        return None
    held = dict(box.keys)
    # Once outside one of the regions a box stays there, so each box looks at later ones only.
    stack = [(iter((held,)), 0)]
    for _ in range(_STEPS):
        if not stack:
            return None
        boxes, start = stack[-1]
        found = next(boxes, None)
        if found is None:
            stack.pop()
            continue
        held = found
        struck = next((i for i in range(start, len(taken)) if _inside(held, taken[i])), None)
        if struck is None:
            break
        stack.append((_outside(held, taken[struck]), struck + 1))
    return LabelSet(tuple(sorted(held.items())))


def _inside(held: _Box, region: Region) -> bool:
    """Return whether some pods of a box may be in a region."""
    return region.pods.meets(held) and not any(
        all(held.get(key, ANY_VALUE) <= values for key, values in each.keys) for each in region.but
    )


def _outside(held: _Box, region: Region) -> Iterator[_Box]:
    """Iterate over boxes that together hold what is left of one outside a region."""
    for key, values in region.pods.keys:
        left = held.get(key, ANY_VALUE) & ~values
        if left:
            yield {**held, key: left}
    for each in region.but:
        if each.meets(held):
            yield held | {key: held.get(key, ANY_VALUE) & values for key, values in each.keys}


def _widest(boxes: Iterable[LabelSet]) -> Iterator[LabelSet]:
    """Iterate over boxes, none empty or everything, that no other one holds; each once."""
    by_key: dict[str, list[LabelSet]] = defaultdict(list)
    every = dict.fromkeys(boxes)
    for each in every:
        by_key[each.keys[0][0]].append(each)
    for each in every:
        # A box speaks of every key that one around it speaks of.
        around = (other for key, _ in each.keys for other in by_key.get(key, ()))
        if not any(each <= other and each != other for other in around):
            yield each


def _plain(pods: LabelSet, but: Iterable[LabelSet]) -> tuple[LabelSet, tuple[LabelSet, ...]] | None:
    """Return a box less others in the one form it has; None when nothing is left.

    What is left out for one key's sake is said with that key.
    """
    if not pods:
        return None
    left = list(but)
    held = dict(pods.keys)
    while True:
        rest: list[LabelSet] = []
        before = pods
        for each in left:
            if not each.meets(held):
                continue
            keys = [(k, v) for k, v in each.keys if not held.get(k, ANY_VALUE) <= v]
            if not keys:
                return None
            if len(keys) == 1:
                key, values = keys[0]
                pods = pods.where(key, pods[key] & ~values)
                held = dict(pods.keys)
            else:
                rest.append(LabelSet(tuple(keys)))
        if pods == before:
            break
        left = rest
    kept = tuple(sorted(_widest(rest), key=lambda e: [str(s) for s in e.selectors()]))
    return (pods, kept) if _some(pods, [Region(pods=each) for each in kept]) is not None else None


@dataclass(frozen=True, slots=True)
class Homes:
    """What is known of namespaces.

    Args:
        labels: Labels of those in the input, by name.
    """

    labels: Mapping[str, Labels]

    def settle(self, region: Region) -> Region | None:
        """Return a region without what nobody can be in, in the one form it has.

        Returns:
            None where no pod could ever be in it. A region of namespaces of the input only is
            told by their names.
        """
        namespaces = self._namespaces(region.namespaces)
        plain = _plain(region.pods, region.but) if namespaces is not None else None
        if namespaces is None or plain is None:
            return None
        return Region(namespaces, *plain)

    def told(self, match: PodsMatch) -> Iterator[tuple[Region, bool]]:
        """Iterate over settled regions that hold the pods a policy's words match.

        Each comes with whether all its pods are matched. Of selectors that look into values only
        as much can be said as labels of the input answer, or values that are listed.
        """
        region = Region.of(match)
        sure = LabelSet.says(match.pods) and LabelSet.says(match.accounts)
        spaces = match.namespaces
        if match.namespace is not None or LabelSet.says(spaces):
            parts = [(region.namespaces, sure)]
        else:
            here = [name for name, labels in self.labels.items() if spaces.matches(labels)]
            new = region.namespaces & not_named(self.labels)
            parts = [(named(*here), sure), (new, False)]
        for namespaces, certain in parts:
            settled = self.settle(replace(region, namespaces=namespaces))
            if settled is not None:
                yield settled, certain

    def _namespaces(self, labels: LabelSet) -> LabelSet | None:
        rest = labels.where(NAMESPACE_NAME_LABEL, ValueSet(complement=True))
        names = labels[NAMESPACE_NAME_LABEL]
        said = names.values - {None}
        able = {n for n in said if n is not None and self._able(n, rest)}
        if names.complement:
            # It has a name, and there are always more names.
            if not rest:
                return None
            return rest.where(NAMESPACE_NAME_LABEL, ValueSet(frozenset(able), complement=True))
        if not able:
            return None
        if able <= self.labels.keys():
            rest = ALL_LABELS
        return rest.where(NAMESPACE_NAME_LABEL, ValueSet(frozenset(able)))

    def _able(self, name: str, rest: LabelSet) -> bool:
        """Whether a namespace of that name can have labels in `rest`."""
        return rest.matches(self.labels[name]) if name in self.labels else bool(rest)

    def covers(self, wide: Region, narrow: Region) -> bool:
        """Return whether every pod that may be in `narrow` is in `wide`. Both are settled.

        Where either leaves pods out, False may also mean that it is not plain to see.
        """
        if not narrow.pods <= wide.pods:
            return False
        for each in wide.but:
            inside = narrow.pods & each
            if inside and not any(inside <= out for out in narrow.but):
                return False
        names, wanted = narrow.names, wide.names
        if names.complement and not wanted.complement:
            return False
        able = names.values if not names.complement else wanted.values
        inside_names = {n for n in able if n is not None and self._holds(narrow, n)}
        new = [n for n in inside_names if n not in self.labels]
        if any(not wide.namespaces.matches(self.labels[n]) for n in inside_names - set(new)):
            return False
        if any(n not in wanted for n in new):
            return False
        rest = wide.namespaces.where(NAMESPACE_NAME_LABEL, ValueSet(complement=True))
        return narrow.namespaces <= rest if names.complement or new else True

    def _holds(self, region: Region, name: str) -> bool:
        labels = self.labels.get(name)
        if labels is not None:
            return region.namespaces.matches(labels)
        return name in region.names

    @staticmethod
    def covered(region: Region, others: Iterable[Region]) -> bool:
        """Return whether some regions of the same namespaces together hold all of one.

        False may also mean that it takes too long to see.
        """
        taken = [*(Region(pods=each) for each in region.but), *others]
        return _some(region.pods, taken) is None

    def widest(self, regions: Iterable[Region | None]) -> list[Region]:
        """Return the settled regions that no other one holds; of equal ones the first."""
        found: list[Region] = []
        for each in regions:
            if each is not None and not any(self.covers(other, each) for other in found):
                found = [other for other in found if not self.covers(each, other)]
                found.append(each)
        return found

    def minus(self, regions: Iterable[Region], other: Region) -> list[Region]:
        """Return what is in any of some regions, and not in another."""
        return self.widest(self.settle(part) for each in regions for part in each.minus(other))
