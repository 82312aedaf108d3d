"""Policies made of flows, manifests and the contract, and proved before anybody sees them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloison.analyses.contract.compile.build import build
from cloison.analyses.contract.compile.model import Compiled, Result
from cloison.analyses.contract.compile.naming import Order
from cloison.analyses.contract.compile.subjects import is_pods
from cloison.analyses.diff import Kind
from cloison.analyses.ends import PodsEnd
from cloison.analyses.past.link import Link, LinkKey, links
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.recommend.fuse import fuse
from cloison.analyses.recommend.known import Known
from cloison.analyses.recommend.model import WITHHELD, Fused, Proof, Recommended
from cloison.analyses.recommend.opened import openings
from cloison.analyses.recommend.prove import SOURCE, Case, findings, prove
from cloison.analyses.recommend.ready import Readiness, Told, readiness
from cloison.analyses.recommend.tell import shown, telling
from cloison.analyses.reconcile.pairs import Placed, Unplaced, placed
from cloison.analyses.reconcile.seen import Finder, Seen
from cloison.app.compile import (
    TARGETS,
    Compilation,
    Telling,
    clinic_of,
    compile_agreed,
    enforced_by,
    mark,
    words_of,
)
from cloison.app.compilefiles import write
from cloison.app.contract import Agreed, agreed, ends, for_contract
from cloison.app.load import under as load_under
from cloison.app.past import past
from cloison.app.seennames import taught
from cloison.base import Diagnostic, QuestionError, Severity, sort_diagnostics, unhurried
from cloison.base.words import few
from cloison.intent import Contract
from cloison.intent.read import is_contract
from cloison.ir.profile import Profile
from cloison.resources.names import printable

if TYPE_CHECKING:
    from cloison.app.reconcile import Span
    from cloison.app.session import Session

WRITER: Final = "cloison recommend"
"""Who writes the files, as their first line says."""

SYSTEM: Final = ("kube-system", "kube-public", "kube-node-lease")
"""Namespaces for which nothing is written unless the contract speaks of them, or -n names them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Args:
        to: The language.
        today: The day it is.
        contracts: Files of contracts besides those among the sources.
        store: The store of flows; None where there are none.
        span: When flows count.
        namespaces: Only policies of these; of all where none is given.
        flows_only: Whether what only manifests say is left out.
    """

    to: str
    today: date
    contracts: tuple[str, ...] = ()
    store: Path | None = None
    span: "Span" = (None, None)
    namespaces: tuple[str, ...] = ()
    flows_only: bool = False


def language(profile: Profile) -> str:
    """Return the language of an enforcer's own; NetworkPolicy where it has none."""
    product = profile.name.partition("@")[0].partition("-")[0]
    return product if product in TARGETS else "networkpolicy"


def recommend(session: "Session", wish: Wish) -> "tuple[Recommended, Session, bool]":
    """Return policies for what is meant and was seen, and the session they are for.

    Also returns whether all of the contract could be read.

    Args:
        session: A session that was read with `runtime`.
        wish: What is asked for.

    Raises:
        SourceError: A contract or the store cannot be read.
        QuestionError: There is no such language or namespace, or nothing to go by.
    """
    words_of(wish.to)
    found = _agreed(session, wish.contracts)
    seen, watch = ((), UNWATCHED) if wish.store is None else past(wish.store, wish.span)
    with unhurried():
        return *put(session, found, seen, watch, wish), found.whole


def put(
    session: "Session", found: Agreed, seen: Sequence[Seen], watch: Watch, wish: Wish
) -> "tuple[Recommended, Session]":
    """Return policies for what is meant and was seen, of what was read already.

    Args:
        session: The session.
        found: Its contract, empty where there is none.
        seen: Observed edges.
        watch: When anybody watched.
        wish: What is asked for.

    Raises:
        QuestionError: There is no such language or namespace.
    """
    today_ = session
    session = enforced_by(session, wish.to)
    session = for_contract(session, found.contract)
    session, _ = taught(session, found.contract, seen)
    only = _governed(session, found.contract, wish.namespaces)
    here, strangers = _placed(session, seen)
    fused = fuse(_known(session, found, (links(here), tuple(strangers), watch), wish, only))
    made = replace(found, contract=fused.contract)
    prefix = session.settings.annotation_prefix
    told = Telling(
        printable(f"{mark(WRITER)} Flows: {shown(watch)}."),
        lambda compiled: telling(compiled, fused, prefix),
    )
    done = compile_agreed(session, made, wish.to, today=wish.today, namespaces=only, told=told)
    done = done if wish.namespaces else replace(done, only=frozenset())
    proof = _proof(today_, done, fused, seen)
    said = (*done.result.findings, *findings(proof))
    answer = Recommended(
        fused,
        done.result,
        proof,
        sort_diagnostics(said),
        None if wish.store is None else str(wish.store),
        wish.namespaces,
        _ready(session, fused, only, watch),
    )
    return answer, done.session


