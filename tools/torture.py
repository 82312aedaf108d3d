"""Write what is derived from the selector torture set in `conformance/torture/`.

Run from anywhere in the checkout:

    python tools/torture.py

It writes `conformance/torture/table.json` from the cases, and the tables between the markers of
`docs/concepts/torture.md` from the cases and `conformance/torture/results/*.json`, which
`tools/torture_peers.py` records. Tests hold both up to date.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "conformance" / "torture"
RESULTS = CORPUS / "results"
TABLE = CORPUS / "table.json"
PAGE = ROOT / "docs" / "concepts" / "torture.md"
FORMAT = "1"
MANIFESTS = ("workloads.yaml", "policies.yaml", "refused.yaml")
DEFINED = "defined"

Answers: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One directory of the set.

    Args:
        name: Of the directory.
        trap: What goes wrong, in one sentence.
        sources: Who says what is right.
        isolated: By pod or Deployment, the directions in which policies isolate it.
        questions: Rows as in `table.json`.
    """

    name: str
    trap: str
    sources: tuple[str, ...]
    isolated: dict[str, list[str]]
    questions: tuple[dict[str, Any], ...]

    @property
    def directory(self) -> Path:
        """Where the case is."""
        return CORPUS / self.name

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the manifests, in the order in which to apply them."""
        return tuple(name for name in MANIFESTS if (self.directory / name).exists())

    def documents(self) -> list[dict[str, Any]]:
        """Return every object, those that the API server refuses included."""
        return [
            document
            for name in self.files
            for document in yaml.safe_load_all((self.directory / name).read_text("utf-8"))
        ]


def cases() -> tuple[Case, ...]:
    """Return every case, by name."""
    return tuple(_case(path.parent) for path in sorted(CORPUS.glob("*/tests.yaml")))


def _case(directory: Path) -> Case:
    document = yaml.safe_load((directory / "tests.yaml").read_text("utf-8"))
    about = document["metadata"]
    notes = {note["row"]: note for note in about.get("notes", ())}
    rows = document["tests"]
    unknown = notes.keys() - {row["name"] for row in rows}
    if unknown or about["name"] != directory.name:
        msg = f"{directory.name}: its name, or a note's row, is that of nothing: {unknown}"
        raise ValueError(msg)
    return Case(
        directory.name,
        about["trap"],
        tuple(about["sources"]),
        about["isolated"],
        tuple(_question(row, notes.get(row["name"])) for row in rows),
    )


def _question(row: dict[str, Any], note: dict[str, str] | None) -> dict[str, Any]:
    said = {"basis": note["basis"], "specification": note["specification"]} if note else {}
    return {**row, "basis": DEFINED, **said}


def table(found: tuple[Case, ...]) -> str:
    """Return the text of `table.json`."""
    listed = [
        {
            "case": case.name,
            "trap": case.trap,
            "sources": list(case.sources),
            "manifests": list(case.files),
            "isolated": case.isolated,
            "questions": list(case.questions),
        }
        for case in found
    ]
    return json.dumps({"format": FORMAT, "cases": listed}, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Score:
    """How one tool did on one case.

    Args:
        asked: How many questions were put.
        right: How many of its answers were right.
        wrong: The questions it answered otherwise, where the specification settles them.
        differs: The questions it answered otherwise, where the specification leaves them open.
        unanswered: How many questions it does not judge.
        silent: Why it did not answer, where it did not.
        refuses: Whether that is because it refuses an object, as the API server does.
    """

    asked: int
    right: int = 0
    wrong: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    unanswered: int = 0
    silent: str = ""
    refuses: bool = False

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong or missing."""
        return self.refuses or not (self.wrong or self.unanswered)

    def __str__(self) -> str:
        """Return the cell of the table."""
        if self.refuses:
            return "right: refuses it"
        if self.silent:
            return "no answer"
        parts = [f"**{len(self.wrong)} of {self.asked} wrong**"] if self.wrong else []
        parts += [f"differs on {len(self.differs)} open"] if self.differs else []
        parts += [f"{self.unanswered} of {self.asked} not judged"] if self.unanswered else []
        return ", ".join(parts) or "right"


