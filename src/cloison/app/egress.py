"""Where the workloads of a session may go outside the cluster."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cloison.analyses.chosen import check_namespace
from cloison.analyses.connectivity import MapOptions
from cloison.analyses.egress import Egress, Outside, Seen, survey
from cloison.analyses.ends import PodsEnd
from cloison.app.answers import find_names
from cloison.app.cni import trait_of
from cloison.app.made import furnished
from cloison.base import QuestionError, unhurried
from cloison.base.words import listed
from cloison.ir.policy import PolicyId
from cloison.platform.ranges import ranges
from cloison.platform.readers import translating
from cloison.platform.traits import Stands, Topic
from cloison.resources.kinds import group_of
from cloison.resources.world import WorkloadId

if TYPE_CHECKING:
    from cloison.app.session import Session


def egress(
    session: "Session", workloads: Iterable[str] = (), namespace: str | None = None
) -> Egress:
    """Return where workloads may go outside the cluster; see `Session.egress`."""
    session, made = furnished(session)
    engine, settings = session.engine, session.settings
    check_namespace(engine, MapOptions(namespace=namespace))
    networks = settings.networks()
    chosen = set(_named(session, workloads, namespace))
    if namespace is not None and not chosen:
        chosen = {name for name in engine.world.workloads if name.namespace == namespace}
        if not chosen:
            msg = f"there is no workload in namespace {namespace!r}"
            raise QuestionError(msg, "say -A for every namespace")
    key = f"{settings.annotation_prefix}/owner"

    def owner_of(policy: PolicyId) -> str | None:
        if policy not in session.origins:
            return None
        written = getattr(session.origins[policy].object, "annotations", None)
        return written.get(key) if written else None

    with unhurried():
        return survey(
            Outside(
                engine,
                session.site,
                ranges(
                    session.world,
                    session.platform,
                    networks.pods,
                    networks.nodes,
                    networks.services,
                    networks.names,
                ),
                translation(session),
                owner_of,
                key,
                frozenset(chosen),
                (
                    *(
                        f"{kind} objects are not read: they may give another source address"
                        for kind in _unread(session)
                    ),
                    *(
                        f"{each.id}: an operator makes it of {each.item.shown}; its labels are "
                        "those that the operator is documented to give"
                        for each in made.values()
                    ),
                ),
            )
        )


def _named(session: "Session", names: Iterable[str], namespace: str | None) -> Iterable[WorkloadId]:
    finder = find_names(session, namespace)
    for name in names:
        end = finder.end(name)
        if not isinstance(end, PodsEnd):
            msg = f"{name} is no workload, and only workloads go anywhere here"
            raise QuestionError(msg, "name workloads or pods: NAMESPACE/NAME")
        yield end.workload.id


def _unread(session: "Session") -> tuple[str, ...]:
    named = (name.rpartition("/") for name in session.world.kinds)
    return translating((group_of(version), kind) for version, _, kind in named)


def translation(session: "Session") -> Seen:
    """Return what becomes of the source of what leaves the cluster by a pod's own node."""
    unread = _unread(session)
    if unread:
        return Seen(f"not known: {listed(unread)} objects are not read", known=False)
    pools = _pools(session)
    if pools is not None:
        return pools
    trait = trait_of(session, Topic.SOURCE_ADDRESS)
    if trait is None or trait.stands is Stands.UNKNOWN:
        return Seen("not known: nothing that was read says what translates it", known=False)
    span = trait.seen.span if trait.seen is not None else None
    assumed = "" if trait.seen is not None else " (no setting of it was read)"
    text = f"{trait.says}{assumed}"
    known = trait.seen is not None
    return Seen(text, known, span=span, source=trait.source, detail=trait.text)


def _pools(session: "Session") -> Seen | None:
    """Return what Calico's IP pools say of it; None where there are none, or they disagree.

    Source: projectcalico/calico api/pkg/apis/projectcalico/v3/ippool.go.
    """
    _, objects = (session.objects or {}).get("calico", (None, ()))
    pools = [each for each in objects if getattr(each, "kind", "") == "IPPool"]
    said = {bool(getattr(each, "nat_outgoing", False)) for each in pools}
    if len(said) != 1 or session.profile.name.partition("@")[0] != "calico":
        return None
    text = "its node's, outside every pool" if said == {True} else "its own"
    source = "projectcalico/calico api/pkg/apis/projectcalico/v3/ippool.go"
    return Seen(f"{text} (natOutgoing)", known=True, span=pools[0].span, source=source)
