"""What FelixConfiguration says of a node, with Felix's defaults.

Source: projectcalico/calico felix/config/config_params.go and
api/pkg/apis/projectcalico/v3/felixconfig.go.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cloison.base import Diagnostic, Severity
from cloison.dialects.calico.model import FelixConfiguration, ProtoPort
from cloison.resources.world import World

_TCP = (179, 2379, 2380, 5473, 6443, 6666, 6667)
FAILSAFE_IN = (
    ProtoPort("TCP", 22),
    ProtoPort("UDP", 68),
    *(ProtoPort("TCP", port) for port in _TCP),
)
FAILSAFE_OUT = (
    ProtoPort("UDP", 53),
    ProtoPort("UDP", 67),
    *(ProtoPort("TCP", port) for port in _TCP),
)
ACCEPT = "Accept"
_DEFAULT = "default"
_OF_NODE = "node."


@dataclass(frozen=True)
class Felix:
    """The configurations of a cluster, and the nodes they are for.

    Args:
        numbered: The FelixConfigurations, each with which of the dialect's objects it is.
        world: Where nodes have their labels.
    """

    numbered: Sequence[tuple[int, FelixConfiguration]] = ()
    world: World = field(default_factory=World)

    @property
    def configurations(self) -> tuple[FelixConfiguration, ...]:
        """The FelixConfigurations."""
        return tuple(each for _, each in self.numbered)

    def of(self, node: str) -> tuple[FelixConfiguration, ...]:
        """Return the configurations that are for a node, the one that counts most first."""
        named = [c for c in self.configurations if c.name == _OF_NODE + node]
        known = self.world.nodes.get(node)
        labels = known.labels if known is not None else {}
        selecting = [
            c
            for c in self.configurations
            if c.node_selector is not None
            and c.name != _DEFAULT
            and not c.name.startswith(_OF_NODE)
            and c.node_selector.expression is not None
            and c.node_selector.expression.matches(labels)
        ]
        selecting.sort(key=lambda c: (c.created is None, c.created or "", c.name))
        last = [c for c in self.configurations if c.name == _DEFAULT]
        return (*named, *selecting, *last)

    def to_host(self, node: str) -> str:
        """Return what becomes of traffic of pods to their own node, as the API spells it."""
        return self.said_to_host(node) or ACCEPT

    def said_to_host(self, node: str) -> str | None:
        """Return what is said of traffic of pods to their own node; None when nothing is."""
        said = (c.default_endpoint_to_host_action for c in self.of(node))
        return next((each for each in said if each), None)

    def failsafe(self, node: str) -> tuple[tuple[ProtoPort, ...], tuple[ProtoPort, ...]]:
        """Return the ports that no policy closes, into a node and out of it."""
        mine = self.of(node)
        return (
            _first((c.failsafe_inbound for c in mine), FAILSAFE_IN),
            _first((c.failsafe_outbound for c in mine), FAILSAFE_OUT),
        )

    @property
    def default_to_host(self) -> str:
        """What becomes of traffic of pods to their own node where no node is told apart."""
        said = (
            c.default_endpoint_to_host_action for c in self.configurations if c.name == _DEFAULT
        )
        return next((each for each in said if each), ACCEPT)


def _first(
    said: Iterable[tuple[ProtoPort, ...] | None], default: tuple[ProtoPort, ...]
) -> tuple[ProtoPort, ...]:
    return next((each for each in said if each is not None), default)


_SAYS_SO = "Return", "Append"


def left_to_hosts(configurations: Iterable[FelixConfiguration]) -> Iterator[Diagnostic]:
    """Say where rules of the host's own come before or after policies."""
    for each in configurations:
        told = {
            "iptablesFilterAllowAction": each.filter_allow_action,
            "iptablesMangleAllowAction": each.mangle_allow_action,
            "chainInsertMode": each.chain_insert_mode,
            "nftablesFilterAllowAction": each.settings.get("nftablesFilterAllowAction"),
            "nftablesMangleAllowAction": each.settings.get("nftablesMangleAllowAction"),
        }
        for name, value in told.items():
            if value is not None and value.capitalize() in _SAYS_SO:
                yield Diagnostic(
                    "CAL103",
                    Severity.WARNING,
                    f"`{name}: {value}` gives the host's own firewall rules a say",
                    each.span,
                    str(each),
                    effect="answers are those of policy alone; such rules may decide otherwise",
                    help="look at the rules on the nodes, which are not in the input",
                    source="Calico documentation, Felix configuration",
                )
