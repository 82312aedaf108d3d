"""Ends of observed edges as contracts write them, and entries that let them through."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cloison.analyses.draft.model import Outside as Abroad
from cloison.analyses.draft.model import Party
from cloison.analyses.ends import AddressEnd, End, NameEnd, NodeEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.forms import KINDS
from cloison.analyses.past.link import Link
from cloison.analyses.reconcile.seen import Outside, ref
from cloison.intent import ContractEnd, EndForm, Port
from cloison.intent.entries import slug
from cloison.resources.names import printable
from cloison.resources.world import WorkloadId, World

EVERY_NODE = ContractEnd(EndForm.NODE, "a node", "")
"""Whichever node; no file can say it, as it is none in particular."""

_WORDS = {kind: word for word, kind in reversed(KINDS.items())}
_LONGEST = 200
_FEW = 3


class Spelling:
    """Writes ends as contracts do: with the kind only where the name alone is not enough."""

    def __init__(self, world: World) -> None:
        """Count names."""
        self._count = Counter((each.namespace, each.name) for each in world.workloads)

    def workload(self, name: WorkloadId) -> str:
        """Return a workload as contracts write it."""
        kind = _WORDS.get(name.kind, name.kind)
        several = self._count[name.namespace, name.name] > 1
        return "/".join((name.namespace, *([kind] if several else []), name.name))

    def end(self, end: End | Party) -> ContractEnd:
        """Return an end inside the cluster, or a node, as the end of a dependency."""
        match end:
            case WorkloadId():
                text = self.workload(end)
                return ContractEnd(EndForm.NAME, text, text)
            case PodsEnd():
                return self.end(end.workload.id)
            case SomeNodeEnd():
                return EVERY_NODE
            case NodeEnd():
                return ContractEnd(EndForm.NODE, end.text, end.node.name)
            case Abroad():
                return ContractEnd(EndForm.EXTERNAL, f"external:{end.name}", end.name)
            case str():
                form, _, rest = end.partition(":")
                return ContractEnd(EndForm(form), end, rest)
            case _:
                return ContractEnd(EndForm.NAME, end.text, end.text)

    def abroad(self, end: Outside) -> str:
        """Return an end outside as a contract writes a single one."""
        if isinstance(end.name, NameEnd):
            return str(end.name.text)
        if isinstance(end.name, AddressEnd) and end.name.name is not None:
            return f"dns:{end.name.name}"
        address = end.address or end.name
        return "zone:world" if address is None else str(ref(address))

    def write(self, links: Sequence[Link]) -> str | None:
        """Return the entry of a contract that lets edges of one pair of ends through."""
        return self.entry(links, sorted({port_of(each) for each in links}, key=port_key))

    def entry(self, links: Sequence[Link], ports: Sequence[Port]) -> str | None:
        """Return the entry of a contract that lets some ports of one pair of ends through.

        Args:
            links: Edges between the ends; whoever calls from several addresses is the world.
            ports: The ports.
        """
        if not links:
            return None
        several = len({each.key.source for each in links}) > 1
        source, destination = (
            self.abroad(each) if isinstance(each, Outside) else self.end(each).text
            for each in (links[0].source, links[0].destination)
        )
        ends = ["zone:world" if several else source, destination]
        if EVERY_NODE.text in ends:
            return None
        said = ", ".join(each.text for each in ports)
        one, other = (f'"{each}"' if each.count(":") > 1 else each for each in ends)
        name = naming(*ends)
        entry = f"name: {name}, from: {one}, to: {other}, ports: [{said}], owner: WHO, reason: WHY"
        return printable(f"- {{{entry}}}")


def naming(source: str, destination: str, *more: str) -> str:
    """Return the name of a dependency between two ends."""
    return slug(_bare(source), _bare(destination), *more)[:_LONGEST].strip("-")


def _bare(text: str) -> str:
    form, colon, rest = text.partition(":")
    if colon and form in ("svc", "gw", "dns", "external", "any", "zone", "node"):
        return rest or ("nodes" if form == "node" else form)
    return text


def port_of(link: Link) -> Port:
    """Return the port of an edge as contracts write it."""
    number = None if link.key.port < 0 else link.key.port
    return Port(link.key.protocol, number, None if link.key.protocol.startswith("ICMP") else number)


def port_key(port: Port) -> tuple[str, int, int]:
    """Return what ports are sorted by."""
    return port.protocol, port.first or 0, port.last or 0


def ranges(ports: Iterable[Port], declared: Iterable[tuple[str, int, int]]) -> tuple[Port, ...]:
    """Return ports, those that are consecutive as a range if somebody declares every one of it.

    Args:
        ports: The ports.
        declared: Ports that containers and Services declare: protocol, first and last.

    >>> [p.text for p in ranges([Port("TCP", n, n) for n in (7, 8, 9, 11)], [("TCP", 1, 20)])]
    ['7-9', '11']
    >>> [p.text for p in ranges([Port("TCP", n, n) for n in (7, 8, 9)], [("TCP", 7, 8)])]
    ['7', '8', '9']
    """
    spans = tuple(declared)
    single = sorted(set(ports), key=port_key)
    found: list[Port] = []
    run: list[Port] = []
    for each in (*single, None):
        if each is not None and run and _follows(run[-1], each):
            run.append(each)
            continue
        if len(run) >= _FEW and all(_declared(one, spans) for one in run):
            found.append(Port(run[0].protocol, run[0].first, run[-1].first))
        else:
            found += run
        run = [] if each is None else [each]
    return tuple(found)


def _follows(one: Port, other: Port) -> bool:
    same = one.protocol == other.protocol and not one.icmp
    return same and one.first is not None and other.first == one.first + 1


def _declared(port: Port, spans: Sequence[tuple[str, int, int]]) -> bool:
    number = port.first or 0
    return any(p == port.protocol and first <= number <= last for p, first, last in spans)
