"""Random host endpoints, the policies that reach them and the settings around them."""

import ipaddress
import random

from tests.oracle.raw import Manifest
from tests.support.calicopolicies import SET_LABELS, VERSION, CalicoMaker
from tests.support.chances import chance, pick
from tests.support.netpols import EXTERNAL, PORT_NAMES, PORT_NUMBERS

FAILSAFE_PORTS = (("TCP", 22), ("TCP", 6443), ("UDP", 53), ("UDP", 68))
PROFILES = ("projectcalico-default-allow", "kns.gone", "ksa.gone.x", "own", "own", "missing")
ROLE = "role"
NAMES = ("a-b-c", "a.b", "wide", "wide-b", "wide.b", "default.z", "y")
"""Of host policies; some tie otherwise than they are spelt, version by version."""


class HostMaker:
    """Makes what governs hosts.

    Args:
        maker: Makes what policies consist of.
        nodes: Addresses of nodes, by name.
        rng: Where choices come from; the same state gives the same objects.
    """

    def __init__(self, maker: CalicoMaker, nodes: dict[str, list[str]], rng: random.Random) -> None:
        self.maker = maker
        self.nodes = nodes
        self.rng = rng

    def objects(self) -> list[Manifest]:
        """Return host endpoints, and what else there is about hosts."""
        rng = self.rng
        found: list[Manifest] = []
        for number, node in enumerate(sorted(self.nodes), 1):
            if chance(rng, 0.8):
                found.append(self.endpoint(f"h{number}", node))
                if chance(rng, 0.08):
                    found.append(self.endpoint(f"h{number}-{rng.choice('ab')}", node))
        names = rng.sample(NAMES, rng.randint(0, len(NAMES)))
        found += [self.policy(name) for name in names]
        if chance(rng, 0.8):
            found.append(self.profile())
        for name in ("default", *(f"node.{n}" for n in sorted(self.nodes)), "some"):
            if chance(rng, 0.3):
                found.append(self.configuration(name))
        return found

    def endpoint(self, name: str, node: str) -> Manifest:
        """Return a host endpoint, of all interfaces of a node or of one."""
        rng = self.rng
        spec: Manifest = {"node": node}
        interface = pick(rng, [(5, "*"), (4, "eth0"), (1, None), (0.5, "eth1")])
        if interface is not None:
            spec["interfaceName"] = interface
        addresses = list(self.nodes[node])
        if interface is None or chance(rng, 0.7):
            if interface is not None and chance(rng, 0.15):
                addresses = addresses[:1]
            spec["expectedIPs"] = addresses or ["192.0.2.77"]
        if chance(rng, 0.8):
            spec["profiles"] = rng.sample(PROFILES, rng.randint(0, 2))
        if chance(rng, 0.4):
            names = rng.sample(sorted(PORT_NAMES), rng.randint(1, 2))
            spec["ports"] = [
                {"name": n, "protocol": PORT_NAMES[n][0], "port": rng.choice(PORT_NUMBERS)}
                for n in names
            ]
        labels = {k: rng.choice(v) for k, v in SET_LABELS.items() if chance(rng, 0.4)}
        return _manifest("HostEndpoint", name, spec) | {
            "metadata": {"name": name, "labels": {ROLE: "node", **labels}}
        }

    def policy(self, name: str) -> Manifest:
        """Return a policy of the cluster that is likely to be about hosts."""
        rng = self.rng
        while True:
            made = self.maker.policy()
            if made["kind"] == "GlobalNetworkPolicy":
                break
        spec = made["spec"]
        made["metadata"]["name"] = name
        if chance(rng, 0.7):
            spec["selector"] = rng.choice((f"{ROLE} == 'node'", f"has({ROLE})", "all()", ""))
            if chance(rng, 0.8):
                spec.pop("namespaceSelector", None)
                spec.pop("serviceAccountSelector", None)
        if chance(rng, 0.5):
            spec["order"] = 10
        if chance(rng, 0.5):
            for direction in ("ingress", "egress"):
                spec[direction] = [self._plain(direction) for _ in range(rng.randint(0, 2))]
        flavour = pick(rng, [(4, None), (5, "applyOnForward"), (3, "preDNAT"), (3, "doNotTrack")])
        if flavour is not None:
            spec["applyOnForward"] = True
            spec[flavour] = True
        if flavour in ("preDNAT", "doNotTrack") and "types" in spec:
            spec["types"] = ["Ingress", "Egress"]
        if flavour == "preDNAT":
            spec.pop("egress", None)
            spec["types"] = ["Ingress"]
        return made

    def _plain(self, direction: str) -> Manifest:
        """Return a rule that is about addresses, if anything."""
        rule: Manifest = {"action": self.rng.choice(("Allow", "Allow", "Deny", "Pass"))}
        if chance(self.rng, 0.7):
            address = self.rng.choice((*self.maker.world.addresses, *EXTERNAL))
            length = self.rng.choice((32, 64) if ":" in address else (8, 24))
            block = str(ipaddress.ip_network((address, length), strict=False))
            rule["source" if direction == "ingress" else "destination"] = {"nets": [block]}
        return rule

    def profile(self) -> Manifest:
        """Return a profile with rules."""
        spec: Manifest = {}
        for direction in ("ingress", "egress"):
            rules = [self._plain(direction) for _ in range(self.rng.randint(0, 2))]
            spec[direction] = [rule for rule in rules if rule["action"] != "Pass"]
        return _manifest("Profile", "own", spec)

    def configuration(self, name: str) -> Manifest:
        """Return a configuration, of some nodes or of all."""
        rng = self.rng
        spec: Manifest = {}
        if name == "some":
            spec["nodeSelector"] = f"kubernetes.io/hostname == '{rng.choice(sorted(self.nodes))}'"
        if chance(rng, 0.6):
            spec["defaultEndpointToHostAction"] = rng.choice(("Accept", "Return", "Drop"))
        for side in ("Inbound", "Outbound"):
            if chance(rng, 0.4):
                ports = [self._port() for _ in range(rng.randint(0, 2))]
                spec[f"failsafe{side}HostPorts"] = ports
        return _manifest("FelixConfiguration", name, spec)

    def _port(self) -> Manifest:
        protocol, port = self.rng.choice((*FAILSAFE_PORTS, ("TCP", self.rng.choice(PORT_NUMBERS))))
        found: Manifest = {"protocol": protocol, "port": port}
        if chance(self.rng, 0.4):
            address = self.rng.choice((*self.maker.world.addresses, *EXTERNAL))
            found["net"] = address + ("/128" if ":" in address else "/32")
        return found


def _manifest(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
