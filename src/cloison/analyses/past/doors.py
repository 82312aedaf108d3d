"""Where clients from outside come in all the time, whatever manifests say of it."""

from collections import defaultdict
from collections.abc import Sequence

from cloison.analyses.ends import PodsEnd
from cloison.analyses.past.link import Link
from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.seen import Outside
from cloison.platform.customs import NEVER_FRONT, named_front

Door = tuple[str, str, int]
"""Who is called, with which protocol and on which port."""


def door(link: Link) -> Door:
    """Return where an edge comes in."""
    return link.key.destination, link.key.protocol, link.key.port


def at_front(link: Link) -> bool:
    """Return whether an edge comes in where users do, by what is called and on which port."""
    end = link.destination
    front = isinstance(end, PodsEnd) and named_front(end.workload.id.name)
    return front and link.key.port not in NEVER_FRONT


def doors(links: Sequence[Link], watch: Watch) -> frozenset[Door]:
    """Return where clients from outside come in all the time.

    Each client may come once, so that it looks like a one-off. Scanners come one after the other,
    too: all together have to be there in half of the watched hours, at what is called as fronts
    are, and on no port of databases or of administrators. A database that the internet finds every
    hour is none.

    Args:
        links: All that was seen.
        watch: When anybody watched.
    """
    hours: dict[Door, set[int]] = defaultdict(set)
    for link in links:
        if isinstance(link.source, Outside) and at_front(link):
            hours[door(link)].update(link.allowed.hours)
    return frozenset(at for at, some in hours.items() if some and 2 * len(some) >= len(watch.hours))
