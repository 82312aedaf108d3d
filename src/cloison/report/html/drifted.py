"""`drift` as one self-contained page: findings with their evidence, and workloads."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

from cloison.analyses.drift.model import TITLES, Drift, Finding, Row, Step
from cloison.report.about import About
from cloison.report.html.frame import opening, shown
from cloison.report.lacking import previews, sentences
from cloison.report.text.drifted import preceded, state, summary
from cloison.report.text.layout import at, count, profile_line

_FEW: Final = 4
"""Findings from which on a list of them comes first."""
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8885; --ground: #8881;
  --error: #b3261e; --warning: #8a5a00; --info: #1d5fa8; }
@media (prefers-color-scheme: dark) { :root {
  --error: #ff8a80; --warning: #f0b429; --info: #8ab8f0; } }
body { font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif;
  margin: 0 auto; max-width: 1200px; padding: 16px 20px; }
h1 { font-size: 20px; margin: 0 0 8px; } h2 { font-size: 16px; margin: 22px 0 6px; }
h3 { font-size: 14px; margin: 0 0 4px; } p { margin: 4px 0; }
article { border-left: 3px solid var(--line); padding-left: 12px; margin: 14px 0; }
article.error { border-color: var(--error); } article.warning { border-color: var(--warning); }
article.info { border-color: var(--info); }
dl { display: grid; grid-template-columns: 6em minmax(0, 1fr); gap: 2px 12px; margin: 4px 0; }
dt { opacity: 0.75; } dd { margin: 0; grid-column: 2; overflow-wrap: anywhere; }
.kind strong { text-transform: uppercase; letter-spacing: 0.03em; }
.error .kind strong, td.error { color: var(--error); }
.warning .kind strong, td.warning { color: var(--warning); }
.info .kind strong, td.info { color: var(--info); }
.wide { overflow-x: auto; margin: 12px 0; } table { border-collapse: collapse; }
.rows td, .rows th { min-width: 10em; } .rows td:last-child { min-width: 20em; }
.rows p { margin: 0 0 4px; }
th, td { text-align: left; vertical-align: top; padding: 3px 12px 3px 0;
  border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { font-weight: 600; }
dd details { margin: 0; } summary { cursor: pointer; }
:focus-visible { outline: 2px solid; }
pre { overflow-x: auto; padding: 8px; background: var(--ground); }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12px; }
"""


def pieces(result: Drift, about: About) -> Iterator[str]:
    """Return the page, in pieces.

    Args:
        result: What has drifted.
        about: What surrounds it.
    """
    yield opening("What has drifted", "What has drifted", _STYLE)
    for line in previews(about):
        yield f"<p><strong>Preview</strong>: {shown(line)}.</p>\n"
    for line in sentences(about):
        yield f"<p><strong>Incomplete</strong>: {shown(line)}.</p>\n"
    for sentence in summary(result):
        yield f"<p>{shown(sentence[:1].upper() + sentence[1:])}.</p>\n"
    new = [each for each in result.findings if each.counts]
    yield from _overview(new)
    known = [each for each in result.findings if not each.counts]
    for title, some in (("New", new), ("Not new", known), ("Suspects", result.suspects)):
        yield from _findings(title, some)
    yield from _rows(result.rows)
    yield f"<p><small>{shown(profile_line(about))}</small></p>\n</body>\n</html>\n"


def _overview(new: Sequence[Finding]) -> Iterator[str]:
    """Yield a table of what is new, each row a way to the finding."""
    if len(new) < _FEW:
        return
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Severity", "Check", "Finding"))
    yield f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
    for each in new:
        sign = each.sign
        yield (
            f'<tr><td class="{sign.severity}">{sign.severity}</td><td>{each.key.code}</td>'
            f'<td><a href="#{_anchor(each)}">{shown(sign.message)}</a></td></tr>\n'
        )
    yield "</tbody>\n</table></div>\n"


def _anchor(each: Finding) -> str:
    """Return what a finding is called in the page's addresses."""
    return f"f{sha256(str(each.key).encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _findings(title: str, found: Sequence[Finding]) -> Iterator[str]:
    if not found:
        return
    yield f"<h2>{shown(title)}: {count(len(found), 'finding')}</h2>\n"
    for each in found:
        yield from _finding(each)


def _finding(each: Finding) -> Iterator[str]:
    sign = each.sign
    yield f'<article class="{sign.severity}" id="{_anchor(each)}">\n'
    head = f"{each.key.code}, {TITLES[each.key.code]}"
    yield f"<h3>{shown(sign.message)}</h3>\n"
    yield f'<p class="kind"><strong>{sign.severity}</strong> {shown(head)}</p>\n<dl>\n'
    said = [("State", [state(each)]), ("Doubt", [sign.doubt] if sign.doubt else [])]
    said.append(("Seen", [f"{proof.text}{at(proof.span)}" for proof in sign.evidence]))
    atom = [] if sign.atom is None else [f"{sign.atom.text}{at(sign.atom.span)}"]
    said += [("Policy", atom), ("Before it", [] if each.preceded is None else [preceded(each)])]
    if each.accepted is not None:
        until = f" until {each.accepted.until}" if each.accepted.until else ""
        by = f"by {each.accepted.owner}{until} {each.accepted.reason}".strip()
        said.append(("Accepted", [by]))
    said.append(("Do", [sign.help]))
    for word, texts in said:
        if texts:
            cells = "".join(f"<dd>{shown(text)}</dd>" for text in texts)
            yield f"<dt>{shown(word)}</dt>{cells}\n"
    for word, step in (("Allow it", sign.allow), ("Remove it", sign.remove)):
        if step is not None:
            yield f"<dt>{word}</dt><dd>{_step(step)}</dd>\n"
    yield f"<dt>Key</dt><dd><code>{shown(str(each.key))}</code></dd>\n</dl>\n"
    yield "</article>\n"


def _step(step: Step) -> str:
    """Return a step; what is to be written comes when it is opened."""
    text, lines = shown(step.text), step.lines or step.manifest
    if not lines:
        return text
    return f"<details><summary>{text}</summary><pre>{shown(lines)}</pre></details>"


def _rows(rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        return
    names = ("Workload", "Expected", "Observed, new", "Observed, denied", "Unused", "Do")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    yield f"<h2>By workload: {count(len(rows), 'workload')}</h2>\n"
    yield f'<div class="wide"><table class="rows">\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
    for row in rows:
        cells = "".join(
            f"<td>{_listed(some)}</td>" for some in (row.expected, row.new, row.denied, row.unused)
        )
        name = f'<th scope="row">{shown(str(row.workload))}</th>'
        yield f"<tr>{name}{cells}<td>{_listed(row.actions)}</td></tr>\n"
    yield "</tbody>\n</table></div>\n"


def _listed(texts: Iterable[str]) -> str:
    return "".join(f"<p>{shown(text)}</p>" for text in texts)
