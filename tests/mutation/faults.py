"""The faults that are planted, by the part of the answer they spoil."""

from tests.mutation.cilium import CILIUM
from tests.mutation.filters import FILTERS
from tests.mutation.plant import Fault

ALGEBRA = (
    Fault(
        "interval ends are exclusive",
        "algebra/intervals.py",
        "        if low <= high:\n            out.append((low, high))",
        "        if low < high:\n            out.append((low, high))",
    ),
    Fault(
        "subtraction forgets what follows a hole",
        "algebra/intervals.py",
        "start = max(start, b[k][1] + 1)",
        "start = high + 1",
    ),
    Fault(
        "a port range ends before its last port",
        "algebra/traffic.py",
        "base + (low if high is None else high))",
        "base + (low if high is None else high - 1))",
    ),
    Fault(
        "namespaces without the key fail NotIn",
        "algebra/selectors.py",
        "return value is None or value not in self.values",
        "return value is not None and value not in self.values",
    ),
)

RESOURCES = (
    Fault(
        "finished pods still take part",
        "resources/workloads.py",
        "live = [pod for pod in pods if not pod.finished]",
        "live = list(pods)",
    ),
    Fault(
        "node names in manifests are not read",
        "resources/build.py",
        "spec.nodeName or None,",
        "None,",
    ),
    Fault(
        "host network is overlooked",
        "resources/build.py",
        "host_network=bool(spec.hostNetwork)",
        "host_network=False",
    ),
    Fault(
        "ports of sidecars count as those of containers",
        "resources/build.py",
        "kind = ContainerKind.SIDECAR if always else ContainerKind.INIT",
        "kind = ContainerKind.REGULAR",
    ),
    Fault(
        "implied namespaces lack their name label",
        "resources/inventory.py",
        "Namespace(name, {NAMESPACE_NAME_LABEL: name})",
        "Namespace(name, {})",
    ),
)

DIALECT = (
    Fault(
        "an empty egress list adds egress isolation",
        "dialects/networkpolicy/model.py",
        "if self.egress:",
        "if self.egress is not None:",
    ),
    Fault(
        "an empty peer list admits nobody",
        "dialects/networkpolicy/compile.py",
        "    if rule.peers:\n",
        "    if rule.peers is not None:\n",
    ),
    Fault(
        "an empty port list admits nothing",
        "dialects/networkpolicy/compile.py",
        "    if not ports:\n        return L4_TRAFFIC",
        "    if ports is None:\n        return L4_TRAFFIC",
    ),
    Fault(
        "a pod selector alone looks into every namespace",
        "dialects/networkpolicy/compile.py",
        "return PodsMatch(namespace=namespace, pods=compile_selector(peer.pod_selector))",
        "return PodsMatch(pods=compile_selector(peer.pod_selector))",
    ),
    Fault(
        "a namespace selector makes the pod selector void",
        "dialects/networkpolicy/compile.py",
        "            pods=compile_selector(peer.pod_selector),\n        )\n"
        "    if peer.pod_selector is None",
        "        )\n    if peer.pod_selector is None",
    ),
    Fault(
        "holes are ignored",
        "dialects/networkpolicy/compile.py",
        "BlockMatch(addresses - holes,",
        "BlockMatch(addresses,",
    ),
    Fault(
        "blocks end one address early",
        "dialects/networkpolicy/cidr.py",
        "low + (1 << (width - self.length)) - 1)",
        "low + (1 << (width - self.length)) - 2)",
    ),
    Fault(
        "IPv6 blocks are read as IPv4",
        "dialects/networkpolicy/cidr.py",
        "low = self.base if self.is_v4 else V6_BASE + self.base",
        "low = self.base",
    ),
    Fault(
        "bits beyond the prefix move the block",
        "dialects/networkpolicy/cidr.py",
        "base = number >> (bits - prefix) << (bits - prefix)",
        "base = number",
    ),
    Fault(
        "endPort is ignored",
        "dialects/networkpolicy/compile.py",
        "last = entry.end_port if profile.end_port else None",
        "last = None",
    ),
    Fault(
        "rules of a direction without its type count",
        "dialects/networkpolicy/compile.py",
        "frozenset(DIRECTIONS[type_] for type_ in types)",
        "frozenset(DIRECTIONS[t] for t in model.PolicyType if t in types or policy.rules(t))",
    ),
    Fault(
        "policies apply to every namespace",
        "dialects/networkpolicy/compile.py",
        "PodsMatch(namespace=policy.namespace, pods=selector)",
        "PodsMatch(pods=selector)",
    ),
    Fault(
        "an entry without protocol means UDP",
        "dialects/networkpolicy/compile.py",
        'protocol = entry.protocol or "TCP"',
        'protocol = entry.protocol or "UDP"',
    ),
)

