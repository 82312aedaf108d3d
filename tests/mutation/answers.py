"""Faults in the engine as it is changed, and in answers: names, changes, exposure."""

from tests.mutation.plant import Fault

_WHAT_IF = ("tests/property/test_what_if.py",)
_PLAIN = ("tests/unit/app/test_plain.py",)

ENGINE = (
    Fault(
        "a changed policy leaves alone what its namespace had",
        "engine/selection.py",
        "known[home, direction] = self._with(here, policy, direction, home, put)",
        "known[home, direction] = here",
        _WHAT_IF,
    ),
    Fault(
        "an engine made anew is made of the old policies",
        "engine/engine.py",
        "return Engine(self.world, policies, self.profile, self.networks)",
        "return Engine(self.world, self.policies, self.profile, self.networks)",
        _WHAT_IF,
    ),
    Fault(
        "a policy may tell apart what no unit does",
        "engine/vocabulary.py",
        "other.names <= self.names",
        "True",
        _WHAT_IF,
    ),
    Fault(
        "policies of one specification live in one namespace",
        "dialects/networkpolicy/compile.py",
        "own = PodsMatch(namespace=home, pods=subject.pods)",
        "own = subject",
        _PLAIN,
    ),
    Fault(
        "staged policies are enforced",
        "engine/engine.py",
        "return self.profile.enforces and policy.mode is Mode.ENFORCED",
        "return self.profile.enforces",
    ),
    Fault(
        "a policy without rules does nothing",
        "engine/changes.py",
        "return direction in policy.isolates or bool(policy.rules_for(direction))",
        "return bool(policy.rules_for(direction))",
    ),
    Fault(
        "one end's permission is enough",
        "engine/engine.py",
        "return leaving.outcome.meet(entering.outcome)",
        "return entering.outcome",
    ),
    Fault(
        "units with the same policies share port names",
        "engine/engine.py",
        "found = alike.get((ports, optional))",
        "found = next(iter(alike.values()), None)",
    ),
    Fault(
        "a rule about some subjects is about all of them",
        "engine/bind.py",
        "if all(rule.subjects is None for rule in rules):",
        "if True:",
    ),
    Fault(
        "a policy that may select certainly does",
        "engine/bind.py",
        "if sure and hold.sure:",
        "if sure:",
    ),
    Fault(
        "excepted port names are not taken out",
        "engine/bind.py",
        "must - less, may - less)",
        "must, may)",
    ),
    Fault(
        "what may not be one of some certainly is none of them",
        "engine/matching.py",
        "            possible - ruled_out.may,\n",
        "            possible,\n",
    ),
    Fault(
        "a name nobody resolved stands for nothing",
        "engine/addressbook.py",
        "others = not all(map(self.knows, match.names))",
        "others = False",
    ),
    Fault(
        "policies of one direction never end the other",
        "engine/evaluate.py",
        "sure = self.closed.get(tier.name)",
        "sure = None",
    ),
    Fault(
        "nodes are never subjects",
        "engine/engine.py",
        "            if policy.nodes:\n                found |=",
        "            if False:\n                found |=",
    ),
)

_NAMES = ("tests/property/test_ir_names.py", "tests/unit/ir", "tests/unit/analyses/test_names.py")

NAMES = (
    Fault(
        "a star is several labels",
        "ir/names.py",
        "return len(labels) == len(wanted) and all(",
        "return len(labels) >= len(wanted) and all(",
        _NAMES,
    ),
    Fault(
        "a pattern that covers some names covers all",
        "engine/hosts.py",
        "frozenset(p for p in self.wild if p.holds(name))",
        "frozenset(p for p in self.wild if p.meets(name))",
        _NAMES,
    ),
    Fault(
        "a name that nobody resolved may have an address that is listed",
        "engine/hosts.py",
        "place = every & book.unresolved",
        "place = every",
        _NAMES,
    ),
    Fault(
        "a table is never complete",
        "engine/addressbook.py",
        "return self.complete or (pattern.exact and",
        "return (pattern.exact and",
        _NAMES,
    ),
)

