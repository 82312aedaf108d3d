"""Results rendered for readers: people, scripts, spreadsheets.

Adding an output format is one module with a function `render`, like `json`, and one row here; one
more says which results it is for, if not for all.
"""

from collections.abc import Iterator
from importlib import import_module

from cloison.base import QuestionError
from cloison.report.about import PLAIN, About, Accepted, Effective, Findings, Judged, Look, Setting

FORMATS = {
    "text": "cloison.report.text",
    "json": "cloison.report.json",
    "yaml": "cloison.report.yaml",
    "csv": "cloison.report.csv",
    "jsonl": "cloison.report.jsonl",
    "md": "cloison.report.markdown",
    "svg": "cloison.report.svg",
    "html": "cloison.report.html",
    "dot": "cloison.report.dot",
    "mermaid": "cloison.report.mermaid",
    "junit": "cloison.report.junit",
    "sarif": "cloison.report.sarif",
    "prometheus": "cloison.report.prometheus",
}
"""Modules that render, by the name of the format; each is imported when asked for."""

KINDS = (
    "why",
    "map",
    "grouped",
    "exposure",
    "tally",
    "diff",
    "relate",
    "portability",
    "between",
    "effective",
    "policy",
    "verify",
    "measured",
    "trace",
    "applied",
    "lab",
    "validate",
    "doctor",
    "cni",
    "egress",
    "checked",
    "reconciled",
    "recommended",
    "shadowed",
    "drifted",
    "drafted",
    "compiled",
    "ingested",
    "observed",
    "ranked",
    "recorded",
    "config",
)
"""Results that can be rendered; `between` is what two enforcers make of the same policies,
`grouped` is a map in groups, `exposure` is of what is not there,
`tally` counts what each tier decides, `checked` is what came of a contract, `reconciled` what is
intended, permitted and observed, `recommended` policies made of all that,
`shadowed` what a candidate would have done, `drifted` what is not as it was, `drafted` a contract
that was drafted, `measured` is what a kernel made of `verify`, `trace` what one connection met on
its way, `applied` what a change of policies did, and `lab` what a lab consists of.

A map can also be had as a `matrix`, and what is reconciled as `cubed`, which are for people only.
"""

_PICTURES = ("md", "svg", "html", "dot", "mermaid")
"""Formats that show who may talk to whom at a glance."""

_ONLY = {"grouped": ("json", "yaml"), "matrix": ("text",), "cubed": ("text",)}
"""Formats of results that cannot be had in every one."""

_FOR = {
    **dict.fromkeys(_PICTURES, ("map", "diff")),
    "md": ("map", "diff", "reconciled", "recommended", "shadowed", "drifted"),
    "jsonl": ("map", "diff", "exposure"),
    "html": ("map", "diff", "measured", "reconciled", "shadowed", "drifted"),
    "junit": ("verify", "measured", "checked"),
    "sarif": ("validate", "portability", "doctor", "cni", "egress", "checked", "drifted"),
    "prometheus": ("drifted",),
}
"""Results of formats that are not for every one."""

__all__ = [
    "FORMATS",
    "KINDS",
    "PLAIN",
    "About",
    "Accepted",
    "Effective",
    "Findings",
    "Judged",
    "Look",
    "Setting",
    "formats",
    "render",
]


def formats(kind: str) -> tuple[str, ...]:
    """Return the formats in which a kind of result can be had.

    >>> formats("grouped")
    ('json', 'yaml')
    """
    return tuple(f for f in _ONLY.get(kind, FORMATS) if kind in _FOR.get(f, (kind,)))


def render(
    kind: str, result: object, about: About, output: str = "text", look: Look = PLAIN
) -> Iterator[str]:
    """Return a result as text in pieces, to be written one after the other.

    Args:
        kind: Which result: one of `KINDS`.
        result: The result itself.
        about: What surrounds it: profile, diagnostics, version.
        output: The format: one of `FORMATS`.
        look: How text for people is laid out.

    Raises:
        QuestionError: There is no such format, or not for this result.
    """
    if output not in FORMATS:
        msg = f"{output!r} is not an output format"
        raise QuestionError(msg, f"formats are {', '.join(FORMATS)}")
    if output not in formats(kind):
        msg = f"{kind} has no {output} output"
        raise QuestionError(msg, f"say -o {' or -o '.join(formats(kind))}")
    pieces: Iterator[str] = import_module(FORMATS[output]).render(kind, result, about, look)
    return pieces
