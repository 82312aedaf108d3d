"""`reconcile` as one self-contained page: a matrix of ends, and every cell with its evidence.

It has no script: boxes that are ticked show and hide kinds by style alone, and a cell of the matrix
is a link to the rows it stands for.
"""

from collections.abc import Iterator
from html import escape

from cloison.analyses.reconcile.asked import Asked
from cloison.analyses.reconcile.kinds import Cell
from cloison.analyses.reconcile.marks import Status
from cloison.analyses.reconcile.reconciled import EXCESS, Reconciled
from cloison.base import Span
from cloison.report.about import PLAIN, About
from cloison.report.documents.reconciled import decides, named, why
from cloison.report.html.frame import opening
from cloison.report.lacking import previews, sentences
from cloison.report.text.cubed import LETTERS, axis, opened, worst
from cloison.report.text.layout import listed, profile_line
from cloison.report.text.reconciled import head, measures, observed, seen_text
from cloison.report.xml import legal

_KINDS = "\n".join(
    f"body:has(#only-{kind}:not(:checked)) .{kind} {{ display: none; }}" for kind in LETTERS
)
_COLOURS = "\n".join(
    f".k-{kind} {{ color: var(--{kind}); font-weight: 600; }}\n"
    f".grid .k-{kind} {{ color: Canvas; background: var(--{kind}); }}"
    for kind in LETTERS
)
_MOST = 400
"""Ends of the matrix."""
_STYLE = f"""
:root {{
  color-scheme: light dark; --line: #8885;
  --contradicted: #8b1d8b; --broken: #b3261e; --attempted: #c4501b; --undocumented: #8a5a00;
  --undetermined: #5b5f66; --excess: #7a4a9e; --unused: #1d5fa8;
  --unobserved: #55708f; --healthy: #00664e;
}}
@media (prefers-color-scheme: dark) {{ :root {{
  --contradicted: #e08be0; --broken: #ff8a80; --attempted: #ffab7a; --undocumented: #f0b429;
  --undetermined: #b4bac4; --excess: #c9a0e8; --unused: #8ab8f0;
  --unobserved: #9fb6d0; --healthy: #3fcf9f;
}} }}
body {{
  font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif;
  margin: 0 auto; max-width: 1400px; padding: 16px 20px;
}}
h1 {{ font-size: 20px; margin: 0 0 8px; }} h2 {{ font-size: 16px; margin: 20px 0 6px; }}
p {{ margin: 4px 0; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
th, td {{
  text-align: left; vertical-align: top; padding: 3px 12px 3px 0;
  border-bottom: 1px solid var(--line);
}}
.grid td, .grid th {{ padding: 1px 4px; text-align: center; font-weight: 400; }}
.grid th:first-child {{ text-align: left; white-space: nowrap; }}
.grid a {{
  display: block; min-width: 1.2em; border-radius: 3px; text-decoration: none; font-weight: 700;
}}
label {{ margin-right: 14px; white-space: nowrap; }}
tr:target {{ outline: 2px solid; }}
code {{ font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12px; }}
.soft {{ opacity: 0.75; }}
{_COLOURS}
{_KINDS}
"""


def pieces(result: Reconciled, about: About) -> Iterator[str]:
    """Return the page, in pieces.

    Args:
        result: What was reconciled.
        about: What surrounds it.
    """
    homes = _homes(result)
    style = _STYLE + "\n".join(
        f"body:has(#home-{at}:not(:checked)) .home-{at} {{ display: none; }}"
        for at in range(len(homes))
    )
    yield opening("cloison reconcile", "Intended, permitted, observed", style)
    for note in (*head(result, PLAIN), *previews(about), *sentences(about)):
        yield f"<p>{_text(note)}</p>\n"
    yield from _boxes(result, homes)
    yield from _grid(result)
    yield from _cells(result, homes)
    yield from _excess(result)
    yield from _sources(result)
    yield from _strays(result)
    yield "<h2>Least privilege</h2>\n"
    yield from (f"<p>{_text(line)}</p>\n" for line in measures(result, PLAIN))
    yield f'<p class="soft">{_text(profile_line(about))}</p>\n</body>\n</html>\n'


def _homes(result: Reconciled) -> list[str]:
    """Return the namespaces that cells have ends in; empty for ends in none."""
    ends = (end for cell, _ in result.told() for end in (cell.source, cell.destination))
    return sorted({end.namespace for end in ends})


def _boxes(result: Reconciled, homes: list[str]) -> Iterator[str]:
    yield "<p>"
    counts = {kind: result.count(kind) for kind in LETTERS}
    for kind, number in counts.items():
        yield (
            f'<label><input type="checkbox" id="only-{kind}" checked> '
            f'<span class="k-{kind}">{LETTERS[kind]}</span> {kind} ({number})</label>'
        )
    yield "</p>\n<p>Cells between "
    for at, home in enumerate(homes):
        name = _text(home) if home else "<i>no namespace</i>"
        yield f'<label><input type="checkbox" id="home-{at}" checked> {name}</label>'
    yield "</p>\n"