_CHANGE = ("tests/property/test_diff.py",)

CHANGE = (
    Fault(
        "what is gone altogether is no change",
        "analyses/diff/comparison.py",
        "            if gone:\n                yield passed, NOTHING, gone",
        "            if False:\n                yield passed, NOTHING, gone",
        _CHANGE,
    ),
    Fault(
        "undetermined traffic is not compared",
        "analyses/diff/comparison.py",
        "traffic = (passage.allowed, passage.undetermined, requests)",
        "traffic = (passage.allowed, NO_TRAFFIC, requests)",
        ("tests/unit/analyses/test_diff.py",),
    ),
    Fault(
        "a source's own place is not given back",
        "analyses/diff/comparison.py",
        "return found if own in members else found - BitMap([source])",
        "return found",
        _CHANGE,
    ),
    Fault(
        "traffic among replicas is not compared",
        "analyses/diff/snapshots.py",
        "self_edges=True",
        "self_edges=False",
        _CHANGE,
    ),
    Fault(
        "what passes for certain now and might have before was not opened",
        "analyses/diff/shifts.py",
        "risen = (high.allowed - low.allowed) | (passes - passed)",
        "risen = passes - passed",
        ("tests/unit/analyses/test_diff.py",),
    ),
    Fault(
        "an object keeps its place beside its replacement",
        "app/overlay.py",
        "return not gone and found not in self.objects",
        "return not gone",
        ("tests/unit/app/test_overlay.py",),
    ),
    Fault(
        "the points that decide the same are named too",
        "analyses/diff/responsible.py",
        "if _answer(a, asked) != _answer(b, asked)",
        "if True",
        ("tests/unit/analyses/test_diff.py",),
    ),
)

_EXPOSURE = ("tests/unit/analyses/test_exposure.py", "tests/property/test_exposure.py")

EXPOSURE = (
    Fault(
        "a pod without the key does not match NotIn",
        "algebra/labelsets.py",
        "return cls(frozenset(requirement.values), complement=True)",
        "return cls(frozenset({*requirement.values, None}), complement=True)",
        _EXPOSURE,
    ),
    Fault(
        "a new namespace may have the name of one that is there",
        "analyses/exposure/regions.py",
        "return rest.matches(self.labels[name]) if name in self.labels else bool(rest)",
        "return bool(rest)",
        _EXPOSURE,
    ),
    Fault(
        "pods that are left out count as covered",
        "analyses/exposure/regions.py",
        "            if inside and not any(inside <= out for out in narrow.but):",
        "            if False:",
        _EXPOSURE,
    ),
    Fault(
        "pods that every region leaves out count as covered",
        "analyses/exposure/regions.py",
        "        if each.meets(held):\n            yield held",
        "        if False:\n            yield held",
        _EXPOSURE,
    ),
    Fault(
        "new pods of a namespace escape its policies",
        "analyses/exposure/subjects.py",
        "taken = (region for i in closing for region in self.regions[i])",
        "taken = (region for i in closing[:0] for region in self.regions[i])",
        _EXPOSURE,
    ),
    Fault(
        "only the workload's own policies count",
        "analyses/exposure/layers.py",
        "        outcome = one.outcome.meet(other.outcome)",
        "        outcome = one.outcome",
        _EXPOSURE,
    ),
    Fault(
        "a namespace whose policies let nothing through stays open",
        "analyses/exposure/meeting.py",
        "        special = view.shut & held",
        "        special = frozenset[str]()",
        _EXPOSURE,
    ),
    Fault(
        "a block that may hold a new pod certainly does",
        "engine/matching.py",
        "        return None if place.isdisjoint(addresses) else False",
        "        return None if place.isdisjoint(addresses) else True",
        _EXPOSURE,
    ),
    Fault(
        "what a narrower opening adds is not told",
        "analyses/exposure/openings.py",
        "            flows = _less(flows, other.flows)",
        "            flows = Flows()",
        _EXPOSURE,
    ),
)
