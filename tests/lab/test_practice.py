"""The exercises: what they start from fails, what they propose holds, and packets say both."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloison.analyses.matrix import Expect
from cloison.analyses.practice import Exercise, Practised
from cloison.app import load
from cloison.app.practice import (
    CLUSTER,
    NAME,
    TESTS,
    TEXT,
    USUAL,
    Desk,
    bench,
    check,
    exercises,
    find,
    read,
)
from cloison.base import QuestionError, SourceError
from cloison.cli import main
from cloison.cli.commands.practice import DIRECTORY
from cloison.examples import practice
from cloison.probe.lab.client import Lab
from cloison.report import PLAIN
from cloison.report.text.practice import lines, listing
from tests.support.cli import Ran, run_process

KNOWN = exercises(practice())
SOLVED = [each for each in KNOWN if not each.sheet.beliefs]

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture(scope="module", autouse=True)
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the labs of these tests apart from those of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        yield
        for lab in Lab.all():
            lab.down()


def set_up(exercise: Exercise | str, below: Path) -> Desk:
    found = find(KNOWN, exercise) if isinstance(exercise, str) else exercise
    desk = Desk.of(found, below)
    desk.lay_out()
    return desk


def solve(desk: Desk) -> None:
    for file in (desk.exercise.directory / "solution").iterdir():
        (desk.directory / file.name).write_bytes(file.read_bytes())


def edit(desk: Desk, old: str, new: str, name: str = "policies.yaml") -> None:
    path = desk.directory / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def failing(result: Practised) -> set[str]:
    return {each.row.name for each in result.findings if not each.held}


def printed(result: Practised, desk: Desk) -> str:
    return "\n".join(lines(result, None, str(desk.directory), PLAIN))


def by_engine(exercise: Exercise, files: Path) -> set[str]:
    """Return the rows that fail where nobody but the engine is asked."""
    known = exercise.directory
    found = load(known / CLUSTER, *files.glob("*.yaml")).verify([str(known / TESTS)])
    return {each.row.name for each in found if not each.passed}


def test_they_are_numbered_from_one() -> None:
    assert [each.number for each in KNOWN] == list(range(1, len(KNOWN) + 1))
    assert len(KNOWN) >= 10


def commands(desk: Desk) -> Iterator[list[str]]:
    """Yield the commands of a text, but for those that take the place of the process."""
    for line in desk.text().splitlines():
        if line.startswith("    "):
            program, *words = shlex.split(line)
            assert program == "cloison"
            if words[0] == "lab" and words[1] != "practice":
                assert words[2:4] == ["--name", NAME], line
            if words[:2] not in (["lab", "exec"], ["lab", "practice"]):
                yield words


@pytest.mark.parametrize("exercise", KNOWN, ids=lambda each: each.name)
def test_the_start_fails_and_the_solution_holds(
    exercise: Exercise, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    desk = set_up(exercise, tmp_path)
    before = check(desk)
    assert not before.done
    assert not before.refused
    counted = {each.name for each in exercise.sheet.counted}
    if not exercise.sheet.beliefs:
        assert failing(before) - counted == by_engine(exercise, exercise.directory / "start")
    assert any(each.held for each in before.findings), "what is right shows what is not"
    for each in before.findings:
        if not each.held:
            assert each.hint, each.row.name
            assert each.hint.split()[0] in printed(before, desk)
    for words in commands(desk):
        assert main(words) in (0, 1), words
        assert capfd.readouterr().out, words
    solve(desk)
    after = check(desk)
    assert after.done, printed(after, desk)
    assert not after.fresh, "a change of policies does not need another lab"
    for each in after.findings:
        if each.row.expect is Expect.DENY and each.measured is not None:
            assert all(cell.control for cell in each.measured.cells), each.row.name


@pytest.mark.parametrize("exercise", SOLVED, ids=lambda each: each.name)
def test_neither_all_open_nor_all_closed_is_an_answer(exercise: Exercise, tmp_path: Path) -> None:
    assert by_engine(exercise, tmp_path), "no policy at all"
    (tmp_path / "closed.yaml").write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: closed, namespace: shop}\n"
        "spec: {podSelector: {}, policyTypes: [Ingress, Egress]}\n",
        encoding="utf-8",
    )
    assert by_engine(exercise, tmp_path), "everything closed"


@pytest.mark.parametrize("exercise", KNOWN, ids=lambda each: each.name)
def test_there_is_a_hint_for_every_row(exercise: Exercise) -> None:
    rows = {
        each.row.name
        for each in load(exercise.directory / CLUSTER).verify([str(exercise.directory / TESTS)])
    }
    rows |= {each.name for each in exercise.sheet.counted}
    assert set(exercise.sheet.when) == rows


def test_a_name_that_does_not_resolve_is_called_that(tmp_path: Path) -> None:
    desk = set_up("dns", tmp_path)
    solve(desk)
    edit(desk, "[{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]", "[{port: 53}]")
    result = check(desk)
    assert failing(result) == {"web-dns-udp", "db-dns-udp"}
    said = printed(result, desk)
    assert "hint: the name does not resolve: DNS over UDP/53 to kube-system is still closed" in said
    assert "must be open: shop/dns isolates egress  policies.yaml:" in said


_FAULTS = {
    "label": ("{kubernetes.io/metadata.name: ingress}", "{name: ingress}", "gateway-to-web"),
    "selector": (
        "  podSelector: {matchLabels: {app: api}}\n  policy",
        "  podSelector: {matchLabels: {app: shop-api}}\n  policy",
        "web-to-api",
    ),
    "port": (
        "to: [{podSelector: {matchLabels: {app: api}}}]\n      ports: [{port: 8080}]",
        "to: [{podSelector: {matchLabels: {app: api}}}]\n      ports: [{port: 80}]",
        "web-to-api",
    ),
    "egress": (
        "    - to: [{podSelector: {matchLabels: {app: db}}}]\n      ports: [{port: 5432}]\n",
        "    []\n",
        "api-to-db",
    ),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_each_fault_breaks_something_by_itself(fault: str, tmp_path: Path) -> None:
    desk = set_up("break-and-debug", tmp_path)
    solve(desk)
    old, new, row = _FAULTS[fault]
    edit(desk, old, new)
    assert row in failing(check(desk))


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        (
            "          podSelector: {matchLabels: {app: gateway}}",
            "        - podSelector: {matchLabels: {app: gateway}}",
            {"dashboard-to-web"},
        ),
        ("203.0.113.0/28", "0.0.0.0/0", {"api-to-internet"}),
        (
            "{cidr: 203.0.113.0/28}}]\n      ports: [{port: 443}]",
            "{cidr: 0.0.0.0/0}}]",
            {"api-to-internet", "api-to-metadata"},
        ),
    ],
)
def test_what_is_too_wide_is_found(old: str, new: str, rows: set[str], tmp_path: Path) -> None:
    desk = set_up("review", tmp_path)
    solve(desk)
    edit(desk, old, new)
    assert failing(check(desk)) == rows


def test_a_path_that_the_wrong_rule_carries_is_not_done(tmp_path: Path) -> None:
    desk = set_up("watch-the-counters", tmp_path)
    solve(desk)
    edit(desk, "name: scrape", "name: another")
    result = check(desk)
    assert failing(result) == {"scrape-counts"}
    assert "counted by shop/another ingress rule 1" in printed(result, desk)
    assert "must be counted by shop/scrape" in printed(result, desk)


def test_a_belief_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    desk = set_up("no-policy", tmp_path)
    solve(desk)
    text = (desk.directory / "beliefs.yaml").read_text(encoding="utf-8")
    first = text.index("  - name", text.index("  - name") + 1)
    (desk.directory / "beliefs.yaml").write_text(text[:first], encoding="utf-8")
    result = check(desk)
    assert len(failing(result)) == 4
    assert "hint: beliefs.yaml says nothing about it" in printed(result, desk)


def test_files_are_never_overwritten(tmp_path: Path) -> None:
    desk = Desk.of(find(KNOWN, "3"), tmp_path)
    assert set(desk.lay_out()) == {"policies.yaml", CLUSTER, TESTS, TEXT}
    for file in desk.directory.iterdir():
        file.write_text("mine", encoding="utf-8")
    (desk.directory / TEXT).unlink()
    assert desk.lay_out() == {"policies.yaml": False, CLUSTER: False, TESTS: False, TEXT: True}
    assert (desk.directory / "policies.yaml").read_text(encoding="utf-8") == "mine"
    assert list(desk.altered()) == [CLUSTER, TESTS]


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    desk = Desk.of(find(KNOWN, "3"), tmp_path)
    desk.directory.mkdir()
    (desk.directory / "policies.yaml").symlink_to(tmp_path / "elsewhere")
    assert desk.lay_out()["policies.yaml"] is False
    assert not (tmp_path / "elsewhere").exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="cannot be written"):
        Desk.of(KNOWN[0], tmp_path / "file").lay_out()


def test_the_exercise_goes_by_its_own_cluster(tmp_path: Path) -> None:
    desk = set_up("one-caller", tmp_path)
    (desk.directory / CLUSTER).write_text("", encoding="utf-8")
    result = check(desk)
    assert failing(result) == {"web-to-api"}
    assert "cluster.yaml is not as it was given" in result.notes[0]


def test_policies_that_cannot_be_read_are_not_measured(tmp_path: Path) -> None:
    desk = set_up("one-caller", tmp_path)
    edit(desk, "[Ingress]", "[ingress]")
    result = check(desk)
    assert (result.done, result.findings) == (False, ())
    assert "`ingress` is not a policy type" in printed(result, desk)


def test_a_lab_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    desk = set_up("one-caller", tmp_path)
    name = f"mine-{os.getpid()}"
    with Lab.up(bench(desk, *read(desk)).lab.plan, name) as other:
        with pytest.raises(QuestionError, match="is of no exercise"):
            check(desk, name)
        assert other.status().ok


def test_exercises_are_found_by_number_and_name() -> None:
    assert find(KNOWN, "03") is find(KNOWN, "one-caller") is find(KNOWN, "03-one-caller")
    with pytest.raises(QuestionError, match="no exercise '77'"):
        find(KNOWN, "77")


def test_the_list_says_what_is_done(tmp_path: Path) -> None:
    desk = set_up(KNOWN[0], tmp_path)
    desk.mark()
    said = list(listing([(e, Desk.of(e, tmp_path).done) for e in KNOWN], "here", PLAIN))
    assert [line.split()[0] for line in said if " done " in line] == ["1"]
    assert said[-1] == "next: cloison lab practice 2"
    assert list(listing([(e, True) for e in KNOWN], "here", PLAIN))[-1] == "all done"


def test_commands_of_the_texts_name_the_usual_directory() -> None:
    assert USUAL == DIRECTORY


def cloison(*words: str, cwd: Path) -> Ran:
    return run_process("lab", "practice", *words, cwd=cwd)


def test_a_person_does_an_exercise(tmp_path: Path) -> None:
    for lab in Lab.all():
        lab.down()  # who starts a lab has to be there when it ends
    ran = cloison("2", "--dir", "my files", cwd=tmp_path)
    assert ran.exit == 0, ran.err
    assert "  my files/02-ingress-deny/policies.yaml\n" in ran.out
    assert ran.out.endswith("when you are ready: cloison lab practice 2 --check\n")
    directory = tmp_path / "my files"
    ran = cloison("2", "--check", "--dir", str(directory), cwd=tmp_path)
    assert (ran.exit, ran.err) == (1, "")
    assert ran.out.startswith("2  Ingress deny: 2 of 5 hold\n")
    solve(Desk.of(KNOWN[1], directory))
    ran = cloison("ingress-deny", "--check", "--dir", "my files", cwd=tmp_path)
    assert ran.exit == 0, ran.out
    assert ran.out.endswith("next: cloison lab practice 3  (One caller)\n")
    ran = cloison("--dir", "my files", cwd=tmp_path)
    assert "   2  done   5 min  Ingress deny\n" in ran.out


def test_what_makes_no_sense_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (("--check",), ("3", "--check", "--solution"), ("77",), ("3", "--check")):
        assert main(["lab", "practice", *words]) == 2, words
        assert "help: " in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_solution_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "practice", "2", "--solution"]) == 0
    shown = capfd.readouterr().out
    assert "# policies.yaml\napiVersion: networking.k8s.io/v1\n" in shown


def test_numbers_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_CLOISON_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "cloison lab practice 1")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert run_process().out.split() == ["plain,1", "plain,10"]
