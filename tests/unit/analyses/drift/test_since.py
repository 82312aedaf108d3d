"""D8 and since when policies are what they are: by the state, and by when they were created."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cloison.analyses.drift.model import Memory, State
from cloison.analyses.past.course import HOUR
from cloison.analyses.reconcile.seen import Seen
from tests.support.drifting import (
    BASE,
    DAY,
    START,
    allow,
    contract,
    deny,
    flow,
    keys,
    look,
    past,
    pods,
    remembering,
    space,
    texts,
    workload,
)

CLUSTER = (*BASE, contract())
USED = flow("shop/web", "shop/api", range(30 * DAY))
KEY = "D8|shop/Deployment/web|data/StatefulSet/db|TCP|5432"


def _to_db(hours: Iterable[int]) -> Seen:
    return flow("shop/web", "data/StatefulSet/db", hours, 5432)


def _made(hour: int, *manifests: str) -> tuple[str, ...]:
    """Return manifests whose policies were created in an hour, as a server says it."""
    when = f"{datetime.fromtimestamp((START + hour) * 3600, UTC):%Y-%m-%dT%H:%M:%SZ}"
    said = f"creationTimestamp: '{when}', annotations"
    return tuple(
        each.replace("annotations", said, 1) if "Policy\n" in each else each for each in manifests
    )


def test_what_was_before_the_first_run_is_no_contradiction() -> None:
    """Policies may have been applied after the last flow: without a new one, nothing is known."""
    known = past(USED, _to_db(range(200, 336)))
    first, memory = remembering(CLUSTER, known, "D8")
    assert [each.state for each in first.suspects] == [State.SUSPECT]
    assert memory.since == START + 14 * DAY
    again, memory = remembering(CLUSTER, known, "D8", memory=memory)
    assert not (*again.findings, *again.suspects)
    assert [each.count for each in again.unjudged] == [1]
    assert memory.since == START + 14 * DAY
    more, _ = remembering(
        CLUSTER, past(USED, _to_db(range(200, 400)), days=20), "D8", memory=memory
    )
    assert keys(more.new) == [KEY]
    (found,) = more.findings
    assert found.first == START + 14 * DAY
    assert "64 connections got through" in texts(more.findings)


def test_flows_that_come_in_late_may_be_older_than_the_first_run() -> None:
    """The clock says when it was: what is recorded up to then is not held against policies."""
    known = past(USED, _to_db(range(200, 336)))
    now = (START + 14 * DAY + 9) * HOUR + HOUR // 2
    _, memory = remembering(CLUSTER, known, "D8", until=None, now=now)
    assert memory.since == START + 14 * DAY + 10
    late = past(USED, _to_db(range(200, 14 * DAY + 10)), days=16)
    assert not look(CLUSTER, late, "D8", memory=memory).findings
    later = past(USED, _to_db(range(200, 14 * DAY + 14)), days=16)
    assert keys(look(CLUSTER, later, "D8", memory=memory).findings) == [KEY]


def test_policies_that_change_begin_anew_by_the_clock() -> None:
    """What came in between the newest record and the run that saw the change may be older."""
    known = past(USED, _to_db(range(200, 336)))
    _, memory = remembering((*BASE, contract()), known, "D8")
    more = (*CLUSTER, allow("shop", "more", "api", "to", pods("web")))
    now = (START + 14 * DAY + 9) * HOUR
    _, memory = remembering(more, known, "D8", memory=memory, until=None, now=now)
    assert memory.since == START + 14 * DAY + 9


def test_a_state_that_does_not_say_since_when_is_of_the_last_run() -> None:
    """Earlier versions did not write it."""
    old = Memory(until=START + 300, ran=True)
    _, memory = remembering(CLUSTER, past(USED), "D8")
    old = replace(old, policies=memory.policies)
    known = past(USED, _to_db(range(200, 301)))
    assert not look(CLUSTER, known, "D8", memory=old).findings
    known = past(USED, _to_db(range(200, 336)))
    assert keys(look(CLUSTER, known, "D8", memory=old).findings) == [KEY]


def test_nobody_contradicts_a_policy_that_was_not_there() -> None:
    """When it was created is a lower bound, with a state or without."""
    known = past(USED, _to_db(range(200, 336)))
    found = look(_made(336, *CLUSTER), known, "D8")
    assert not (*found.findings, *found.suspects)
    assert [each.count for each in found.unjudged] == [1]
    old = Memory(until=START + 250, ran=True, policies="")
    _, memory = remembering(CLUSTER, past(USED), "D8")
    old = replace(old, policies=memory.policies)
    assert look(CLUSTER, known, "D8", memory=old).findings
    assert not look(_made(336, *CLUSTER), known, "D8", memory=old).findings


def test_a_policy_may_have_been_changed_since_it_was_created() -> None:
    """So it is a suspicion only, as long as nobody says since when it is what it is."""
    found = look(_made(0, *CLUSTER), past(USED, _to_db(range(200, 336))), "D8")
    assert [each.state for each in found.suspects] == [State.SUSPECT]
    assert not found.findings


def test_one_more_rule_denies_nothing() -> None:
    """Of policies that only allow, the first that isolates is what counts."""
    late = _made(330, allow("data", "late", "db", "from", pods("api", zone="app"), 5432))
    found = look((*_made(0, *CLUSTER), *late), past(USED, _to_db(range(200, 320))), "D8")
    assert [each.state for each in found.suspects] == [State.SUSPECT]


def test_policies_of_others_do_not_count() -> None:
    """What somebody made elsewhere neither denied it nor let it through."""
    other = _made(336, space("other"), workload("other", "one"), deny("other"))
    found = look((*_made(0, *CLUSTER), *other), past(USED, _to_db(range(200, 320))), "D8")
    assert [each.state for each in found.suspects] == [State.SUSPECT]


CALICO = (
    "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\n"
    "metadata: {name: stop, namespace: data, annotations: {}}\n"
    "spec: {types: [Ingress], ingress: [{action: Deny}]}\n"
)
CILIUM = (
    "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
    "metadata: {name: stop, namespace: data, annotations: {}}\n"
    "spec: {endpointSelector: {}, ingressDeny: [{fromEntities: [all]}]}\n"
)
ADMIN = (
    "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
    "metadata: {name: stop, annotations: {}}\n"
    "spec: {priority: 5, "
    "subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: data}}}, "
    "ingress: [{action: Deny, from: [{namespaces: {}}]}]}\n"
)


@pytest.mark.parametrize(
    ("manifest", "profile"), [(CALICO, "calico"), (CILIUM, "cilium"), (ADMIN, "generic")]
)
def test_when_other_policies_were_created(manifest: str, profile: str) -> None:
    """Rules that deny count from when the last of them was made, whatever language says it."""
    bare = (space("shop"), space("data"), *BASE[2:5])
    known, said = past(USED, _to_db(range(200, 336))), {"profile": profile}
    none = look((*bare, *_made(336, manifest)), known, "D8", said=said)
    assert not (*none.findings, *none.suspects)
    assert [each.count for each in none.unjudged] == [1]
    some = look((*bare, *_made(100, manifest)), known, "D8", said=said)
    assert [each.state for each in some.suspects] == [State.SUSPECT]
