"""What NetObserv's pipeline tells of what policies deny, and of nodes."""

import json
from pathlib import Path
from typing import Literal

import pytest

from cloison.flows import files
from cloison.flows.generator.export.netobserv import lines
from cloison.flows.generator.make import connections
from cloison.flows.generator.model import Call, Made, Place, Plan
from cloison.flows.reader import Options
from cloison.flows.readers import detect
from cloison.flows.schema import Flow

NODE = "192.0.2.11"
PORTAL = Made("web", "portal", labels=("app=portal",))
API = Made("shop", "api", labels=("app=api",))
KUBELET = Place("node", (NODE,), entity="host")


def _plan(*calls: Call) -> Plan:
    return Plan(calls, 1_767_225_600_000_000, 6.0, nodes=(NODE,))


def _flows(plan: Plan, path: Path) -> list[Flow]:
    path.write_text("\n".join(lines(plan, connections(plan))) + "\n")
    start = files.head(path)
    chunks = files.cut(path, detect(start)[0][1], start, Options(), None)
    return [one for chunk in chunks for one in chunk.records if isinstance(one, Flow)]


@pytest.mark.parametrize("end", ["src", "dst"])
def test_what_is_denied_gets_no_answer(end: Literal["src", "dst"], tmp_path: Path) -> None:
    plan = _plan(Call(PORTAL, API, 8080, denied="", denied_at=end))
    records = [json.loads(line) for line in lines(plan, connections(plan))]
    assert {(each["Flags"], each["Packets"]) for each in records} == {(2, 3)}
    assert {each["DstPort"] for each in records} == {8080}
    stopped = [each for each in records if "PktDropPackets" in each]
    assert stopped
    assert {each["FlowDirection"] for each in stopped} == {"1" if end == "src" else "0"}
    flows = _flows(plan, tmp_path / "file")
    told = {"error"} if end == "src" else {"error", "unknown"}
    assert {one.verdict for one in flows} == told
    assert all(one.opens for one in flows)


def test_what_is_answered_got_through(tmp_path: Path) -> None:
    flows = _flows(_plan(Call(PORTAL, API, 8080)), tmp_path / "file")
    assert {one.verdict for one in flows} == {"allowed"}


def test_a_node_is_told_as_one(tmp_path: Path) -> None:
    flows = _flows(_plan(Call(KUBELET, API, 8080)), tmp_path / "file")
    asking = [one for one in flows if one.dst_port == 8080]
    assert asking
    assert {one.src_entity for one in asking} == {"host"}
