"""Measured beside predicted: what counts as agreement, and what proves nothing."""

import tracemalloc
from dataclasses import replace

import pytest

from cloison.algebra import AddressSet
from cloison.analyses.matrix import Expect, Row
from cloison.analyses.measured import (
    Agreement,
    Arrival,
    Cell,
    MeasuredMatrix,
    MeasuredRow,
    RowStatus,
)
from cloison.app.lab import blueprint
from cloison.base import QuestionError
from cloison.engine.resolve import end_key
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.probe.lab import client
from cloison.probe.lab.measure import run
from cloison.probe.lab.pairs import pairs
from cloison.probe.lab.plan import Measured, Probe
from cloison.probe.lab.stations import blocks_outside, outside_addresses
from cloison.probe.lab.trace import trace
from tests.support.lab import (
    CLOSED_ROW,
    CLUSTER,
    DROPPED,
    OPEN,
    OPEN_ROW,
    Told,
    node,
    obedient,
    odd_matrix,
    plan,
    pod,
    policy,
    row,
    session,
    traced,
)


def measured(lab: Told, *rows: Row, outside: tuple[str, ...] = ()) -> MeasuredMatrix:
    return run(lab, CLUSTER.engine, plan(CLUSTER, outside), rows)


def only(matrix: MeasuredMatrix) -> Cell:
    (cell,) = matrix.cells
    return cell


def test_what_is_measured_as_predicted_and_expected_passes() -> None:
    matrix = measured(Told(obedient(CLUSTER)), OPEN_ROW, CLOSED_ROW)
    assert [r.status for r in matrix] == [RowStatus.PASSED, RowStatus.PASSED]
    assert [c.measured for c in matrix.cells] == [Verdict.ALLOWED, Verdict.DENIED]
    assert matrix.passed
    assert not matrix.controls, "the first row is the control of the second"


def test_a_closed_path_names_its_control() -> None:
    matrix = measured(Told(obedient(CLUSTER)), OPEN_ROW, CLOSED_ROW)
    control = list(matrix.cells)[1].control
    assert control is not None
    assert (str(control.flow), control.same) == ("web/front -> web/api on TCP/8080", "target")


def test_a_control_is_looked_for_where_no_row_gives_one() -> None:
    lab = Told(obedient(CLUSTER))
    matrix = measured(lab, CLOSED_ROW)
    cell = only(matrix)
    assert cell.agreement is Agreement.AGREES
    assert cell.control is not None
    assert cell.control.flow in matrix.controls
    assert cell.control.same == "target"
    assert len(lab.sent) == 1 + len(matrix.controls)


def test_without_a_control_a_closed_path_proves_nothing() -> None:
    matrix = measured(Told(lambda _: DROPPED), CLOSED_ROW, OPEN_ROW)
    assert [c.agreement for c in matrix.cells] == [Agreement.INCONCLUSIVE] * 2
    assert [r.status for r in matrix] == [RowStatus.INCONCLUSIVE] * 2
    assert not matrix.complete
    assert not matrix.passed


def test_a_control_of_another_source_and_target_is_none() -> None:
    def answer(probe: Probe) -> Measured:
        return OPEN if probe.target == "10.1.0.3" and probe.address != "10.1.0.1" else DROPPED

    rows = (CLOSED_ROW, row("node:n1", "web/other", Expect.ALLOW))
    matrix = measured(Told(answer), *rows)
    assert [c.agreement for c in matrix.cells] == [Agreement.INCONCLUSIVE, Agreement.AGREES]


def test_a_second_round_finds_a_control_when_the_first_did_not_arrive() -> None:
    def answer(probe: Probe) -> Measured:
        return OPEN if probe.target == "10.9.0.1" else DROPPED

    matrix = measured(Told(answer), CLOSED_ROW)
    cell = only(matrix)
    assert cell.agreement is Agreement.AGREES
    assert cell.control is not None
    assert cell.control.same == "source"


