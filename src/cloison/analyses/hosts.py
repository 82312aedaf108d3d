"""Names outside the cluster, as ends of a map."""

from collections import defaultdict
from collections.abc import Iterable

from cloison.algebra import AddressSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef
from cloison.engine import Engine
from cloison.ir.names import NamePattern


def host_ref(name: NamePattern) -> EndRef:
    """Return a name as an end."""
    return EndRef("external-name", name=name.text)


def mentioned_by(*engines: Engine) -> tuple[NamePattern, ...]:
    """Return the names that rules of some engines mention, sorted."""
    return tuple(sorted({name for engine in engines for name in engine.mentioned}))


def hosts_of(engine: Engine, names: Iterable[NamePattern]) -> dict[EndRef, BitMap]:
    """Return the units outside that stand for names; a name of nobody outside is left out.

    Args:
        engine: Who decides, with units of these names.
        names: The names.
    """
    book = engine.binder.matcher.book
    found: dict[EndRef, BitMap] = defaultdict(BitMap)
    inside: AddressSet | None = None
    for name in names:
        addresses = book.of(name)
        if addresses:
            # What has an address of the cluster is not outside, whatever it is called.
            if inside is None:
                inside = AddressSet.points((*engine.holders, *engine.node_addresses))
            found[host_ref(name)] |= engine.table.external_range(addresses - inside)
        if not book.knows(name):
            found[host_ref(name)].update(engine.hosts.of(name) or ())
    return {ref: units for ref, units in found.items() if units}
