"""`flows query` as published."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from cloison.flows.answers import Recorded
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.moments import moment


class RecordedSaid(parts.Envelope, frozen=True):
    """Flows as they were recorded.

    Each has the columns of the page on flow records that its source told, under the names these
    have there. `more` says that there are more of them.
    """

    flows: list[dict[str, Any]]
    more: bool


DOCUMENT = RecordedSaid


def document(result: Recorded, about: About) -> RecordedSaid:
    """Return flows as published."""
    return RecordedSaid(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=list(parts.findings(about)),
        flows=[row(each) for each in result.rows],
        more=result.more,
    )


def row(flow: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a flow tells, with times as published."""
    told = {name: value for name, value in flow.items() if value is not None and value != []}
    return {
        name: moment(value) if isinstance(value, datetime) else value
        for name, value in told.items()
    }


HEADER = (
    "time", "verdict", "proto", "src_ns", "src_workload", "src_pod", "src_ip", "src_port",
    "dst_ns", "dst_workload", "dst_pod", "dst_ip", "dst_port", "node", "is_reply", "count",
    "adapter", "obs_id",
)  # fmt: skip


def rows(result: Recorded) -> Iterator[Sequence[object]]:
    """Iterate over the flows; what is no plain value is left to the other formats."""
    for each in result.rows:
        said = row(each)
        yield tuple(said.get(name, "") for name in HEADER)
