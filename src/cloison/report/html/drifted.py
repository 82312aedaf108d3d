"""`drift` as one self-contained page: findings with their evidence, and workloads."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cloison.analyses.drift.model import TITLES, Drift, Finding, Row
from cloison.report.about import About
from cloison.report.html.frame import opening, shown
from cloison.report.lacking import previews, sentences
from cloison.report.text.drifted import preceded, state, summary
from cloison.report.text.layout import at, count, profile_line

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
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 4px 0; }
dt { opacity: 0.75; } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 3px 12px 3px 0;
  border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { font-weight: 600; }
details { margin: 6px 0; } summary { cursor: pointer; }
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
    known = [each for each in result.findings if not each.counts]
    for title, some in (("New", new), ("Not new", known), ("Suspects", result.suspects)):
        yield from _findings(title, some)
    yield from _rows(result.rows)
    yield f"<p><small>{shown(profile_line(about))}</small></p>\n</body>\n</html>\n"


def _findings(title: str, found: Sequence[Finding]) -> Iterator[str]:
    if not found:
        return
    yield f"<h2>{shown(title)}: {count(len(found), 'finding')}</h2>\n"
    for each in found:
        yield from _finding(each)


def _finding(each: Finding) -> Iterator[str]:
    sign = each.sign
    yield f'<article class="{sign.severity}">\n'
    head = f"{each.key.code}, {TITLES[each.key.code]}"
    yield f"<h3>{shown(sign.message)}</h3>\n<p>{shown(head)}</p>\n<dl>\n"
    said = [("State", state(each))]
    if sign.doubt:
        said.append(("Doubt", sign.doubt))
    said += [("Seen", f"{proof.text}{at(proof.span)}") for proof in sign.evidence]
    if sign.atom is not None:
        said.append(("Policy", f"{sign.atom.text}{at(sign.atom.span)}"))
    if each.preceded is not None:
        said.append(("Before it", preceded(each)))
    if each.accepted is not None:
        until = f" until {each.accepted.until}" if each.accepted.until else ""
        said.append(("Accepted", f"by {each.accepted.owner}{until} {each.accepted.reason}".strip()))
    said.append(("Do", sign.help))
    for word, text in said:
        yield f"<dt>{shown(word)}</dt><dd>{shown(text)}</dd>\n"
    yield f"<dt>Key</dt><dd><code>{shown(str(each.key))}</code></dd>\n</dl>\n"
    for word, step in (("Allow it", sign.allow), ("Remove it", sign.remove)):
        if step is None:
            continue
        if step.manifest:
            yield f"<details><summary>{word}: {shown(step.text)}</summary>"
            yield f"<pre>{shown(step.lines or step.manifest)}</pre></details>\n"
        else:
            yield f"<p>{word}: {shown(step.text)}</p>\n"
    yield "</article>\n"


def _rows(rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        return
    names = ("Workload", "Expected", "Observed, new", "Observed, denied", "Unused", "Do")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    yield f"<h2>By workload: {count(len(rows), 'workload')}</h2>\n"
    yield f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
    for row in rows:
        cells = "".join(
            f"<td>{_listed(some)}</td>" for some in (row.expected, row.new, row.denied, row.unused)
        )
        name = f'<th scope="row">{shown(str(row.workload))}</th>'
        yield f"<tr>{name}{cells}<td>{shown(row.action)}</td></tr>\n"
    yield "</tbody>\n</table></div>\n"


def _listed(texts: Iterable[str]) -> str:
    return "<br>".join(map(shown, texts))
