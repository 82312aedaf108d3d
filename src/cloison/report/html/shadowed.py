"""`shadow` as one self-contained page: when connections would be denied, and what is missing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cloison.analyses.connectivity import EndRef
from cloison.analyses.past.course import Course
from cloison.analyses.shadow.model import Edge, Fate, Finding, Shadow
from cloison.report.about import About
from cloison.report.documents.shadowed import ends_of
from cloison.report.html.frame import opening, shown
from cloison.report.html.timeline import STYLE, Row, timeline
from cloison.report.lacking import previews, sentences
from cloison.report.text.layout import count, listed, profile_line
from cloison.report.text.shadowed import (
    FATES,
    effect,
    headline,
    missing,
    moved,
    ports,
    reason,
    strays,
    summary,
    tried,
    when,
)

_STYLE: Final = f"""
:root {{
  color-scheme: light dark; --line: #8885; --ground: #8881; --unwatched: #8886;
  --bad: #b3261e; --doubt: #8a5a00; --soft: #1d5fa8;
}}
@media (prefers-color-scheme: dark) {{ :root {{
  --bad: #ff8a80; --doubt: #f0b429; --soft: #8ab8f0;
}} }}
body {{
  font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif;
  margin: 0 auto; max-width: 1200px; padding: 16px 20px;
}}
h1 {{ font-size: 20px; margin: 0 0 8px; }} h2 {{ font-size: 16px; margin: 22px 0 6px; }}
h3 {{ font-size: 14px; margin: 16px 0 4px; }}
p {{ margin: 4px 0; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
caption {{ text-align: left; padding-bottom: 4px; }}
th, td {{
  text-align: left; vertical-align: top; padding: 3px 12px 3px 0; font-weight: 400;
  border-bottom: 1px solid var(--line);
}}
thead th {{ font-weight: 600; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
details {{ margin: 6px 0; }} summary {{ cursor: pointer; }}
article {{ border-left: 3px solid var(--bad); padding-left: 12px; margin: 14px 0; }}
:target {{ outline: 2px solid; outline-offset: 4px; }}
:focus-visible {{ outline: 2px solid; }}
pre {{ overflow-x: auto; padding: 8px; background: var(--ground); }}
code, pre {{ font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12px; }}
.soft {{ opacity: 0.75; }}
{STYLE}
"""
_BARS: Final = 12
"""Findings that have bars of their own."""
_MOST: Final = 500
"""Rows of a table; of more the rest is counted."""


def pieces(result: Shadow, about: About) -> Iterator[str]:
    """Return the page, in pieces.

    Args:
        result: What a candidate would have done.
        about: What surrounds it.
    """
    yield opening("cloison shadow", "What a candidate would have denied", _STYLE)
    for note in (*summary(result), *previews(about), *sentences(about)):
        yield f"<p>{shown(note)}</p>\n"
    yield from _times(result)
    yield from _findings(result)
    for fate in FATES:
        yield from _others(fate, result)
    yield from _changes(result)
    yield from _unused(result)
    yield from _strays(result)
    yield f'<p class="soft">{shown(profile_line(about))}</p>\n</body>\n</html>\n'


def _times(result: Shadow) -> Iterator[str]:
    found = result.findings
    if not found:
        return
    yield "<h2>When</h2>\n"
    rows = [Row(_title(each), each.course, f"f{at}") for at, each in enumerate(found[:_BARS])]
    if len(found) > 1:
        rows.insert(0, Row("all of it", Course.together(each.course for each in found)))
    rest = found[_BARS:]
    if rest:
        course = Course.together(each.course for each in rest)
        rows.append(Row(f"{len(rest)} more", course, f"f{_BARS}"))
    yield from timeline(rows, result.watch.hours)


def _title(finding: Finding) -> str:
    return headline(finding).rpartition(": ")[0]


def _findings(result: Shadow) -> Iterator[str]:
    if not result.findings:
        return
    yield "<h2>What would be denied</h2>\n"
    for at, finding in enumerate(result.findings[:_MOST]):
        yield f'<article id="f{at}"><h3>{shown(headline(finding))}</h3>\n'
        yield f"<p>Effect: {shown(effect(finding))}.</p>\n"
        yield f"<p>Seen {shown(when(finding, result))}.</p>\n"
        if finding.today:
            yield "<p>Policies of today deny it as well, though it got through.</p>\n"
        yield from (f"<p>Missing: {shown(each)}.</p>\n" for each in missing(finding, result))
        yield from (f"<p>Port: {shown(each)}.</p>\n" for each in ports(finding))
        for mend in finding.mends or ():
            text = mend.lines or mend.manifest
            place = f" <code>{shown(f'{mend.file}:{mend.line}')}</code>" if mend.file else ""
            yield f"<details><summary>Mend: {shown(mend.text)}{place}</summary>"
            yield f"<pre>{shown(text)}</pre></details>\n" if text else "</details>\n"
        yield from _edges(finding.edges, "Every edge of it")
        yield "</article>\n"
    if len(result.findings) > _MOST:
        yield f"<p>And {count(len(result.findings) - _MOST, 'more finding')}.</p>\n"


def _edges(edges: Sequence[Edge], title: str) -> Iterator[str]:
    yield f"<details><summary>{shown(title)}</summary>"
    rows = []
    for each in edges[:_MOST]:
        first, last = ends_of(each.course)
        names = each.link.names
        pods = listed(each.pods or each.nodes or each.addresses, 4)
        hours = str(len(each.course.hours))
        row = (*names, str(each.link.traffic), f"{each.connections:,}", hours)
        rows.append((*row, f"{first or ''} to {last or ''}", pods, str(each.before or "")))
    head = ("from", "to", "traffic", "connections", "hours", "when", "pods", "today")
    yield from _table(head, rows)
    if len(edges) > _MOST:
        yield f"<p>And {count(len(edges) - _MOST, 'more edge')}.</p>"
    yield "</details>\n"


def _others(fate: Fate, result: Shadow) -> Iterator[str]:
    found = result.of(fate)
    if not found:
        return
    yield f"<h2>{shown(FATES[fate].capitalize())}</h2>\n"
    rows = (
        (*e.link.names, str(e.link.traffic), f"{e.connections:,}", reason(e).removeprefix(": "))
        for e in found[:_MOST]
    )
    yield from _table(("from", "to", "traffic", "connections", "why"), rows)
    if len(found) > _MOST:
        yield f"<p>And {count(len(found) - _MOST, 'more edge')}.</p>\n"


def _changes(result: Shadow) -> Iterator[str]:
    rows = []
    for used in result.changes:
        line = used.line
        ends = _names(line.sources), _names(line.destinations)
        if line.shift.opens:
            rows.append(
                (
                    moved("opens", line.shift, line.shift.gained),
                    *ends,
                    str(line.shift.gained),
                    tried(used.gained, "opens", known=used.known),
                )
            )
        if line.shift.closes:
            rows.append(
                (
                    moved("closes", line.shift, line.shift.lost),
                    *ends,
                    str(line.shift.lost),
                    tried(used.lost, "closes", known=used.known),
                )
            )
    if rows:
        yield "<h2>Against today</h2>\n"
        yield from _table(("what", "from", "to", "traffic", "seen"), rows)
    if result.more_changes:
        yield f"<p>And {count(result.more_changes, 'more line')}.</p>\n"


def _unused(result: Shadow) -> Iterator[str]:
    if not result.excess:
        return
    yield "<h2>Still permitted, and never seen</h2>\n"
    rows = (
        (
            _names(each.line.sources),
            _names(each.line.destinations),
            str(each.line.passage.allowed),
            "" if each.known else "whether it is used is not known",
        )
        for each in result.excess
    )
    yield from _table(("from", "to", "traffic", ""), rows)
    if result.more_excess:
        yield f"<p>And {count(result.more_excess, 'more line')}.</p>\n"


def _names(ends: Sequence[EndRef]) -> str:
    return listed([str(end) for end in ends], 40)


def _strays(result: Shadow) -> Iterator[str]:
    if not result.unplaced:
        return
    yield "<h2>Not placed</h2>\n"
    rows = ((why, f"{number:,}") for why, number in strays(result))
    yield from _table(("why", "connections"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield '<div class="wide"><table><thead><tr>'
    yield from (f'<th scope="col">{shown(each)}</th>' for each in head)
    yield "</tr></thead><tbody>\n"
    for row in rows:
        yield f"<tr>{''.join(f'<td>{shown(each)}</td>' for each in row)}</tr>\n"
    yield "</tbody></table></div>\n"
