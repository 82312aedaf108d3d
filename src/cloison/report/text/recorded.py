"""Flows one by one, for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from cloison.flows.answers import Recorded
from cloison.report.about import About, Look
from cloison.report.text.layout import folded

_STYLE = {"allowed": "green", "denied": "red"}


def lines(result: Recorded, _about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines."""
    if not result.rows:
        yield "no flows"
        return
    head = ("TIME", "VERDICT", "SOURCE", "DESTINATION", "PROTOCOL", "SEEN BY")
    for number, some in enumerate(folded([head, *map(_row, result.rows)], (2, 3), look)):
        style = _STYLE.get(result.rows[number - 1]["verdict"]) if number else None
        yield from (look.paint(line, style) if style else line for line in some)
    if result.more:
        yield "and more; -n 0 shows all"


def _row(flow: Mapping[str, Any]) -> tuple[str, ...]:
    time = flow["time"]
    arrow = " (reply)" if flow["is_reply"] else ""
    return (
        "" if time is None else f"{time:%Y-%m-%d %H:%M:%S.%f}",
        flow["verdict"],
        _end(flow, "src"),
        _end(flow, "dst"),
        f"{flow['proto'] or 'any'}{arrow}",
        f"{flow['observer']}{' ' + flow['node'] if flow['node'] else ''}",
    )


def _end(flow: Mapping[str, Any], side: str) -> str:
    ns, name = flow[f"{side}_ns"], flow[f"{side}_pod"] or flow[f"{side}_workload"]
    ip, port = flow[f"{side}_ip"], flow[f"{side}_port"]
    said = f"{ns}/{name}" if ns and name else name or ip or ns or flow[f"{side}_entity"]
    if port is None:
        return str(said)
    return f"[{said}]:{port}" if said == ip and ":" in str(ip) else f"{said}:{port}"