@pytest.mark.parametrize(
    ("asked", "outcome", "agreement", "status"),
    [
        (OPEN_ROW, "open", Agreement.AGREES, RowStatus.PASSED),
        (OPEN_ROW, "refused", Agreement.AGREES, RowStatus.PASSED),
        (OPEN_ROW, "dropped", Agreement.DIFFERS, RowStatus.FAILED),
        (OPEN_ROW, "no-route", Agreement.INCONCLUSIVE, RowStatus.INCONCLUSIVE),
        (OPEN_ROW, "failed", Agreement.INCONCLUSIVE, RowStatus.INCONCLUSIVE),
        (CLOSED_ROW, "open", Agreement.DIFFERS, RowStatus.FAILED),
        (CLOSED_ROW, "refused", Agreement.DIFFERS, RowStatus.FAILED),
        (CLOSED_ROW, "dropped", Agreement.AGREES, RowStatus.PASSED),
        (CLOSED_ROW, "no-route", Agreement.INCONCLUSIVE, RowStatus.INCONCLUSIVE),
    ],
)
def test_kinds_of_outcome_are_told_apart(
    asked: Row, outcome: str, agreement: Agreement, status: RowStatus
) -> None:
    def answer(probe: Probe) -> Measured:
        mine = probe.source == asked.source and probe.target == "10.1.0.2"
        return Measured(outcome, "said so") if mine else OPEN

    rows = (asked, replace(CLOSED_ROW, source="node:n2", expect=Expect.ALLOW))
    matrix = measured(Told(answer), *rows)
    first, _ = matrix
    assert first.cells[0].agreement is agreement
    assert first.cells[0].arrival is Arrival(outcome)
    assert first.status is status
    if agreement is Agreement.INCONCLUSIVE:
        assert "said so" in (first.cells[0].reason or "")


def test_a_row_can_fail_while_prediction_and_kernel_agree() -> None:
    wanted = replace(CLOSED_ROW, expect=Expect.ALLOW)
    matrix = measured(Told(obedient(CLUSTER)), wanted)
    assert only(matrix).agreement is Agreement.AGREES
    assert matrix.results[0].status is RowStatus.FAILED
    assert matrix.complete
    assert not matrix.passed


def test_a_difference_fails_the_run_though_the_row_is_as_expected() -> None:
    wanted = replace(CLOSED_ROW, expect=Expect.ALLOW)
    matrix = measured(Told(lambda _: OPEN), wanted)
    assert matrix.results[0].status is RowStatus.PASSED
    assert only(matrix).agreement is Agreement.DIFFERS
    assert matrix.complete
    assert not matrix.passed


def test_ends_that_no_filter_can_judge_are_not_measured() -> None:
    unclear = ((AddressSet.address("10.1.0.2"), "a rule asks for HTTP"),)
    lab = Told(lambda _: OPEN)
    matrix = run(lab, CLUSTER.engine, plan(CLUSTER), [OPEN_ROW], unclear=unclear)
    cell = only(matrix)
    assert cell.agreement is Agreement.NOT_MEASURABLE
    assert cell.reason == "web/api: a rule asks for HTTP"
    assert not lab.sent
    assert matrix.results[0].status is RowStatus.INCONCLUSIVE


def test_a_port_that_nothing_listens_on_gets_a_listener() -> None:
    lab = Told(obedient(CLUSTER))
    measured(lab, row("web/front", "web/api", Expect.DENY, "7000"), OPEN_ROW)
    assert ("web/api", "TCP", 7000) in lab.opened
    assert ("web/api", "TCP", 8080) not in lab.opened


def test_a_port_that_nothing_can_listen_on_fails_its_own_flows_only() -> None:
    lab = Told(obedient(CLUSTER), deaf={("web/api", "TCP", 7000): "the port is taken"})
    asked = row("web/front", "web/api", Expect.DENY, "7000")
    failed, passed = measured(lab, asked, OPEN_ROW)
    assert (failed.cells[0].arrival, failed.status) == (Arrival.FAILED, RowStatus.INCONCLUSIVE)
    assert "the port is taken" in (failed.cells[0].reason or "")
    assert passed.status is RowStatus.PASSED
    assert [probe.port for probe in lab.sent if probe.target == "10.1.0.2"] == [8080]
    found = trace(lab, CLUSTER.engine, plan(CLUSTER), asked)
    assert found.cell.arrival is Arrival.FAILED


def test_a_port_goes_by_name() -> None:
    lab = Told(obedient(CLUSTER))
    measured(lab, row("web/front", "web/api", Expect.ALLOW, "http"))
    assert [probe.port for probe in lab.sent] == [8080]


def test_without_a_port_listened_ports_and_boundaries_are_tried() -> None:
    lab = Told(obedient(CLUSTER))
    matrix = measured(lab, row("web/front", "web/api", None, None))
    ports = [cell.flow.port for cell in matrix.cells]
    assert {8079, 8080, 8081, 9090} <= set(ports)
    assert ports == sorted(ports)
    assert matrix.passed
    assert matrix.results[0].measured is Verdict.MIXED
    assert any("TCP/8079,8080,8081,9090" in note for note in matrix.results[0].notes)


def test_the_outside_has_an_address_for_each_part_that_rows_name() -> None:
    rows = [row("203.0.113.7", "web/api", Expect.DENY), row("10.0.0.0/8", "web/api", None)]
    found = outside_addresses(CLUSTER.engine, rows)
    assert "203.0.113.7" in found
    assert len(found) == 2
    lab = Told(obedient(CLUSTER))
    matrix = measured(lab, rows[0], outside=found)
    assert only(matrix).agreement is Agreement.AGREES
    assert lab.sent[0] == Probe("outside", "203.0.113.7", "10.1.0.2", "TCP", 8080)


