"""Every field of Calico's kinds and what we make of it.

Paths without a kind are those of the policies: NetworkPolicy, GlobalNetworkPolicy and their staged
twins. A field may be called modelled only while a conformance case names its path. List items are
`[]`; label keys are `*`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from cloison.ir.fidelity import Fidelity, FieldFact


def _modelled(note: str) -> FieldFact:
    return FieldFact(Fidelity.MODELLED, note)


def _harmless(note: str) -> FieldFact:
    return FieldFact(Fidelity.HARMLESS, note)


def _wider(note: str) -> FieldFact:
    return FieldFact(Fidelity.WIDER, note)


def _entity() -> dict[str, FieldFact]:
    path = "spec.ingress[].source"
    return {
        path: _modelled(
            "Everything given must hold; empty is everybody, known or not. "
            "`destination` has the same fields."
        ),
        f"{path}.nets[]": _modelled("Any of these blocks; pods in them too."),
        f"{path}.notNets[]": _modelled(
            "None of these; a list of one family takes the rule out of the other."
        ),
        f"{path}.selector": _modelled(
            "Pods, network sets and host endpoints by label; in a policy of a namespace only "
            "there, unless `namespaceSelector` says otherwise."
        ),
        f"{path}.notSelector": _modelled(
            "Those it must not be. Alone in a GlobalNetworkPolicy it also admits what is unknown."
        ),
        f"{path}.namespaceSelector": _modelled(
            "Namespaces by label; `all()` any of them, `global()` none."
        ),
        f"{path}.ports[]": _modelled("Numbers, ranges `80:90`, and names as pods declare them."),
        f"{path}.notPorts[]": _modelled("None of these; the protocol must match all the same."),
        f"{path}.services": _modelled(
            "Endpoints of a Service; in egress with their ports. Without `namespace` it never "
            "matches, whatever the documentation says."
        ),
        f"{path}.serviceAccounts.names[]": _modelled("Any of these accounts."),
        f"{path}.serviceAccounts.selector": _modelled("Accounts by label; both must hold."),
        f"{path}.domains[]": FieldFact(
            Fidelity.REFUSED, "A field of the commercial editions; the object is not used."
        ),
    }


FIELDS: Mapping[str, FieldFact] = MappingProxyType(
    {
        "apiVersion": _harmless(
            "`projectcalico.org/v3`, or `crd.projectcalico.org/v1` as the store has it."
        ),
        "kind": _harmless("Says which table this is."),
        "metadata.name": _modelled(
            "Names the object; a stored policy loses the `default.` before its name."
        ),
        "metadata.namespace": _modelled("The namespace of a policy, or of a network set."),
        "metadata.annotations.projectcalico.org/metadata": _modelled(
            "True name and labels of a stored object."
        ),
        "metadata.*": _harmless("Labels of policies and the rest mean nothing to enforcement."),
        "spec.tier": _modelled("`default` when absent; one that is not there is the last of all."),
        "spec.order": _modelled("Ascending; absent is last. Ties are told apart by name."),
        "spec.selector": _modelled("Whom it applies to; everybody in scope when absent."),
        "spec.namespaceSelector": _modelled("Namespaces of those, in global kinds."),
        "spec.serviceAccountSelector": _modelled("Service accounts of those."),
        "spec.types[]": _modelled(
            "The directions it governs; when absent those of its rules, in the store both."
        ),
        "spec.applyOnForward": _modelled("Traffic that a host forwards is meant too."),
        "spec.preDNAT": _modelled("Asked before destinations are rewritten; hosts only."),
        "spec.doNotTrack": _modelled("Asked before connections are tracked; hosts only."),
        "spec.performanceHints[]": _harmless("Says nothing about verdicts."),
        "spec.stagedAction": _modelled(
            "In staged kinds: `Set`, `Delete`; `Learn` and `Ignore` are `Set`."
        ),
        "spec.ingress[]": _modelled("Rules, in order; `spec.egress[]` has the same fields."),
        "spec.ingress[].action": _modelled("Allow, Deny, Pass (leaves the tier), Log (goes on)."),
        "spec.ingress[].ipVersion": _modelled("4 or 6; absent is both."),
        "spec.ingress[].protocol": _modelled("A name or a number; absent is any."),
        "spec.ingress[].notProtocol": _modelled("Every other protocol."),
        "spec.ingress[].icmp": _modelled("A type, perhaps with a code."),
        "spec.ingress[].notICMP": _modelled("Every other type, or pair of type and code."),
        **_entity(),
        "spec.ingress[].http": _wider(
            "The dataplane ignores it: the connection is allowed, with a caveat."
        ),
        "spec.ingress[].metadata.annotations": _harmless("No effect."),
        "StagedKubernetesNetworkPolicy spec": _modelled("That of a NetworkPolicy."),
        "Tier spec.order": _modelled("Ascending; absent is that of `default`."),
        "Tier spec.defaultAction": _modelled("Deny, or Pass to the next tier."),
        "NetworkSet spec.nets[]": _modelled("Blocks and addresses; of GlobalNetworkSet too."),
        "NetworkSet spec.allowedEgressDomains[]": FieldFact(
            Fidelity.NARROWER, "A field of the commercial editions; the set is without them."
        ),
        "HostEndpoint spec.node": _modelled("The node whose own traffic is governed."),
        "HostEndpoint spec.interfaceName": FieldFact(
            Fidelity.NARROWER,
            "`*` is all of them; of one device all traffic is taken to go through it, with a "
            "caveat.",
        ),
        "HostEndpoint spec.expectedIPs[]": _modelled("What rule selectors know it by."),
        "HostEndpoint spec.profiles[]": _modelled("Profiles that decide after the last tier."),
        "HostEndpoint spec.ports[]": _modelled("Its named ports."),
        "Profile spec.ingress[]": _modelled("Rules after the last tier; egress too."),
        "Profile spec.labelsToApply": _harmless(
            "Those of namespaces and accounts are made by Calico from these themselves."
        ),
        "IPPool spec": _harmless("Where pods get addresses does not say who may talk to whom."),
        "FelixConfiguration spec.defaultEndpointToHostAction": _modelled(
            "What becomes of a pod's traffic to its own node."
        ),
        "FelixConfiguration spec.failsafeInboundHostPorts[]": _modelled("Never closed on hosts."),
        "FelixConfiguration spec.failsafeOutboundHostPorts[]": _modelled("Always open to hosts."),
        "FelixConfiguration spec.policySyncPathPrefix": _modelled(
            "Without it nothing enforces `http`."
        ),
        "FelixConfiguration spec.*": _harmless("Not taken into account."),
        "status": _harmless("Written by controllers."),
    }
)
"""By path, in the order of the API reference."""
