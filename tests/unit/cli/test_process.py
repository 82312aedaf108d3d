"""The command line as a process: pipes that close, standard input, what help imports."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from cloison.cli import progress
from tests.support.cli import ROOT, plain_environment, run_process
from tests.unit.report.results import CORNERS

_ENTRY = "import sys; from cloison.cli import main; sys.exit(main())"


def test_a_reader_that_leaves_is_no_error() -> None:
    command = [sys.executable, "-c", _ENTRY, "map", "-f", "examples/case-management", "-o", "json"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_standard_input_is_a_source() -> None:
    ran = run_process("why", "a/two", "a/one:80", "-f", "-", stdin=CORNERS)
    assert ran.exit == 0
    assert ran.out.startswith("ALLOWED  a/two -> a/one:80/TCP")
    assert "<stdin>:42" in ran.out


def test_help_imports_nothing_it_does_not_need() -> None:
    code = (
        "import sys; from cloison.cli import main; main(['--help']); "
        "heavy = {'msgspec', 'rich', 'yaml', 'pyroaring', 'cloison.engine', 'cloison.app'}; "
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Commands:" in ran.stdout


def test_a_run_imports_no_command_but_its_own() -> None:
    code = (
        "import sys; from cloison.cli import main; main(['version']); "
        "base = 'cloison.cli.commands.'; "
        "others = {m for m in sys.modules if m.startswith(base)} - {base + 'version'}; "
        "sys.exit(', '.join(sorted(others)) or 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_output_is_the_same_in_every_locale() -> None:
    environment = plain_environment() | {"LC_ALL": "C", "PYTHONUTF8": "0"}
    command = [sys.executable, "-c", _ENTRY, "validate", "-f", "-"]
    ran = subprocess.run(
        command,
        env=environment,
        input="apiVersion: v1\nkind: Namespace\nmetadata: {name: Ä}\n".encode(),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "Ä".encode() in ran.stdout


def test_a_bar_is_drawn_only_when_reading_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: clock[0])
    stream = StringIO()
    bar = progress.Bar(stream)
    bar.start(1000)
    bar.advance(900)
    clock[0] = 0.6
    bar.advance(50)  # as good as done
    assert stream.getvalue() == ""
    bar.finish()

    slow = progress.Bar(stream)
    slow.start(10_000)
    clock[0] = 1.2
    slow.advance(100)
    slow.advance(100)
    slow.finish()
    assert "reading" in stream.getvalue()


@pytest.mark.parametrize(
    ("redirection", "message"),
    [
        ("map -f - <&-", "cannot read <stdin>: it is closed"),
        ("map -f examples/case-management >&-", "standard output is closed"),
        ("map -q -f examples/case-management > /dev/full", "standard output cannot be written"),
    ],
)
def test_a_fault_of_the_surroundings_is_no_defect(redirection: str, message: str) -> None:
    if "full" in redirection and not Path("/dev/full").exists():
        pytest.skip("only Linux has a device that is always full")
    script = f'"{sys.executable}" -c "{_ENTRY}" {redirection}'
    ran = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=ROOT,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert message in ran.stderr
    assert "defect" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