def results() -> tuple[Answers, ...]:
    """Return the recorded answers of every tool: ours first, then by what was asked, by name."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    return tuple(sorted(found, key=lambda r: (r["tool"] != "Cloison", r["asks"] != "reach")))


def score(case: Case, tool: Answers) -> Score:
    """Compare a tool's answers on a case with the right ones.

    Raises:
        ValueError: the recorded answers are not about the questions of the case.
    """
    right = expected(case, tool["asks"])
    if case.name in tool["silent"]:
        # Refusing as a whole what the API server refuses is as good as answering without it.
        refuses = "refused.yaml" in case.files
        silent = tool["silent"][case.name]
        return Score(len(right), unanswered=len(right), silent=silent, refuses=refuses)
    given: Answers = tool["answers"].get(case.name, {})
    if right.keys() != given.keys():
        msg = f"{tool['tool']} was not asked the questions of {case.name}; record it anew"
        raise ValueError(msg)
    open_ = {row["name"] for row in case.questions if row["basis"] != DEFINED}
    other = [q for q, answer in right.items() if given[q] not in (answer, None)]
    wrong = tuple(q for q in other if q not in open_)
    differs = tuple(q for q in other if q in open_)
    unanswered = sum(answer is None for answer in given.values())
    count = len(right) - len(other) - unanswered
    return Score(len(right), count, wrong, differs, unanswered)


def expected(case: Case, asks: str) -> Answers:
    """Return the right answers to a kind of questions, by question.

    Args:
        case: Whose questions.
        asks: `reach`, connections by name; `directions`, by pod the directions in which it is
            isolated; `selected`, by pod whether any policy selects it.
    """
    if asks == "reach":
        return {row["name"]: row["expect"] for row in case.questions}
    if asks == "directions":
        return dict(case.isolated)
    return {pod: bool(directions) for pod, directions in case.isolated.items()}


def summary(found: tuple[Case, ...], tools: tuple[Answers, ...]) -> str:
    """Return the table of tools and how they did over all."""
    lines = ["| checker | version | asked about | questions | right | wrong | differs where open |"]
    lines[0] += " no answer | cases without a mistake or a gap |"
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for tool in tools:
        scores = [score(case, tool) for case in found]
        counted = [
            sum(s.asked for s in scores),
            sum(s.right for s in scores),
            sum(len(s.wrong) for s in scores),
            sum(len(s.differs) for s in scores),
            sum(s.unanswered for s in scores),
        ]
        clean = f"{sum(s.clean for s in scores)} of {len(scores)}"
        about = "connections" if tool["asks"] == "reach" else "pods"
        cells = [tool["tool"], tool["version"], about, *map(str, counted), clean]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def methods(tools: tuple[Answers, ...]) -> str:
    """Return how each tool was asked, and how what it printed became an answer."""
    return "\n".join(
        f"- **{tool['tool']} {tool['version']}**, {tool['from']}. Asked: {tool['asked']} "
        f"Run: `{tool['command']}`. Read as: {tool['mapped']}"
        for tool in tools
    )


def details(found: tuple[Case, ...], tools: tuple[Answers, ...]) -> str:
    """Return the table of cases, one column for each tool."""
    lines = [f"| case | {' | '.join(tool['tool'] for tool in tools)} |"]
    lines.append("|---|" + "---|" * len(tools))
    for case in found:
        open_ = any(row["basis"] != DEFINED for row in case.questions)
        cells = [f"`{case.name}`" + (" (o)" if open_ else "")]
        cells += [str(score(case, tool)) for tool in tools]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def reasons(found: tuple[Case, ...], tools: tuple[Answers, ...]) -> str:
    """Return what each tool got wrong or did not answer, case by case."""
    parts: list[str] = []
    for tool in tools:
        lines = []
        for case in found:
            outcome = score(case, tool)
            if outcome.silent:
                lines.append(f"- `{case.name}`: {outcome}. It says: {outcome.silent}")
            right = expected(case, tool["asks"])
            for question in (*outcome.wrong, *outcome.differs):
                said = tool["answers"][case.name][question]
                text = question.removeprefix(f"{case.name}: ")
                ours = "right is" if question in outcome.wrong else "open, the table has"
                shown = f"said {_words(said)}, {ours} {_words(right[question])}"
                lines.append(f"- `{case.name}`: {text}: {shown}")
        if lines:
            parts.append(f"### {tool['tool']}\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _words(answer: object) -> str:
    if isinstance(answer, list):
        return "isolated for " + " and ".join(answer) if answer else "not isolated"
    if isinstance(answer, bool):
        return "selected" if answer else "not selected"
    return str(answer)


def traps(found: tuple[Case, ...]) -> str:
    """Return the table of cases with the trap in each."""
    lines = ["| case | trap |", "|---|---|"]
    lines += [f"| `{case.name}` | {case.trap} |" for case in found]
    return "\n".join(lines)


def page(text: str, found: tuple[Case, ...], tools: tuple[Answers, ...]) -> str:
    """Return the documentation page with its tables renewed."""
    for name, block in (
        ("summary", summary(found, tools)),
        ("methods", methods(tools)),
        ("details", details(found, tools)),
        ("reasons", reasons(found, tools)),
        ("traps", traps(found)),
    ):
        start, end = f"<!-- {name}: written by tools/torture.py -->", f"<!-- end {name} -->"
        pattern = re.compile(f"(?<={re.escape(start)}\n).*?(?={re.escape(end)})", re.DOTALL)
        count = len(pattern.findall(text))
        text = pattern.sub(f"\n{block}\n\n".replace("\\", r"\\"), text)
        if count != 1:
            msg = f"the page must have the markers of {name} once, not {count} times"
            raise ValueError(msg)
    return text


def main() -> None:
    """Write the derived files."""
    found, tools = cases(), results()
    TABLE.write_text(table(found), "utf-8")
    PAGE.write_text(page(PAGE.read_text("utf-8"), found, tools), "utf-8")
    print(f"{len(found)} cases, {sum(len(c.questions) for c in found)} questions")


if __name__ == "__main__":
    main()
