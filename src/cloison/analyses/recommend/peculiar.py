"""Addresses outside that are no peers as others are: metadata, nobody's, the cluster's own.

What no policy of a pod is about is set aside with the reason. Who asks for credentials of a
machine, or calls an address of pods that nobody held, is asked about: the one is to be somebody's
decision, and of the other nobody knows whom a rule by address would let in tomorrow.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from ipaddress import ip_network
from typing import Final

from cloison.algebra import NO_ADDRESSES, AddressSet, address_text
from cloison.analyses.ends import PodsEnd
from cloison.analyses.past.link import Link
from cloison.analyses.paths.site import Site
from cloison.analyses.recommend.covering import addresses
from cloison.analyses.recommend.outside import FLOORS
from cloison.engine import Engine
from cloison.platform.component import Role
from cloison.platform.components import known
from cloison.platform.metadata import POD_IDENTITY, Metadata, associated, needed

_NOBODY: Final = (
    (("127.0.0.0/8", "::1/128"), "loopback never leaves the pod, and no policy is about it"),
    (("0.0.0.0/8", "::/128"), "it is the address of nobody, which no packet is sent to"),
    (("255.255.255.255/32",), "broadcasts end at the pod's own link, and no policy is about them"),
    (
        ("224.0.0.0/4", "ff00::/8"),
        "whether policy is asked about multicast is up to the CNI: undetermined",
    ),
)
_THEN: Final = (
    "give `cloison flows ingest` the objects that there were then (-f, with --at), or an audit log"
)
LINK_LOCAL: Final = AddressSet.block("169.254.0.0/16") | AddressSet.block("fe80::/10")
"""Addresses of what is on the node itself, or on its link."""


@dataclass(frozen=True)
class Peculiar:
    """Tells addresses outside that are no peers as others are.

    Args:
        engine: Whose pods and ranges.
        site: What the cluster runs on.
    """

    engine: Engine
    site: Site

    def aside(self, link: Link) -> str | None:
        """Return why an edge is none that policies of pods are about; None where it may be."""
        held = addresses(link)
        if not held or not held <= _EVERY:
            return None
        return next((why for some, why in _APART if held <= some), None)

    def asked(self, link: Link) -> str | None:
        """Return why an edge is to be asked about, whatever became of it; None where it is not."""
        return self._metadata(link) or self.unheld(link)

    def unheld(self, link: Link) -> str | None:
        """Return why the end outside is somebody inside whom nobody knows; None where it is not."""
        held = addresses(link)
        if not held:
            return None
        networks = self.engine.networks
        if held <= networks.pods | networks.likely:
            return f"a pod's address that nobody held then: {_THEN}"
        if held <= networks.services:
            return f"a Service's address that no Service of the input has: {_THEN}"
        if held <= self._near:
            why = "an address among those of pods, that nobody held then"
            return f"{why}: {_THEN}, or say --pod-cidr if it is no pod's"
        return None

    def _metadata(self, link: Link) -> str | None:
        held = addresses(link)
        for each in _services() if held else ():
            if held & each.addresses and each.traffic & link.traffic:
                if self._needs(link, each.component.id):
                    return None
                whose = "its node" if each.exposes else "a pod"
                return (
                    f"it is {each.component.name}, which hands out the credentials of {whose} to "
                    "who gets into the caller"
                )
        return None

    def _needs(self, link: Link, service: str) -> bool:
        """Return whether a caller has no credentials without a metadata service."""
        if not isinstance(link.source, PodsEnd):
            return False
        world, platform = self.engine.world, self.site.platform
        for pod in link.source.workload.endpoints:
            wants = needed(world, platform, pod.namespace, pod.shape)
            if any(service in each.services for each in wants):
                return True
            if service == POD_IDENTITY and associated(world, pod.namespace, pod.shape) is not None:
                return True
        return False

    @cached_property
    def _near(self) -> AddressSet:
        """The blocks around pods' addresses, where nobody says the range that these are of.

        Plugins of clouds may take addresses of the machines' network, where others have them too.
        """
        networks = self.engine.networks
        if networks.pods or networks.likely or self.site.platform.provider is not None:
            return NO_ADDRESSES
        floors = {_floor(address_text(point)) for point in self.engine.holders}
        found = AddressSet(span for each in floors for span in AddressSet.block(each).spans)
        return found - AddressSet.points(tuple(self.engine.node_addresses))


def _floor(text: str) -> str:
    length = FLOORS[6 if ":" in text else 4]
    return str(ip_network(f"{text}/{length}", strict=False))


@cache
def _services() -> tuple[Metadata, ...]:
    """Return the metadata services of every cloud: who calls one thinks to be in it."""
    return tuple(Metadata(e, e.certain) for e in known() if e.role is Role.METADATA)


def _set(blocks: tuple[str, ...]) -> AddressSet:
    return AddressSet(span for each in blocks for span in AddressSet.block(each).spans)


_APART: Final = tuple((_set(blocks), why) for blocks, why in _NOBODY)
_EVERY: Final = AddressSet(span for some, _ in _APART for span in some.spans)
