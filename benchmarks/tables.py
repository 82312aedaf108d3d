"""Tables of a run: made once, shown by a terminal or written into a page."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.limits import checked
from benchmarks.measured import Measured, Phase
from benchmarks.results import (
    READY,
    Entry,
    Results,
    doctor_growth,
    drift_growth,
    growth,
    shadow_growth,
)
from benchmarks.targets import judged
from benchmarks.worlds import WORLDS

_MB, _GB = 1e6, 1e9
_SECOND, _MILLISECOND = 1.0, 1e-3
_MANY, _LARGE = 10, 100


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings.

    Args:
        title: What it is about.
        headings: Those of the columns; the first is text, the others are numbers.
        rows: The cells.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def seconds(value: float) -> str:
    """Return a time as people read it.

    >>> seconds(12.345), seconds(0.0123), seconds(0.0000123), seconds(86400)
    ('12.3 s', '12.3 ms', '12.3 µs', '24 h')
    """
    if value >= 2 * 3600:
        return f"{value / 3600:,.0f} h"
    if value >= _LARGE:
        return f"{value:,.0f} s"
    for unit, size in (("s", _SECOND), ("ms", _MILLISECOND)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def quantity(value: float, unit: str) -> str:
    """Return a value with its unit."""
    if unit == "s":
        return seconds(value)
    if unit == "B":
        return f"{value / _GB:.2f} GB" if value >= _GB else f"{value / _MB:.0f} MB"
    return f"{unit}{value:.2f}"


def times(value: float) -> str:
    """Return a ratio as people read it."""
    return f"{value:,.0f} times" if value >= _MANY else f"{value:.2g} times"


def targets(results: Results) -> Table:
    """Return every target beside what was measured."""
    rows = tuple(
        (
            each.target.what,
            f"≤ {quantity(each.target.most, each.target.unit)}",
            "-" if each.value is None else quantity(each.value, each.target.unit),
            str(each),
        )
        for each in judged(results)
    )
    return Table("Targets", ("What", "Target", "Measured", "Result"), rows)


def worlds(_: Results) -> Table:
    """Return what each world is."""
    rows = tuple(
        (f"`{world.name}`", f"{world.what}", f"{world.full:,} {world.unit}", f"`{world.profile}`")
        for world in WORLDS.values()
    )
    return Table("Worlds", ("World", "What it is", "Measured with", "Profile"), rows)


def ready(results: Results) -> Table:
    """Return what every world took to be ready, and a question then."""
    headings = (
        "World",
        "Pods",
        "Policies",
        "Load",
        "of it compile",
        "Bind",
        "Ready, CPU",
        "Ready, wall",
        "First why",
        "Why, median",
        "Why, longest",
        "Peak",
        "of it before",
        "Held against the oracle",
    )
    rows: list[tuple[str, ...]] = []
    for each in _of(results, "ready", "ready"):
        found = each.found
        cells = _nothing(found, len(headings) - 1)
        if found.phases:
            why = found.phases["why"]
            cells = (
                *_counts(found),
                seconds(found.cpu("load")),
                seconds(found.cpu("compile")),
                seconds(found.cpu("bind")),
                seconds(found.cpu(*READY)),
                seconds(found.wall(*READY)),
                seconds(found.wall("first why")),
                seconds(why.wall),
                seconds(why.worst or 0),
                quantity(found.peak, "B"),
                quantity(found.before, "B"),
                _agreement(found),
            )
        rows.append((str(each.step.arguments["world"]), *cells))
    return Table("From decoded objects to answers", headings, tuple(rows))


def all_pairs(results: Results) -> Table:
    """Return what everybody to everybody took, and others beside it."""
    headings = (
        "World",
        "Pods",
        "Policies",
        "Who",
        "All pairs, CPU",
        "Beside the engine",
        "One pair",
        "Peak",
        "Open pairs, TCP/8080",
        "Held against the oracle",
    )
    rows: list[tuple[str, ...]] = []
    for each in _of(results, "all-pairs", "all-pairs"):
        found, arguments = each.found, each.step.arguments
        engine = results.one("all-pairs", world=arguments["world"], who="engine")
        if not found.phases:
            counts = _counts(engine) if engine else ("-", "-")
            cells = (*counts, str(arguments["who"]), *_nothing(found, len(headings) - 4))
        else:
            whole = found.facts.get("pairs asked", 0) == found.facts.get("pairs", 0)
            cpu = found.cpu("all pairs")
            single = found.phases.get("one pair")
            cells = (
                *_counts(found),
                str(arguments["who"]),
                seconds(cpu) if whole else f"about {seconds(cpu)}",
                times(cpu / engine.cpu("all pairs")) if engine else "-",
                seconds(single.cpu) if single else "-",
                quantity(found.peak, "B"),
                f"{found.facts['reachable']:,.0f}" if "reachable" in found.facts else "-",
                _agreement(found) if arguments["who"] != "oracle" else "it is the oracle",
            )
        rows.append((str(arguments["world"]), *cells))
    return Table("Everybody to everybody", headings, tuple(rows))


def what_if(results: Results) -> Table:
    """Return what a changed policy took."""
    headings = (
        "World",
        "Pods",
        "Policies",
        "Ready, CPU",
        "What-if, median CPU",
        "median wall",
        "longest",
        "of ready",
        "A new label",
        "Held against the oracle",
    )
    rows: list[tuple[str, ...]] = []
    for each in _of(results, "what-if", "what-if"):
        found = each.found
        cells = _nothing(found, len(headings) - 1)
        if "what-if" in found.phases:
            phase = found.phases["what-if"]
            cells = (
                *_counts(found),
                seconds(found.cpu(*READY)),
                seconds(phase.cpu),
                seconds(phase.wall),
                seconds(phase.worst or 0),
                f"{phase.cpu / found.cpu(*READY):.2%}",
                seconds(found.wall("new label")),
                _agreement(found),
            )
        rows.append((str(each.step.arguments["world"]), *cells))
    return Table("One policy changed", headings, tuple(rows))


def replays(results: Results) -> Table:
    """Return what verdicts on many flows took."""
    headings = (
        "World",
        "Pods",
        "Policies",
        "Flows",
        "All at once, CPU",
        "wall",
        "Again, CPU",
        "One by one, each",
        "of that, each",
        "Peak",
        "of it before",
    )
    rows: list[tuple[str, ...]] = []
    for each in _of(results, "replay", "replay"):
        found = each.found
        cells = _nothing(found, len(headings) - 1)
        if "replay" in found.phases:
            flows = found.facts["flows"]
            alone = found.cpu("one by one") / found.facts["asked alone"]
            cells = (
                *_counts(found),
                f"{flows:,.0f}",
                seconds(found.cpu("replay")),
                seconds(found.wall("replay")),
                seconds(found.cpu("again")),
                seconds(alone),
                f"{found.cpu('replay') / flows / alone:.2%}",
                quantity(found.peak, "B"),
                quantity(found.before, "B"),
            )
        rows.append((str(each.step.arguments["world"]), *cells))
    return Table("Many flows judged", headings, tuple(rows))


def growths(results: Results) -> Table:
    """Return how the way to readiness grows."""
    rows = []
    for line, points in results.lines():
        by, world, what = line.split("|")
        found = growth(by, points)
        sizes = " · ".join(f"{each.facts[by]:,.0f}" for each in points)
        taken = " · ".join(seconds(each.cpu(*READY)) for each in points)
        rows.append((world, by, what, sizes, taken, "-" if found is None else f"n^{found:.2f}"))
    headings = ("World", "Grows in", "What else", "Sizes", "Ready, CPU", "Growth")
    return Table("Growth", headings, tuple(rows))


def disk(results: Results) -> Table:
    """Return what inputs on disk took."""
    headings = (
        "Input",
        "Size",
        "Objects",
        "Parser alone",
        "Read",
        "Load",
        "Bind",
        "Ready, CPU",
        "Ready, wall",
        "Peak",
        "of it before",
    )
    rows: list[tuple[str, ...]] = []
    for each in _of(results, "disk", "read-ready"):
        path, found = each.step.arguments["path"], each.found
        written, plain, read = (
            results.one(measure, path=path) for measure in ("write", "parsed", "read")
        )
        name = str(path).rpartition("/")[2]
        if not (found.phases and written and plain and read):
            rows.append((name, *_nothing(found, len(headings) - 1)))
            continue
        size = written.facts["bytes"]
        cells = (
            f"{size / _MB:.0f} MB",
            f"{written.facts['objects']:,.0f}",
            seconds(plain.cpu("parse")),
            seconds(read.cpu("read")),
            seconds(found.cpu("load")),
            seconds(found.cpu("bind")),
            seconds(found.cpu(*READY)),
            seconds(found.wall(*READY)),
            quantity(found.peak, "B"),
            quantity(found.before, "B"),
        )
        rows.append((name, *cells))
    return Table("From disk", headings, tuple(rows))


_COMMANDS = {
    "python": "`python -c pass`",
    "click": "`python -c 'import click'`",
    "help": "`cloison --help`",
    "why": "`cloison why web/case-portal evidence/evidence-api:8080`",
}


def startup(results: Results) -> Table:
    """Return what commands take that have little to do."""
    found = results.one("startup")
    phases: dict[str, Phase] = found.phases if found else {}
    least = phases["click"].cpu if phases else 1
    rows = tuple(
        (_COMMANDS[name], seconds(phase.cpu), seconds(phase.wall), times(phase.cpu / least))
        for name, phase in phases.items()
    )
    headings = ("Command", "CPU, median", "Wall, median", "Beside import click")
    return Table("Commands that have little to do", headings, rows)


def doctor(results: Results) -> Table:
    """Return what examinations took, and asking about the same calls beside them."""
    headings = (
        "Workloads",
        "Policies",
        "Calls",
        "Findings",
        "Doctor, CPU",
        "A why of each call, CPU",
        "Beside that",
        "Peak",
        "of it before",
    )
    rows: list[tuple[str, ...]] = []
    for each in _of(results, "doctor", "doctor"):
        found = each.found
        cells = _nothing(found, len(headings) - 1)
        if found.phases:
            cpu, asked = found.cpu("doctor"), found.cpu("whys")
            cells = (
                f"{found.facts['policies']:,.0f}",
                f"{found.facts['calls']:,.0f}",
                f"{found.facts['findings']:,.0f}",
                seconds(cpu),
                seconds(asked),
                times(cpu / asked),
                quantity(found.peak, "B"),
                quantity(found.before, "B"),
            )
        rows.append((f"{each.step.arguments['workloads']:,}", *cells))
    grown = doctor_growth(results)
    if grown is not None:
        rows.append(("growth", "", "", "", f"n^{grown:.2f}", "", "", "", ""))
    return Table("The doctor", headings, tuple(rows))


def drift(results: Results) -> Table:
    """Return what drift took, and a plain look at the same flows beside it."""
    headings = (
        "Workloads",
        "Edges",
        "Hours",
        "Findings",
        "Drift, CPU",
        "Each edge in each hour, CPU",
        "Beside that",
        "Peak",
        "of it before",
    )
    rows: list[tuple[str, ...]] = []
    for each in _of(results, "drift", "drift"):
        found = each.found
        cells = _nothing(found, len(headings) - 1)
        if found.phases:
            cpu, plain = found.cpu("drift"), found.cpu("hour by hour")
            cells = (
                f"{found.facts['edges']:,.0f}",
                f"{found.facts['hours']:,.0f}",
                f"{found.facts['findings']:,.0f}",
                seconds(cpu),
                seconds(plain),
                times(cpu / plain),
                quantity(found.peak, "B"),
                quantity(found.before, "B"),
            )
        rows.append((f"{each.step.arguments['workloads']:,}", *cells))
    grown = drift_growth(results)
    if grown is not None:
        rows.append(("growth", "", "", "", f"n^{grown:.2f}", "", "", "", ""))
    return Table("Drift", headings, tuple(rows))


def shadow(results: Results) -> Table:
    """Return what shadow took, and a question for each edge beside it."""
    headings = (
        "Workloads",
        "Edges",
        "Shadow, CPU",
        "A question for each edge, CPU",
        "Beside that",
        "Peak",
        "of it before",
    )
    rows: list[tuple[str, ...]] = []
    for each in _of(results, "shadow", "shadow"):
        found = each.found
        cells = _nothing(found, len(headings) - 1)
        if found.phases:
            cpu, plain = found.cpu("shadow"), found.cpu("one by one")
            cells = (
                f"{found.facts['edges']:,.0f}",
                seconds(cpu),
                seconds(plain),
                times(cpu / plain),
                quantity(found.peak, "B"),
                quantity(found.before, "B"),
            )
        rows.append((f"{each.step.arguments['workloads']:,}", *cells))
    grown = shadow_growth(results)
    if grown is not None:
        rows.append(("growth", "", f"n^{grown:.2f}", "", "", "", ""))
    return Table("Shadow", headings, tuple(rows))


def peers(results: Results) -> Table:
    """Return what other analyzers take on the same files."""
    rows = []
    for each in results.all("peer"):
        found, arguments = each.found, each.step.arguments
        cells: tuple[str, ...] = _nothing(found, 3)
        if found.phases:
            own = results.one("peer", who="cloison", size=arguments["size"])
            beside = times(found.cpu("list") / own.cpu("list")) if own else "-"
            cells = (seconds(found.cpu("list")), seconds(found.wall("list")), beside)
        rows.append((str(arguments["who"]), f"{arguments['size']:,}", *cells))
    headings = ("Who", "Workloads", "All pairs, CPU", "Wall", "Beside Cloison")
    return Table("Other analyzers", headings, tuple(rows))


def limits(results: Results) -> Table:
    """Return what a short run is judged by."""
    rows = tuple(
        (each.what, f"{each.value:.2f}", f"≤ {each.most:g}", "passed" if each.passed else "FAILED")
        for each in checked(results)
    )
    return Table("Ratios", ("What", "Measured", "Limit", "Result"), rows)


_MEASURED: Sequence[Callable[[Results], Table]] = (
    ready,
    all_pairs,
    what_if,
    replays,
    growths,
    disk,
    startup,
    doctor,
    drift,
    shadow,
    peers,
)


def tables(results: Results) -> Iterator[Table]:
    """Iterate over the tables of a run that have something in them."""
    first = limits if results.smoke else targets
    for make in (*_MEASURED, first):
        made = make(results)
        if made.rows:
            yield made


def _of(results: Results, scenario: str, measure: str) -> Iterable[Entry]:
    return (each for each in results.all(measure) if each.step.scenario == scenario)


def _counts(found: Measured) -> tuple[str, str]:
    return f"{found.facts['pods']:,.0f}", f"{found.facts['policies']:,.0f}"


def _nothing(found: Measured, columns: int) -> tuple[str, ...]:
    """Return the cells of what was not measured: why, and nothing."""
    said = f"FAILED: {found.failed}" if found.failed else f"left out: {found.skipped}"
    return said, *("" for _ in range(columns - 1))


def _agreement(found: Measured) -> str:
    asked = found.facts.get("sampled pairs", 0)
    if not asked:
        return "-"
    allowed = found.facts.get("allowed", 0)
    return f"{asked:,.0f} pairs, all alike; {allowed:,.0f} of them allowed"