def test_a_service_is_measured_at_its_own_address() -> None:
    lab = Told(lambda probe: OPEN if probe.address == "10.1.0.1" else DROPPED)
    rows = [
        row("web/front", "svc:web/api", Expect.ALLOW, "80"),
        row("web/other", "svc:web/api", Expect.DENY, "80"),
    ]
    matrix = measured(lab, *rows)
    assert [c.measured for c in matrix.cells] == [Verdict.ALLOWED, Verdict.DENIED]
    assert lab.sent[0] == Probe("web/front", "10.1.0.1", "10.8.0.1", "TCP", 80)
    assert matrix.passed


def test_what_cannot_be_asked_is_an_error() -> None:
    matrix = measured(Told(lambda _: OPEN), row("web/nobody", "web/api", Expect.ALLOW))
    assert matrix.results[0].status is RowStatus.ERROR
    assert not matrix.complete


def test_a_flow_that_two_rows_mean_is_sent_once() -> None:
    lab = Told(obedient(CLUSTER))
    matrix = measured(lab, OPEN_ROW, replace(OPEN_ROW, name="again"))
    assert len(lab.sent) == 1
    assert len(matrix.results) == 2


def test_counts_add_up() -> None:
    rows = (OPEN_ROW, CLOSED_ROW, row("web/nobody", "web/api", Expect.ALLOW))
    matrix = measured(Told(obedient(CLUSTER)), *rows)
    counts, cells = matrix.rows, matrix.counts
    assert counts.total == 3 == counts.passed + counts.errors
    assert cells.total == 2 == cells.agrees


def test_a_row_without_cells_proves_nothing() -> None:
    assert MeasuredRow(OPEN_ROW, ()).status is RowStatus.INCONCLUSIVE


def test_what_differs_is_sent_once_more_and_its_rules_are_named() -> None:
    matrix = odd_matrix()
    first = matrix.results[0].cells[0]
    assert first.agreement is Agreement.DIFFERS
    (counted,) = first.counted
    assert (counted.packets, counted.decider.text) == (1, "web/front egress rule 1")


def test_a_trace_sets_what_counted_beside_what_should_have() -> None:
    trace = traced()
    assert [(m.direction, len(m.predicted), len(m.counted)) for m in trace.met] == [
        (Direction.EGRESS, 1, 1),
        (Direction.INGRESS, 1, 0),
    ]
    assert not trace.same_way
    assert not trace.agrees


def test_a_trace_that_meets_what_was_predicted_agrees() -> None:
    keys = ("NetworkPolicy web/front egress 1", "NetworkPolicy web/api ingress 1")
    found = trace(Told(lambda _: OPEN, *keys), CLUSTER.engine, plan(CLUSTER), OPEN_ROW)
    assert found.agrees
    assert [m.counted[0].decider.text for m in found.met] == [
        "web/front egress rule 1",
        "web/api ingress rule 1",
    ]


def test_a_closed_trace_has_a_control_and_ends_where_it_is_stopped() -> None:
    lab = Told(obedient(CLUSTER), end_key("networkpolicy", Direction.INGRESS))
    found = trace(lab, CLUSTER.engine, plan(CLUSTER), CLOSED_ROW)
    assert found.cell.agreement is Agreement.AGREES
    assert found.cell.control is not None
    assert found.agrees


def test_a_rule_that_should_not_have_counted_is_told() -> None:
    keys = (end_key("networkpolicy", Direction.INGRESS), "NetworkPolicy web/api ingress 1")
    found = trace(Told(obedient(CLUSTER), *keys), CLUSTER.engine, plan(CLUSTER), CLOSED_ROW)
    assert [bool(m.predicted) for m in found.met] == [True, False]
    assert not found.agrees


def test_what_cannot_be_sent_cannot_be_traced() -> None:
    asked = row("web/api", "127.0.0.1", None)
    with pytest.raises(QuestionError, match="never leaves the pod"):
        trace(Told(lambda _: OPEN), CLUSTER.engine, plan(CLUSTER), asked)


def test_pairs_ask_about_every_declared_port() -> None:
    rows, notes = pairs(CLUSTER.engine)
    said = [(r.source, r.destination, r.port) for r in rows]
    assert ("web/pod/front", "web/pod/api", "8080") in said
    assert ("web/pod/front", "web/pod/api", "9090") in said
    assert ("web/pod/api", "web/pod/api", "8080") not in said
    assert all(r.expect is None for r in rows)
    assert len(notes) == 1
    matrix = measured(Told(obedient(CLUSTER)), *rows)
    assert matrix.passed