def _grid(result: Reconciled) -> Iterator[str]:
    ends, left = axis(result, _MOST)
    found = worst(result, ends)
    first: dict[tuple[str, str], str] = {}
    for number, (cell, _) in enumerate(result.told()):
        first.setdefault(cell.names, f"c{number}")
    for pair, line in opened(result, frozenset(ends)).items():
        if found[pair] == EXCESS:
            first[pair] = f"x{line}"
    yield '<h2>Who calls whom</h2>\n<p class="soft">A row calls a column.</p>\n'
    yield '<div class="wide"><table class="grid"><thead><tr><th></th>'
    yield from (f'<th title="{_text(end)}">{at}</th>' for at, end in enumerate(ends, 1))
    yield "</tr></thead><tbody>\n"
    for at, source in enumerate(ends, 1):
        yield f"<tr><th>{_text(source)} {at}</th>"
        for destination in ends:
            kind = found.get((source, destination))
            if kind is None:
                yield "<td></td>"
                continue
            title = _text(f"{source} -> {destination}: {kind}")
            place = first[source, destination]
            yield (
                f'<td title="{title}"><a class="{kind} k-{kind}" href="#{place}">'
                f"{LETTERS[kind]}</a></td>"
            )
        yield "</tr>\n"
    yield "</tbody></table></div>\n"
    if left:
        yield f'<p class="soft">{left} more ends are in the lists below only.</p>\n'


def _cells(result: Reconciled, homes: list[str]) -> Iterator[str]:
    classes = {home: f"home-{at}" for at, home in enumerate(homes)}
    yield (
        '<h2>Cells</h2>\n<div class="wide"><table><thead><tr><th>kind</th><th>from</th><th>to</th>'
        "<th>traffic</th><th>intended</th><th>observed</th><th>permitted by</th><th>see</th></tr>"
        "</thead><tbody>\n"
    )
    for number, (cell, asked) in enumerate(result.told()):
        ends = dict.fromkeys((cell.source.namespace, cell.destination.namespace))
        yield _cell(number, cell, asked, result, " ".join(classes[end] for end in ends))
    yield "</tbody></table></div>\n"


def _cell(number: int, cell: Cell, asked: Asked, result: Reconciled, homes: str) -> str:
    said = [
        f"{_text(each.name)}{_soft(each.owner or '')}{_place(each.span)}" for each in cell.intended
    ]
    by, command = _decided(asked, result)
    some = f"{cell.traffic}{' (some requests)' if cell.conditional else ''}"
    columns = (
        f'<span class="k-{cell.kind}">{cell.kind}</span>',
        _text(cell.names[0]),
        _text(cell.names[1]),
        _text(some),
        "<br>".join(said),
        _text(observed(cell, result)),
        f"{cell.state}<br>{by}",
        command,
    )
    body = "".join(f"<td>{column}</td>" for column in columns)
    return f'<tr class="cell {cell.kind} {homes}" id="c{number}">{body}</tr>\n'


def _decided(asked: Asked, result: Reconciled) -> tuple[str, str]:
    """Return what decides, and the command that shows it."""
    by = [_text(each) for each in decides(asked)]
    by += [_text(f"caveat {each.id}: {each.text}") for each in asked.caveats]
    command = f"<code>{_text(why(asked, result))}</code>" if asked.words else ""
    return "<br>".join(by), command


def _excess(result: Reconciled) -> Iterator[str]:
    found = [line for line in result.told_excess() if line.permitted]
    if not found:
        return
    yield (
        "<h2>Excess: permitted, and nobody means it or uses it</h2>\n"
        '<div class="wide"><table><thead><tr><th>from</th><th>to</th><th>traffic</th>'
        "<th>observed</th><th>permitted by</th><th>see</th></tr></thead><tbody>\n"
    )
    for number, line in enumerate(found):
        source, destination = (
            listed([str(end) for end in side], 40) for side in (line.sources, line.destinations)
        )
        use = "not known" if line.unobserved else "never"
        columns = (source, "itself" if line.itself else destination, str(line.traffic), use)
        cells = (*map(_text, columns), *_decided(line.asked, result))
        body = "".join(f"<td>{each}</td>" for each in cells)
        yield f'<tr class="{EXCESS}" id="x{number}">{body}</tr>\n'
    yield "</tbody></table></div>\n"


def _sources(result: Reconciled) -> Iterator[str]:
    if not result.marks:
        return
    yield "<h2>Sources that the path model assumes</h2>\n<table><tbody>\n"
    style = {
        Status.CONFIRMED: "k-healthy",
        Status.REFUTED: "k-broken",
        Status.UNSEEN: "k-undetermined",
    }
    for mark in result.marks:
        one = mark.assumed
        instead = f"instead: {', '.join(mark.called)}" if mark.called else ""
        columns = (
            one.of,
            f"{named(one.source)} -> {named(one.destination)}",
            str(one.traffic),
            one.why,
            seen_text(mark.evidence, result),
            instead,
        )
        cells = "".join(f"<td>{_text(each)}</td>" for each in columns)
        yield f'<tr><td class="{style[mark.status]}">{mark.status}</td>{cells}</tr>\n'
    yield "</tbody></table>\n"


def _strays(result: Reconciled) -> Iterator[str]:
    for missing in result.cube.unmet:
        yield f"<p>unmet: {_text(missing.entry.name)}: {_text(missing.message)}</p>\n"
    if not result.cube.unplaced:
        return
    yield "<h2>Observed, and in no cell</h2>\n<table><tbody>\n"
    for each in result.cube.unplaced:
        seen = each.seen
        port = "" if seen.port is None else f"{seen.protocol or '?'}/{seen.port}"
        columns = (
            str(seen.source),
            str(seen.destination),
            port,
            seen.became,
            str(seen.count),
            each.why,
        )
        yield f"<tr>{''.join(f'<td>{_text(column)}</td>' for column in columns)}</tr>\n"
    yield "</tbody></table>\n"


def _soft(text: str) -> str:
    return f' <span class="soft">{_text(text)}</span>' if text else ""


def _place(span: Span | None) -> str:
    return f" <code>{_text(span.place)}</code>" if span else ""


def _text(text: str) -> str:
    return escape(legal(text))
