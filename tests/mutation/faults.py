"""The faults that are planted, by the part of the answer they spoil."""

from tests.mutation.answers import CHANGE, ENGINE, EXPOSURE, NAMES
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