def test_of_too_many_pairs_an_even_sample_is_taken() -> None:
    every, _ = pairs(CLUSTER.engine)
    some, (note,) = pairs(CLUSTER.engine, 4)
    assert len(some) == 4
    assert set(some) < set(every)
    assert f"of {len(every)} such rows 4 were taken" in note


def test_rows_that_are_not_taken_are_not_made() -> None:
    """Of many workloads there are more pairs than memory has room for."""
    pods = [
        pod(f"p{n}", f"10.1.{n >> 7}.{n % 128 + 1}", ports={80: "a", 81: "b"}) for n in range(300)
    ]
    many = session(node("n1", "10.9.0.1"), *pods).engine
    blocks_outside(many, 8)  # what an engine remembers is not counted
    tracemalloc.start()
    some, (note,) = pairs(many, 100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # To each pod from 299 others and the one block, on two ports; and from each to that block.
    assert (len(some), len(set(some))) == (100, 100)
    assert f"of {300 * (300 * 2 + 1)} such rows 100 were taken" in note
    assert peak < 1 << 20


def test_a_world_that_is_too_large_is_refused_before_rows_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "MOST", 4)
    with pytest.raises(QuestionError, match="5 pods and nodes are more than a lab has room for"):
        blueprint(CLUSTER)


def test_blocks_outside_are_nobodys_in_the_cluster() -> None:
    """A block that is a pod's own address is that pod, and no address outside."""
    blocks = [{"ipBlock": {"cidr": "10.1.0.0/16", "except": ["10.1.0.3/32"]}}]
    world = session(
        node("n1", "10.9.0.1"),
        pod("a", "10.1.0.1"),
        pod("b", "10.1.0.3"),
        policy("a", "a", policyTypes=["Ingress"], ingress=[{"from": blocks}]),
    )
    found = blocks_outside(world.engine, 8)
    within = {text for text in found if text.startswith("10.1.")}
    assert within, "the rest of the block is outside"
    assert not within & {"10.1.0.1", "10.1.0.3"}


def test_of_a_single_stack_the_other_family_is_not_asked_about() -> None:
    world = session(
        node("n1", "2001:db8:9::1"), pod("a", "2001:db8:1::1"), pod("b", "2001:db8:1::2")
    )
    lab = Told(lambda _: OPEN)
    rows = [row("web/a", "2001:db8:1::1", None), row("web/a", "web/b", None, None)]
    found = run(lab, world.engine, plan(world), rows)
    assert {cell.flow.family for cell in found.cells} == {6}
    assert found.rows.passed == 2


def test_pods_on_the_network_of_one_node_share_a_namespace() -> None:
    names = ("one", "other")
    made = [pod(name, "10.9.0.1") for name in names]
    for each in made:
        each["spec"]["hostNetwork"] = True
    world = session(node("n1", "10.9.0.1"), *made)
    hosts = plan(session(node("n1", "10.9.0.1")))
    lab = Told(lambda _: OPEN)
    matrix = run(lab, world.engine, hosts, [row("web/one", "web/other", None)])
    assert only(matrix).reason == "web/one and web/other are in one network namespace"
    assert not lab.sent


def test_icmp_is_an_echo_request_of_its_own_family() -> None:
    world = session(
        node("n1", "10.9.0.1", "2001:db8:9::1"),
        pod("a", "10.1.0.1", "2001:db8:1::1"),
        pod("b", "10.1.0.2", "2001:db8:1::2"),
    )
    lab = Told(lambda _: OPEN)
    asked = Row("ping", "web/a", "web/b", None, None, "ICMP")
    matrix = run(lab, world.engine, plan(world), [asked])
    assert lab.sent == [Probe("web/a", "10.1.0.1", "10.1.0.2", "ICMP", 0)]
    assert matrix.passed


def test_a_policy_that_nobody_understood_leaves_nothing_to_measure() -> None:
    opaque = {
        "apiVersion": "crd.antrea.io/v1beta1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "odd", "namespace": "web"},
        "spec": {"appliedTo": [{"podSelector": {"matchLabels": {"app": "b"}}}]},
    }
    world = session(node("n1", "10.9.0.1"), pod("a", "10.1.0.1"), pod("b", "10.1.0.2"), opaque)
    lab = Told(lambda _: OPEN)
    matrix = run(lab, world.engine, plan(world), [row("web/a", "web/b", Expect.ALLOW)])
    cell = only(matrix)
    assert cell.agreement is Agreement.NOT_MEASURABLE
    assert cell.reason == "the prediction is undetermined: POLICY_NOT_MODELLED"
    assert not lab.sent
