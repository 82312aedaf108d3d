"""Drift as Prometheus metrics, in the text format 0.0.4: what a node exporter or gateway takes.

Source: prometheus.io/docs/instrumenting/exposition_formats.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from cloison.analyses.drift.model import Drift, Finding, State
from cloison.report.about import About, Look
from cloison.resources.names import printable

Sample = tuple[Mapping[str, str], float]
"""Labels, and a value."""
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})
_HELP: Final = str.maketrans({"\\": "\\\\", "\n": "\\n"})


def render(_kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return metrics of what has drifted."""
    found = cast("Drift", result)
    yield from metric(
        "cloison_drift_findings",
        "Findings that are not accepted, by check, state and severity.",
        _counted(found),
    )
    yield from metric(
        "cloison_drift_new_findings",
        "Findings that are new, by check.",
        [
            ({"check": str(code)}, sum(e.key.code is code for e in found.new))
            for code in found.checks
        ],
    )
    yield from metric(
        "cloison_drift_finding_info",
        "One finding that stands; its value is the connections that were seen of it.",
        [_one(each) for each in found.findings if each.state is State.CONFIRMED],
    )
    yield from metric(
        "cloison_drift_not_judged",
        "What could not be judged, by check.",
        [
            ({"check": str(code)}, sum(e.count for e in found.unjudged if e.code is code))
            for code in found.checks
        ],
    )
    yield from metric(
        "cloison_drift_covered_hours",
        "Hours of flows that were told well enough to judge.",
        [({}, found.covered)],
    )
    yield from metric(
        "cloison_drift_lost_events", "Events that sources of flows lost.", [({}, found.lost)]
    )
    if found.last is not None:
        yield from metric(
            "cloison_drift_last_hour_timestamp_seconds",
            "The end of the last hour of flows that was judged.",
            [({}, (found.last + 1) * 3600)],
        )
    yield from metric(
        "cloison_build_info", "The version that wrote this.", [({"version": about.version}, 1)]
    )


def _counted(found: Drift) -> list[Sample]:
    counted: dict[tuple[str, str, str], int] = {}
    for each in (*found.findings, *found.suspects):
        if each.state is not State.ACKNOWLEDGED:
            key = (str(each.key.code), str(each.state), str(each.sign.severity))
            counted[key] = counted.get(key, 0) + 1
    return [
        ({"check": check, "state": state, "severity": severity}, number)
        for (check, state, severity), number in sorted(counted.items())
    ]


def _one(found: Finding) -> Sample:
    labels = {
        "check": str(found.key.code),
        "key": str(found.key),
        "severity": str(found.sign.severity),
    }
    return labels, found.sign.course.total


def metric(name: str, help_: str, samples: Sequence[Sample]) -> Iterator[str]:
    r"""Yield the lines of a metric that goes up and down.

    >>> "".join(metric("up", "Is it?", [({"job": 'a"b'}, 1.0)])).splitlines()[-1]
    'up{job="a\\"b"} 1'
    """
    yield f"# HELP {name} {help_.translate(_HELP)}\n# TYPE {name} gauge\n"
    for labels, value in samples:
        said = ",".join(
            f'{key}="{printable(text).translate(_ESCAPES)}"' for key, text in labels.items()
        )
        shown = f"{{{said}}}" if said else ""
        yield f"{name}{shown} {_number(value)}\n"


def _number(value: float) -> str:
    """Return a number in full: whatever reads it rounds as it likes.

    >>> _number(1234567890), _number(1.0), _number(0.25)
    ('1234567890', '1', '0.25')
    """
    whole = int(value) if value == value // 1 else value
    return repr(whole)