def written(
    found: Recommended, directory: Path, *, force: bool = False, proved: bool = True
) -> Recommended:
    """Write the files of what is recommended.

    Args:
        found: What is recommended.
        directory: Where the files go.
        force: Whether files are written over that others wrote.
        proved: Whether they do what they should; their first lines say so where they do not.

    Raises:
        SourceError: A file is in the way, or nothing can be written.
    """
    given = found.result if proved else doubted(found.result)
    result = write(given, directory, force=force, by=WRITER)
    more = [each for each in result.findings if each not in found.result.findings]
    return replace(found, result=result, findings=sort_diagnostics([*found.findings, *more]))


def doubted(result: Result) -> Result:
    """Return policies whose files say in their first line that they are not proved."""
    head = f"{mark(WRITER)} NOT PROVED: they do not do what they should; see the findings."
    files = (replace(e, text=e.text.replace(mark(WRITER), head, 1)) for e in result.files)
    return replace(result, files=tuple(files))


def withheld(found: Recommended, directory: Path, **_: bool) -> Recommended:
    """Return what is recommended with why nothing was written.

    Args:
        found: What is recommended, and not proved.
        directory: Where the files would go.
    """
    said = Diagnostic(
        WITHHELD,
        Severity.ERROR,
        printable(f"nothing was written to {directory}: the policies are not proved"),
        None,
        None,
        "files that are there stay as they were",
        "settle the other findings, or say --unproved: each file says then that it is not proved",
        SOURCE,
    )
    return replace(found, findings=sort_diagnostics([*found.findings, said]))


def _agreed(session: "Session", named: Sequence[str]) -> Agreed:
    """Return the contract of a session; an empty one where there is none."""
    if not named and not any(map(is_contract, session.own)):
        return Agreed(Contract())
    return agreed(session, named)


def _ready(
    session: "Session", fused: Fused, only: frozenset[str], watch: Watch
) -> tuple[Readiness, ...]:
    """Return how far the workloads may be restricted that policies are written for."""
    if not watch:
        return ()
    asked = {
        end.workload.id
        for link in fused.refused
        for end in (link.source, link.destination)
        if isinstance(end, PodsEnd)
    }
    told = Told(called=fused.called, asked=asked)
    every = readiness(tuple(fused.expected), watch, session.world, told=told)
    return tuple(each for each in every if each.workload.namespace in only)


def _governed(session: "Session", contract: Contract, wanted: Iterable[str]) -> frozenset[str]:
    """Return the namespaces that policies are written for.

    Raises:
        QuestionError: One that was asked for has no pods.
    """
    held = {w.id.namespace for w in session.world.workloads.values() if is_pods(w)}
    asked = frozenset(wanted)
    if asked - held:
        msg = f"there are no pods in {few(sorted(asked - held))}"
        raise QuestionError(msg, "name namespaces that the input has workloads of")
    spoken = {each.match.namespace for each in contract.workloads}
    return asked or frozenset(each for each in held if each not in SYSTEM or each in spoken)


def _placed(session: "Session", seen: Sequence[Seen]) -> tuple[list[Placed], list[Unplaced]]:
    return placed(seen, Finder(session.names, session.engine.world))


def _known(
    session: "Session",
    found: Agreed,
    seen: tuple[tuple[Link, ...], tuple[Unplaced, ...], Watch],
    wish: Wish,
    only: frozenset[str],
) -> Known:
    words, clinic = words_of(wish.to), clinic_of(session)

    def built(contract: Contract) -> Compiled:
        made = replace(found, contract=contract)
        prefix = session.settings.annotation_prefix
        return build(Order(contract, ends(session, made), clinic, words, prefix, wish.today, only))

    return Known(
        found.contract,
        ends(session, found),
        clinic,
        *seen,
        built,
        wish.today,
        words.names,
        words.icmp,
        only,
        bool(wish.namespaces),
        wish.flows_only,
    )


def _proof(before: "Session", done: Compilation, fused: Fused, seen: Sequence[Seen]) -> Proof:
    """Return what policies do with what was seen, and against what is in force today."""
    after = for_contract(done.read_back(), fused.contract)
    here, _ = _placed(after, seen)
    again: dict[LinkKey, Link] = {each.key: each for each in links(here)}
    proof = prove(Case(fused, done.compiled, done.session.engine, after.engine, again))
    moved = before.diff(_applied(before, done))
    opened, closed, changed = (moved.counts[k] for k in (Kind.OPENED, Kind.CLOSED, Kind.CHANGED))
    return replace(
        proof, opened=opened, closed=closed, changed=changed, openings=tuple(openings(moved))
    )


def _applied(before: "Session", done: Compilation) -> "Session":
    """Return the cluster with the policies in the place of those of the same namespaces."""
    mine, after = frozenset(done.compiled.namespaces), done.read_back()
    objects = {
        name: (dialect, tuple(e for e in some if getattr(e, "namespace", None) not in mine))
        for name, (dialect, some) in (before.objects or {}).items()
    }
    for name, (dialect, some) in (after.objects or {}).items():
        objects[name] = (dialect, (*objects.get(name, (dialect, ()))[1], *some))
    both = replace(before, objects=objects, read_diagnostics=after.read_diagnostics)
    return load_under(both, done.profile, before.settings.profile_chosen)
