"""What a lab is built of: the world of a session made whole, its policies as packet filters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from msgspec.structs import replace as with_changes

from cloison.algebra import AddressSet, parse_address
from cloison.analyses.matrix import Row
from cloison.app.answers import with_ends
from cloison.app.load import over
from cloison.app.session import Session
from cloison.dialects.nftables import NodeView, write
from cloison.engine.resolve import resolve
from cloison.ir.enforcement import Ruleset
from cloison.ir.names import host_name, is_host_name
from cloison.ir.profile import Profile
from cloison.platform.resolvers import ResolverKind
from cloison.probe.lab.backends import DOMAIN
from cloison.probe.lab.client import have_room
from cloison.probe.lab.plan import Plan
from cloison.probe.lab.realise import Realised, realise
from cloison.probe.lab.ruled import node_proxy
from cloison.probe.lab.stations import blocks_outside, outside_addresses, twins

_NAME = "dns:"
BLOCKS = 128
"""So many parts of what lies outside, of those that policies tell apart, get a host each."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What to build, and what to expect of it.

    Args:
        session: The session as built: every pod has addresses and a node. Predictions are its
            answers.
        plan: What to build.
        ruleset: What its packet filters are told.
        left_out: How many pods are like one that is built, and are not built.
    """

    session: Session
    plan: Plan
    ruleset: Ruleset
    left_out: int = 0


def blueprint(
    session: Session,
    rows: Iterable[Row] = (),
    like: Plan | None = None,
    *,
    staged: bool = False,
) -> Blueprint:
    """Return what a lab of a session is to be built of.

    Args:
        session: What was read.
        rows: What will be asked: each address outside that they name has a host.
        like: The plan of a lab that runs: what has a name there gets its addresses again.
        staged: Whether staged policies are taken to be enforced.

    Raises:
        QuestionError: There are not enough addresses, or it is too large for a lab.
    """
    rows = tuple(rows)
    session = with_names(session, rows)
    found = layout(session, rows, like)
    built = over(session, found.world)
    built = built.staged() if staged else built
    ruleset = resolve(built.engine)
    plan = enforced(found.plan, ruleset, built.profile)
    return Blueprint(built, plan, ruleset, found.left_out)


def layout(session: Session, rows: Iterable[Row] = (), like: Plan | None = None) -> Realised:
    """Return what a lab of a session is to be built of, without packet filters: those take longest.

    Args:
        session: What was read.
        rows: What will be asked: each address outside that they name has a host, and each end that
            the enforcer has besides pods a namespace, as a pod has.
        like: The plan of a lab that runs: what has a name there gets its addresses again.

    Raises:
        QuestionError: There are not enough addresses, or it is too large for a lab.
    """
    rows = tuple(rows)
    ends = (end for row in rows for end in (row.source, row.destination))
    engine = with_ends(session, *ends).engine
    outside: tuple[str, ...] = (*outside_addresses(engine, rows), *blocks_outside(engine, BLOCKS))
    outside = (*(like.outside if like is not None else ()), *outside)
    made = realise(engine, outside, like, twins(engine, rows), caches(session))
    have_room(made.plan)
    return made


def with_names(session: Session, rows: Iterable[Row]) -> Session:
    """Return a session in which names that may be called have addresses, outside.

    Args:
        session: What was read.
        rows: What will be asked.
    """
    networks = session.engine.networks
    said = {text.removeprefix(_NAME) for row in rows if (text := row.destination).startswith(_NAME)}
    aliases = {s.external_name for s in session.world.services.values() if s.external_name}
    said |= {text for text in aliases if not host_name(text).endswith(DOMAIN)}
    names = sorted({host_name(text) for text in said if "*" not in text})
    wanted = [each for each in names if each not in networks.names and is_host_name(each)]
    if not wanted or networks.complete:
        return session
    asked = {text for row in rows for text in (row.source, row.destination)}
    free = (f"198.51.100.{number}" for number in range(200, 255))
    given = {
        name: (address,)
        for name, address in zip(wanted, (a for a in free if a not in asked), strict=False)
    }
    settings = replace(session.settings, names={**session.settings.names, **given})
    return replace(session, settings=settings)


def caches(session: Session) -> tuple[str, ...]:
    """Return the addresses at which caches on the nodes answer for names, as far as is known.

    Args:
        session: What was read.
    """
    if not session.settings.runtime:
        return ()
    shapes = {id(e.shape): e.shape for w in session.world.workloads.values() for e in w.endpoints}
    found = (session.site.resolvers(shape).every for shape in shapes.values())
    every = (each for group in found for each in group)
    own = (each for each in every if each.kind is ResolverKind.NODE_CACHE and not each.assumed)
    return tuple(dict.fromkeys(address for each in own for address in each.addresses))


def enforced(plan: Plan, ruleset: Ruleset, profile: Profile) -> Plan:
    """Return a plan with the packet filters and proxies that enforce a ruleset.

    Args:
        plan: Who is where.
        ruleset: What is enforced.
        profile: Who enforces.
    """
    normalises = profile.normalises is not None or profile.http_segments is True
    told = {
        name: proxy
        for name, view in _views(plan)
        if (proxy := node_proxy(ruleset, view, normalises=normalises)) is not None
    }
    return with_changes(plan, rulesets=rulesets(ruleset, plan), proxies=told)


def rulesets(ruleset: Ruleset, plan: Plan) -> dict[str, str]:
    """Return the packet filter of each node of a plan.

    Args:
        ruleset: What is enforced.
        plan: Who is where.
    """
    return {name: write(ruleset, view) for name, view in _views(plan)}


def _views(plan: Plan) -> Iterator[tuple[str, NodeView]]:
    """Yield what each node's filter sees of the world."""
    own = {node.name: _points(node.addresses) for node in plan.nodes}
    everyone = AddressSet(span for each in own.values() for span in each.spans)
    pods: dict[str, list[str]] = {}
    for pod in plan.pods:
        pods.setdefault(pod.node, []).extend(pod.addresses)
    for node in plan.nodes:
        mine = own[node.name]
        here = _points(pods.get(node.node, ()))
        yield node.name, NodeView(node.node, here, mine, everyone - mine)


def _points(texts: Iterable[str]) -> AddressSet:
    return AddressSet.points(tuple(map(parse_address, texts)))
