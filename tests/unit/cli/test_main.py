"""The command line in this process: exit codes, where words go, what is said of mistakes."""

import json
from importlib import import_module
from pathlib import Path

import click
import pytest

import cloison
from cloison.cli import main
from cloison.cli.app import cli
from cloison.cli.commands.schema import NAMES
from cloison.cli.main import program
from tests.support.cli import ROOT
from tests.unit.report.results import CORNERS

EXAMPLE = str(ROOT / "examples" / "case-management")
BROKEN = str(ROOT / "examples" / "case-management-broken")
DENIED = ("web/case-portal", "evidence/evidence-api:8080", "-f", EXAMPLE)
OPEN = ("web/case-portal", "case-management/case-api:8080", "-f", EXAMPLE)


@pytest.fixture
def world(tmp_path: Path) -> str:
    (tmp_path / "corners.yaml").write_text(CORNERS, encoding="utf-8")
    return str(tmp_path)


@pytest.fixture
def unreadable(tmp_path: Path) -> str:
    (tmp_path / "corners.yaml").write_text(f"{CORNERS}---\nkind: [\n", encoding="utf-8")
    return str(tmp_path)


def _run(*args: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(list(args))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("why", *DENIED), 0),
        (("why", *DENIED, "--exit-code"), 1),
        (("why", *OPEN, "--exit-code"), 0),
        (("map", "-f", EXAMPLE), 0),
        (("effective", "web/case-portal", "-f", EXAMPLE), 0),
        (("verify", "-f", EXAMPLE), 0),
        (("verify", "-f", BROKEN), 1),
        (("validate", "-f", BROKEN), 0),
        (("validate", "-f", BROKEN, "--fail-on", "warning"), 1),
        (("validate", "-f", BROKEN, "--fail-on", "never"), 0),
        (("validate", "-f", EXAMPLE, "--fail-on", "warning"), 0),
        (("why", "web/case-portal", "no/such:80", "-f", EXAMPLE), 2),
        (("map", "-f", "no/such/place"), 2),
        (("map", "-f", EXAMPLE, "--cni", "no-such"), 2),
        (("map", "-f", EXAMPLE, "--pod-cidr", "no-block"), 2),
        (("map", "-f", EXAMPLE, "-o", "xml"), 2),
        (("why", "web/case-portal"), 2),
        (("no-such-command",), 2),
        (("--help",), 0),
        (("version",), 0),
    ],
)
def test_exit_codes(args: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(*args, capsys=capsys)[0] == code


def test_an_unreadable_document_costs_two_only_when_strict(
    unreadable: str, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ("why", "a/many", "a/one:80", "-f", unreadable)
    code, out, err = _run(*args, capsys=capsys)
    assert code == 0
    assert "DENIED" in out
    assert "error[SRC" in err
    assert "1 document could not be read" in out
    assert _run(*args, "--strict", capsys=capsys)[0] == 2
    assert _run(*args, "--strict", "--exit-code", capsys=capsys)[0] == 2
    assert _run("validate", "-f", unreadable, capsys=capsys)[0] == 1
    assert _run("validate", "-f", unreadable, "--strict", capsys=capsys)[0] == 2
    code, out, _ = _run(*args, "-o", "json", capsys=capsys)
    assert code == 0
    assert [d["severity"] for d in json.loads(out)["diagnostics"]] == ["error"]


def test_a_row_that_cannot_be_asked_is_two(
    world: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = tmp_path / "rows.txt"
    tests.write_text("tests: [{name: r, from: a/gone, to: a/one, expect: deny}]", encoding="utf-8")
    code, out, _ = _run("verify", "-f", world, "--tests", str(tests), capsys=capsys)
    assert code == 2
    assert "there is no workload or pod 'a/gone'" in out


@pytest.mark.parametrize(
    ("args", "error", "help_"),
    [
        (
            ("why", "web/portal", "evidence/api:80", "-f", EXAMPLE),
            "error: there is no workload or pod 'web/portal'",
            "help: did you mean web/case-portal?",
        ),
        (("map", EXAMPLE), "is a path, and arguments name ends", f"did you mean -f {EXAMPLE}?"),
        (("why", "./m.yaml", "a/b"), "error: './m.yaml' is a path", "did you mean -f ./m.yaml?"),
        (("effective", "m.yaml"), "error: 'm.yaml' is a path", "did you mean -f m.yaml?"),
        (("effective",), "error: name a workload", "cloison effective --help"),
        (("effective", "a/b", "--policy", "a/c"), "not both", "help:"),
        (("map", "--grouped", "-f", EXAMPLE), "--grouped has no text output", "help: say -o json"),
        (("map", "--grouped", "-o", "csv"), "--grouped has no csv output", "help: say -o json"),
        (("map", "--grouped", "-o", "jsonl"), "--grouped has no jsonl output", "help: say -o json"),
        (("why", "--nonsense"), "error: No such option", "help:"),
        (("map", "-f", EXAMPLE, "--kubernetes-version", "x"), "is not a version", "help:"),
    ],
)
def test_mistakes_are_explained(
    args: tuple[str, ...], error: str, help_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _run(*args, capsys=capsys)
    assert code == 2
    assert out == ""
    assert error in err
    assert help_ in err
    assert "Traceback" not in err


def test_a_directory_called_like_an_end_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    path = "examples/case-management"
    code, _, err = _run("why", path, "web/case-portal", "-f", path, capsys=capsys)
    assert code == 2
    assert f"did you mean -f {path}?" in err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "[1]\n",
        "some text\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n",
        "a: [\n",
    ],
)
def test_a_file_without_tests_is_two_and_says_so(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(text, encoding="utf-8")
    good = f"{EXAMPLE}/tests.yaml"
    for more in ((), ("--tests", good)):
        args = ("verify", "-f", EXAMPLE, *more, "--tests", str(file))
        code, out, err = _run(*args, capsys=capsys)
        assert code == 2
        assert f"no connectivity tests in {file}" in err or "error[" in out


def test_a_cni_that_enforces_nothing_is_not_called_open(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = _run("why", *DENIED, "--cni", "flannel", capsys=capsys)
    assert code == 0
    words = " ".join(out.split())
    assert "Policies exist, but this CNI enforces none." in words
    assert "evidence/default-deny, evidence/evidence-api select it for ingress" in words
    assert "no policy selects it" not in words
    assert "no policy here is enforced" in err


def test_debug_lets_errors_through(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(cloison.SourceError):
        _run("map", "-f", "no/such/place", "--debug", capsys=capsys)


def test_warnings_are_counted_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = _run("map", "-f", BROKEN, capsys=capsys)
    assert err == "5 warnings in the input; see cloison validate\n"
    _, _, err = _run("map", "-f", BROKEN, "--quiet", capsys=capsys)
    assert err == ""


def test_the_environment_sets_what_no_flag_does(
    monkeypatch: pytest.MonkeyPatch, world: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLOISON_CNI", "calico@3.32")
    monkeypatch.setenv("CLOISON_NAMESPACE", "a")
    monkeypatch.setenv("CLOISON_OUTPUT", "json")
    _, out, _ = _run("why", "two", "one:80", "-f", world, capsys=capsys)
    said = json.loads(out)["profile"]
    assert (said["name"], said["chosen"]) == ("calico@3.32", "CLOISON_CNI")
    _, out, _ = _run("why", "two", "one:80", "-f", world, "--cni", "generic", capsys=capsys)
    document = json.loads(out)
    assert document["profile"]["name"] == "generic"
    assert document["profile"]["chosen"] == "--cni"


def test_colours_follow_choice_then_environment(
    monkeypatch: pytest.MonkeyPatch, world: str, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ("why", "a/two", "a/one:80", "-f", world)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in _run(*args, capsys=capsys)[1]
    assert "\x1b" in _run(*args, "--color", "always", capsys=capsys)[1]
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b" not in _run(*args, capsys=capsys)[1]  # no terminal


def test_bare_names_and_families(world: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = _run("why", "two", "one:web", "-n", "a", "-f", world, capsys=capsys)
    assert out.startswith("ALLOWED  a/two -> a/one:web")
    args = ("why", "198.51.100.1", "a/one:80", "--family", "4", "-f", world)
    assert _run(*args, capsys=capsys)[1].startswith("ALLOWED  198.51.100.1 -> a/one:80/TCP (IPv4)")
    args = ("why", "a/two", "a/one:81", "--state", "reply", "-f", world)
    assert "(reply)" in _run(*args, capsys=capsys)[1]


def test_map_narrows(world: str, capsys: pytest.CaptureFixture[str]) -> None:
    def edges(*args: str) -> list[tuple[str, str]]:
        _, out, _ = _run("map", "-f", world, "-o", "json", *args, capsys=capsys)
        found = json.loads(out)["edges"]
        return [(e["src"].get("name", "ip"), e["dst"].get("name", "ip")) for e in found]

    whole = edges()
    assert edges("--from", "a/two", "--to", "a/one") == [("two", "one")]
    assert set(edges("--focus", "a/two")) == {e for e in whole if "two" in e}
    assert edges("-n", "b", "-A") == whole
    code, out, err = _run("map", "-f", world, "-n", "b", capsys=capsys)
    assert (code, out) == (2, "")
    assert err.startswith("error: there is no namespace 'b'")
    assert ("many", "many") in edges("--self")


def test_map_in_groups(world: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run("map", "-f", world, "--grouped", "-o", "json", capsys=capsys)
    document = json.loads(out)
    ids = [group["id"] for group in document["groups"]]
    assert code == 0
    assert len(ids) == len(set(ids))
    assert {e[side] for e in document["edges"] for side in ("src", "dst")} == set(ids)


def test_completion_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        code, out, _ = _run("completion", shell, capsys=capsys)
        assert code == 0
        assert "_CLOISON_COMPLETE" in out


def test_every_schema_that_is_shipped_can_be_printed() -> None:
    shipped = (ROOT / "src" / "cloison" / "report" / "schemas").glob("*.json")
    assert {path.stem for path in shipped} == {*NAMES}


def test_schemas_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = _run("schema", "why", capsys=capsys)
    assert json.loads(out)["title"] == "cloison why"


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("version", capsys=capsys)[1] == f"{cloison.__version__}\n"
    _, out, _ = _run("version", "-o", "json", capsys=capsys)
    assert json.loads(out) == {"name": "cloison", "version": cloison.__version__}


def test_version_is_a_flag_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--version", capsys=capsys) == _run("version", capsys=capsys)


@pytest.mark.parametrize(
    ("called", "name"),
    [("/bin/cloison", "cloison"), ("/bin/kubectl-cloison", "kubectl cloison")],
)
def test_knows_what_it_is_called(monkeypatch: pytest.MonkeyPatch, called: str, name: str) -> None:
    monkeypatch.setattr("sys.argv", [called])
    assert program() == name


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys=capsys)
    assert code == 0
    assert "Commands:" in out
    assert err == ""


def test_a_source_without_manifests_is_said_in_full(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = _run("map", "-f", str(tmp_path), capsys=capsys)
    assert code == 0
    assert "warning[SRC" in err


@pytest.mark.parametrize("command", cli.list_commands(click.Context(cli)))
def test_help_shows_no_markup(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "\\b" not in _run(command, "--help", capsys=capsys)[1]


@pytest.mark.parametrize(("typed", "meant"), [(("wyh",), "why"), (("lab", "trase"), "trace")])
def test_a_command_that_is_none_is_held_against_all(
    typed: tuple[str, ...], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = _run(*typed, capsys=capsys)
    assert code == 2
    assert f"Did you mean '{meant}'?" in err


def test_help_speaks_as_the_plugin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["/bin/kubectl-cloison"])
    assert "Usage: kubectl cloison why" in _run("why", "--help", capsys=capsys)[1]


def test_a_defect_is_two_lines_and_a_traceback_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        msg = "boom"
        raise ZeroDivisionError(msg)

    # The package has a function of the module's name, so the module is asked for by name.
    monkeypatch.setattr(import_module("cloison.app.load"), "read", broken)
    code, out, err = _run("why", *DENIED, capsys=capsys)
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == "error: internal error: ZeroDivisionError: boom"
    assert "--debug" in err.splitlines()[1]
    with pytest.raises(ZeroDivisionError):
        main(["why", *DENIED, "--debug"])
