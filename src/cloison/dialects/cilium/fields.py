"""Every field of Cilium's kinds and what we make of it.

Paths without a kind are those of both policy kinds; each of `specs[]` is like `spec`. List items
are `[]`; label keys are `*`. A field may be called modelled only while a conformance case names
its path.
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


_IN = "spec.ingress[]"
_OUT = "spec.egress[]"
_PORTS = f"{_IN}.toPorts[]"
_HTTP = f"{_PORTS}.rules.http[]"

FIELDS: Mapping[str, FieldFact] = MappingProxyType(
    {
        "apiVersion": _harmless("`cilium.io/v2`; CiliumCIDRGroup also in `v2alpha1`."),
        "kind": _harmless("Says which table this is."),
        "metadata.name": _modelled("Names the object."),
        "metadata.namespace": _modelled("The namespace of the subjects, and of peers by default."),
        "metadata.*": _harmless("Labels of policies and the rest mean nothing to enforcement."),
        "spec.endpointSelector": _modelled(
            "Whom it applies to. Keys: `k8s:app`, `reserved:host`, `any:app`, which is `app`."
        ),
        "spec.nodeSelector": _modelled("Nodes, in the kind of no namespace; host firewall only."),
        "spec.enableDefaultDeny.ingress": _modelled(
            "Whether what nothing allows is denied; true where there are rules. Egress alike."
        ),
        "spec.description": _harmless("For people."),
        "spec.labels[]": _harmless("Names of the rule for Cilium's own tools."),
        "spec.log.value": _harmless("Shown by Hubble."),
        _IN: _modelled(
            "Allow rules, any of these. `spec.egress[]` has the same fields with `to` for `from`."
        ),
        f"{_IN}.fromEndpoints[]": _modelled(
            "By label; in the policy's namespace and cluster unless the labels say otherwise. "
            "An empty list is nobody."
        ),
        f"{_IN}.fromEntities[]": _modelled(
            "`world`, `cluster`, `host`, ...; of those that are no pods, nodes or addresses "
            "(`health`, `ingress`, `init`, `unmanaged`) no traffic is asked about."
        ),
        f"{_IN}.fromCIDR[]": _modelled("What is outside the cluster; `/0` is a whole family."),
        f"{_IN}.fromCIDRSet[].cidr": _modelled("The same."),
        f"{_IN}.fromCIDRSet[].except[]": _modelled("Taken out of this block only; not a deny."),
        f"{_IN}.fromCIDRSet[].cidrGroupRef": _modelled("A group that is not there is nobody."),
        f"{_IN}.fromCIDRSet[].cidrGroupSelector": _modelled("Groups by label."),
        f"{_IN}.fromNodes[]": _modelled("Other nodes by label; only where the cluster enables it."),
        f"{_IN}.fromGroups[]": FieldFact(
            Fidelity.NARROWER, "Who a cloud's group is, only the cloud knows; undetermined."
        ),
        f"{_IN}.fromRequires[]": FieldFact(
            Fidelity.REFUSED,
            "Gone since 1.19; under 1.18 whom such a rule concerns is undetermined.",
        ),
        f"{_IN}.authentication.mode": _wider(
            "Whether the peer can prove who it is is not known; a caveat says so."
        ),
        f"{_IN}.icmps[].fields[].type": _modelled("A number or a name."),
        f"{_IN}.icmps[].fields[].family": _modelled("IPv4 unless it says IPv6."),
        f"{_PORTS}.ports[].port": _modelled(
            "Of the destination's pod; a name is looked up; `0` is every port."
        ),
        f"{_PORTS}.ports[].endPort": _modelled("Last of a range of numbers."),
        f"{_PORTS}.ports[].protocol": _modelled(
            "`ANY`, or absent, is TCP, UDP and SCTP; never ICMP."
        ),
        f"{_HTTP}.path": _modelled("The whole path and query, a regular expression."),
        f"{_HTTP}.method": _modelled("The whole method, a regular expression."),
        f"{_HTTP}.host": _modelled("The whole authority, a regular expression."),
        f"{_HTTP}.headers[]": _modelled("`Name: value`, or a name alone."),
        f"{_HTTP}.headerMatches[]": _modelled(
            "A value, or presence; with `mismatch` it is only reported. Values in Secrets are "
            "not read."
        ),
        f"{_OUT}.toPorts[].rules.dns[]": _modelled("Names that may be looked up."),
        f"{_PORTS}.rules.kafka[]": _wider("The port is allowed, with a caveat."),
        f"{_PORTS}.rules.l7proto": _wider("The port is allowed, with a caveat."),
        f"{_PORTS}.serverNames[]": _modelled("Names that TLS may be opened with."),
        f"{_PORTS}.terminatingTLS": _harmless("Lets the proxy read requests."),
        f"{_PORTS}.originatingTLS": _harmless("How the proxy goes on."),
        f"{_PORTS}.listener": _wider("What the listener lets through is not known; a caveat."),
        f"{_OUT}.toServices[]": _modelled(
            "The pods that a Service selects, or the addresses of its endpoints."
        ),
        f"{_OUT}.toFQDNs[].matchName": _modelled("Addresses that DNS answered for the name."),
        f"{_OUT}.toFQDNs[].matchPattern": _modelled(
            "`*` within a label; `**.` at the start for several labels, since 1.19."
        ),
        "spec.ingressDeny[]": _modelled(
            "Deny rules, which win; without requests, names and authentication. Egress alike."
        ),
        "CiliumCIDRGroup spec.externalCIDRs[]": _modelled("Its blocks."),
        "CiliumCIDRGroup metadata.labels.*": _modelled("What `cidrGroupSelector` finds it by."),
        "CiliumEndpoint status": _harmless("Read and checked; labels of pods are asked."),
        "CiliumIdentity security-labels": _harmless("Read and checked; labels of pods are asked."),
        "CiliumLocalRedirectPolicy spec": _harmless(
            "Read and checked. It redirects before policy is asked; ask about the pod behind it."
        ),
        "CiliumEgressGatewayPolicy spec": _harmless("Which way traffic leaves grants nothing."),
        "status": _harmless("Written by controllers."),
    }
)
"""By path, in the order of the API reference."""
