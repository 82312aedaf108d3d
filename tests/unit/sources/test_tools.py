"""Running the user's programs: bounded, silent, and never through a shell."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cloison.sources import tools
from cloison.sources.render import environment


def run(code: str, **limits: Any) -> tools.Ran:
    with ExitStack() as stack:
        command = (sys.executable, "-S", "-c", code)
        ran = tools.run(command, stack, environment={}, **limits)
        return tools.Ran(ran.out, ran.out.read().decode() + ran.said, ran.failure)


def test_output_and_errors_are_kept_apart() -> None:
    with ExitStack() as stack:
        code = "import sys; print('out'); print('err', file=sys.stderr)"
        ran = tools.run((sys.executable, "-S", "-c", code), stack, environment={})
        assert (ran.out.read(), ran.said, ran.failure) == (b"out\n", "err\n", "")


def test_an_exit_code_is_a_failure() -> None:
    assert run("import sys; sys.exit(3)").failure == "it ended with exit code 3"


def test_a_program_that_hangs_is_ended_with_what_it_started() -> None:
    inner = "[sys.executable, '-c', 'import time; time.sleep(600)']"
    code = f"import subprocess, sys; subprocess.run({inner})"
    assert run(code, seconds=0.5).failure == "it was ended after 0.5 seconds"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_a_program_leaves_running_is_ended_too(stream: str) -> None:
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    inner = "[sys.executable, '-S', '-c', 'import time; time.sleep(600)']"
    code = f"import subprocess, sys; subprocess.Popen({inner}, {other}=subprocess.DEVNULL)"
    assert run(code, seconds=0.5).failure == "it was ended after 0.5 seconds"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not bound it")
def test_memory_is_bounded() -> None:
    # A program starts before its bound is set; this one waits until it is.
    code = (
        "import resource as r\n"
        "while r.getrlimit(r.RLIMIT_DATA)[0] == r.RLIM_INFINITY: pass\n"
        "x = bytearray(600 << 20)"
    )
    assert run(code, memory=300 << 20).failure == "it ended with exit code 1"
    assert run(code, memory=900 << 20).failure == ""


def test_a_program_that_prints_without_end_is_ended() -> None:
    failure = run("while True: print('x' * 1000)", most=1 << 20).failure
    assert failure == "it printed more than 1 MiB"


def test_errors_without_end_are_cut() -> None:
    ran = run("import sys\nfor _ in range(300): sys.stderr.write('e' * 1000)")
    assert ran.failure == ""
    assert len(ran.said) == 1 << 16


def test_there_is_no_input() -> None:
    assert run("import sys; print(len(sys.stdin.read()))").said == "0\n"


def test_words_are_not_a_shells(tmp_path: Path) -> None:
    with ExitStack() as stack:
        code = "import sys; print(sys.argv[1])"
        word = f"$(touch {tmp_path}/trap); `id` | cat"
        ran = tools.run((sys.executable, "-S", "-c", code, word), stack, environment={})
        assert ran.out.read().decode() == f"{word}\n"
    assert not (tmp_path / "trap").exists()


def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ran = tools.run((str(tmp_path / "no-such"),), stack, environment={})
        assert ran.failure.startswith("it cannot be run: ")


def test_lines_are_few_short_and_printable() -> None:
    said = "\x1b[31mError\x1b[0m: a\n\n" + "b" * 2000 + "END\n" + "c\n" * 20
    found = tools.lines(said, 3)
    assert found[0] == "Error: a"
    assert found[1].endswith("END")
    assert len(found[1]) < 700
    assert found[2] == "c"


@pytest.mark.parametrize("key", ["AWS_SECRET_ACCESS_KEY", "KUBECONFIG", "HELM_PLUGINS", "GIT_DIR"])
def test_renderers_get_few_variables(key: str) -> None:
    made = environment({key: "x", "PATH": "/bin", "HOME": "/home", "XDG_CACHE_HOME": "/c"})
    assert key not in made
    assert made["PATH"] == "/bin"
    assert made["XDG_CACHE_HOME"] == "/c"
    assert made["HTTPS_PROXY"] == made["http_proxy"] == "http://127.0.0.1:0"
    assert made["GIT_ALLOW_PROTOCOL"] == "none"
    assert made["HELM_NO_PLUGINS"] == "1"