UNITS = (
    Fault(
        "atoms end one address early",
        "engine/vocabulary.py",
        "starts.update((low, high + 1))",
        "starts.update((low, high))",
    ),
    Fault(
        "pods of two namespaces share a unit",
        "engine/units.py",
        "key = (home, id(kind), account, id(place), alone)",
        "key = (id(kind), account, id(place), alone)",
    ),
    Fault(
        "pods that name ports differently share a unit",
        "engine/units.py",
        "setdefault((labels, self._node_name(shape.node), ports), _Kind(ports))",
        "setdefault((labels, self._node_name(shape.node)), _Kind(ports))",
    ),
    Fault(
        "label keys of peers are not told apart",
        "engine/vocabulary.py",
        "into.update(selector.keys)",
        "pass",
    ),
    Fault(
        "an empty label value is no label",
        "engine/units.py",
        "tuple(shape.labels.get(key) for key in",
        "tuple(shape.labels.get(key) or None for key in",
    ),
    Fault(
        "names of init containers count",
        "engine/units.py",
        "return port.container is ContainerKind.REGULAR or self.profile.init_container_ports",
        "return True",
    ),
)

BINDING = (
    Fault(
        "pods without the key fail NotIn",
        "engine/index.py",
        "return members - self._any(requirement)",
        "return members & self._having(requirement.key) - self._any(requirement)",
    ),
    Fault(
        "DoesNotExist is Exists",
        "engine/index.py",
        "return members - self._having(requirement.key)",
        "return members & self._having(requirement.key)",
    ),
    Fault(
        "only the last requirement of a selector counts",
        "engine/index.py",
        "found = self._narrow(found, requirement)",
        "found = self._narrow(self.everyone, requirement)",
    ),
    Fault(
        "a named port of another protocol matches",
        "engine/bind.py",
        "if port.name == name.name and name.protocol in (None, port.protocol):",
        "if port.name == name.name:",
    ),
    Fault(
        "only the last peer of a rule counts",
        "engine/matching.py",
        "must |= matched.must",
        "must = matched.must",
    ),
    Fault(
        "everybody is only every pod",
        "engine/matching.py",
        "return Matched(self.everybody, self.nobody, self.nobody)",
        "return Matched(self._pods.select(PodsMatch()), self.nobody, self.nobody)",
    ),
    Fault(
        "a whole family does not hold an unknown address",
        "engine/matching.py",
        "if whole and (family is None or family in whole):",
        "if False:",
    ),
    Fault(
        "a whole family holds unknown addresses of the other",
        "engine/matching.py",
        "if whole and (family is None or family in whole):",
        "if whole:",
    ),
    Fault(
        "blocks miss the unit at their first address",
        "engine/matching.py",
        "first = bisect_left(self._placed.starts, low)",
        "first = bisect_right(self._placed.starts, low)",
    ),
)

DECISION = (
    Fault(
        "isolation decides about ICMP",
        "engine/evaluate.py",
        "            self.allowed |= beyond\n",
        "",
    ),
    Fault(
        "a match that is only possible is taken for sure",
        "engine/spectrum.py",
        "sure = sure and not rule.rule.asks",
        "sure = not rule.rule.asks",
    ),
    Fault(
        "pass is forgotten",
        "engine/evaluate.py",
        "return going | self.passed",
        "return going",
    ),
    Fault(
        "the order of policies is their name",
        "engine/decide.py",
        "return tier, policy.band, policy.order, name.namespace",
        "return tier, policy.band, name.namespace",
    ),
    Fault(
        "equal orders are tried by name",
        "engine/evaluate.py",
        "left &= self._in_order(group, going)",
        "left = self._in_order(group, left)",
    ),
    Fault(
        "the default of a layer is to allow",
        "engine/evaluate.py",
        "        if self.layer.default is Action.ALLOW:\n            self.allowed |= going",
        "        if self.layer.default:\n            self.allowed |= going",
    ),
    Fault(
        "an own node that is only possible is taken for sure",
        "engine/evaluate.py",
        "return False if named & relations.maybe else None",
        "return True if named & relations.maybe else None",
    ),
    Fault(
        "opaque policies do nothing",
        "engine/evaluate.py",
        "if any(self.holds(tier) for tier in self.opaque):",
        "if False:",
    ),
    Fault(
        "overlapping rules do not split peers",
        "engine/partition.py",
        "kept.append((group - both, trail))",
        "pass",
        ("tests/property/test_ir_map.py",),
    ),
)

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
        "engine/engine.py",
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

FAULTS: tuple[Fault, ...] = (
    ALGEBRA
    + RESOURCES
    + DIALECT
    + UNITS
    + BINDING
    + DECISION
    + ENGINE
    + NAMES
    + CHANGE
    + EXPOSURE
    + FILTERS
    + CILIUM
)
