"""What is said on a lab's socket: one JSON object a line, a request and its answer."""

from typing import TypeAlias

import msgspec

from cloison.probe.lab.plan import Measured, Plan, Probe
from cloison.probe.lab.rulings import NodeProxy

LONGEST = 1 << 28
"""Bytes of the longest line."""

PATIENCE = 1.0
"""Seconds before silence is doubted, unless a request says something else."""


class _Request(msgspec.Struct, frozen=True, tag_field="do"):
    """A request."""


class Status(_Request, frozen=True, tag="status"):
    """What the lab consists of."""


class Try(_Request, frozen=True, tag="probe"):
    """Try connections.

    Args:
        probes: Which.
        patience: The longest wait before silence is doubted, in seconds.
        attempts: How often to try what is not answered.
    """

    probes: tuple[Probe, ...]
    patience: float = PATIENCE
    attempts: int = 2


class Hold(_Request, frozen=True, tag="hold"):
    """Open connections and keep them.

    Args:
        probes: Which; TCP and UDP only.
        patience: The longest wait before silence is doubted, in seconds.
    """

    probes: tuple[Probe, ...]
    patience: float = PATIENCE


class Still(_Request, frozen=True, tag="still"):
    """Ask whether what is held still works.

    Args:
        held: Numbers from `hold`.
        patience: The longest wait before silence is doubted, in seconds.
    """

    held: tuple[int, ...]
    patience: float = PATIENCE


class Release(_Request, frozen=True, tag="release"):
    """Let go of connections.

    Args:
        held: Numbers from `hold`.
    """

    held: tuple[int, ...]


class Apply(_Request, frozen=True, tag="apply"):
    """Replace packet filters.

    Args:
        rulesets: An nftables script by node. Nodes that are not named keep theirs.
        proxies: What the proxies of these nodes are told; nothing where a node is not named.
    """

    rulesets: dict[str, str]
    proxies: dict[str, NodeProxy] = {}


class Counters(_Request, frozen=True, tag="counters"):
    """Read the packet filters' counters.

    Args:
        nodes: Which nodes; all when none is named.
    """

    nodes: tuple[str, ...] = ()


class Open(_Request, frozen=True, tag="listen"):
    """Listen on one more port.

    Args:
        station: Where.
        protocol: `TCP`, `UDP` or `SCTP`.
        port: Its number.
    """

    station: str
    protocol: str
    port: int


class Down(_Request, frozen=True, tag="down"):
    """End."""


Request: TypeAlias = Status | Try | Hold | Still | Release | Apply | Counters | Open | Down


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer.

    Args:
        ok: Whether it was done.
        error: What went wrong otherwise.
        help: What to do about that.
        plan: For `status`: what was built; its rulesets as they are now.
        namespaces: For `status`: what each station's namespace is called in the lab.
        listening: For `status`: how many ports are listened on.
        seconds: For `status`: how long building took.
        answering: For `status`: whether a DNS server runs.
        measured: For `probe`: what came of each, in order.
        held: For `hold`: a number for each, 0 for what did not come about.
        still: For `still`: whether each works.
        counters: For `counters`: packets by counter by node.
    """

    ok: bool
    error: str | None = None
    help: str | None = None
    plan: Plan | None = None
    namespaces: dict[str, str] = {}
    listening: int = 0
    seconds: float = 0.0
    answering: bool = False
    measured: tuple[Measured, ...] = ()
    held: tuple[int, ...] = ()
    still: tuple[bool, ...] = ()
    counters: dict[str, dict[str, int]] = {}


class Start(msgspec.Struct, frozen=True):
    """The first line that a lab's process reads.

    Args:
        plan: What to build.
        directory: The lab's directory.
    """

    plan: Plan
    directory: str


STAY = b"stay\n"
"""What is written to a lab's process that is to live on when its starter is gone."""
