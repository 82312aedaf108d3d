"""Our scalars against the real `kubectl`, which needs no cluster for this.

Every line below was run with kubectl 1.20.2 and 1.32.4; the two agree on all of them.
"""

import io
import json
import os
import shutil
import subprocess

import pytest

from cloison.base import Diagnostic
from cloison.resources.documents import Node
from cloison.sources import yaml

KUBECTL = shutil.which("kubectl")
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n"

_WORDS = """
y Y n N yes Yes YES yEs no No NO on On ON oN off Off OFF true True TRUE tRue false False FALSE
~ null Null NULL nULL = << t T f F o O ~x inf nan Infinity NaN .iNF . .. + _ -- 12:30 1:2 190:20:30
2001-01-01 2001-1-1 2001-13-45 2001-12-14t21:59:43.10-05:00 10.42.15.0/28 1.2.3 1-2 1+2 a#b
1e3 1E3 1e+3 1e-3 1.5e3 1e20 1e21 1e400 -1e400 1e-400 1e-7 1.e1 1.e+1 .1e1 .e1 e1 1e 1e+ 0e0 12e03
0o17 0O17 08 09 0o8 0644 -0644 +0644 00 000 0x1F 0X1f -0x1F 0x 0x_ 0b 0b101 -0b101 0B11 0b102 00x1
1_000 _1 1__0 1_ 0x_1F 0_7 0_ +_1 -_ 1_e3 1_000.5 1_0e+1 .5_0 ._5 +.5 .5 -.5 5. -5. 1. 1.0 1.50
+1 +0 -0 -0.0 0.0 0.1 --1 +-1 1,000 3.0e0 -.5e-3 123456.789e3 1000000000000000000000.5 1p3 0x1.8p1
9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616
+18446744073709551615 -9223372036854775808 -9223372036854775809 123456789012345678901234567890
1152921504606846976.0 0x7fffffffffffffff 0xffffffffffffffff 0xfffffffffffffffff
"""
WORDS = _WORDS.split()

PHRASES = [
    '""', "''", '"y"', "'12'", "'it''s'", '"\\x41\\u263a\\U0001F600"', "a # comment", "1 2",
    "2001-12-14 21:59:43.10 -5", "!!str 123", "!!str y", "!!str", "!!str ~", "!!int 12",
    '!!int "12"', "!!int '0x10'", "!!int 0644", "!!int 1_0", "!!int 9223372036854775808",
    "!!float 1", '!!float "1.5"', "!!float 0x10", "!!float -0", "!!bool y", '!!bool "yes"',
    '!!null ""', "!!null ~", "!!null", "!!binary aGVsbG8=", "!!binary gA==",
    "!!timestamp 2001-1-1", '!!timestamp "2001-01-01 10:00:00"',
    "!!timestamp 2001-01-01T10:00:00+02:00", "! 12", '! "12"',
    '!<tag:yaml.org,2002:int> "5"', "&a", "&a 5", "&b !!str 5", "[1, y, 0x10, !!int '5']",
    "[~, null]", "!!map {a: b}", "!!seq [a]", "!!set {a, b}", "!!omap [a: b]", "!!str [a]",
    "{a: 1, 2: b, y: c, 1.5: d}", "{a}", "{0x10: x, 08: y}", "{2001-01-01: x}", "{.inf: x}",
    "{1.23456789012: x}", "{1e3: x}", "{100000.5: x}", "{1234567.5: x}", "{1e6: x}", "{1e-5: x}",
    "{0.00012: x}", "{1e20: x}", "{1e39: x}", "{-0.0: x}", "{123456.789: x}", "{3.4e38: x}",
    "{0.1: x}", "{!!str 5: x}", '{!!int "5": x}', "{!!binary aGk=: x}", "{! 5: x}",
    "{a: 1, <<: {a: 2}}", "{<<: {a: 2}, a: 1}", "{<<: [{a: 1, b: 1}, {a: 2, c: 3}]}",
    '{"<<": {a: 2}}', "{!!merge <<: {a: 2}}", "{a: 1, <<: {a: 2}, a: 3}", "{a: 1, a: 2}",
    "{a: ~}", "{? a, ? b : c}", "{&k a: 1, b: *k}", "[&x {a: 1}, *x, {<<: *x, b: 2}]",
]  # fmt: skip

REFUSED = [
    ".inf", "-.inf", "+.Inf", ".nan", ".NAN", "!!float .inf", "!!timestamp foo",
    "!!timestamp 2001-13-45", "!!int foo", "!!int 1.5", "!!int", "!!bool 1", "!!null x",
    "!!float y", "!!float 18446744073709551615", '!!binary "%%"', '!!binary "aGVs bG8="',
    "{~: x}", "{18446744073709551615: x}", "{[a]: x}", "{{a: b}: x}", "{<<: 5}", "{<<: [5]}",
    "{<<: ~}", "*nowhere", "- 1",
]  # fmt: skip

OURS_ONLY = ["!foo bar", "!!foo bar", "!foo [a]", "!!python/object:os.system x"]
"""`kubectl` ignores tags it does not know. We refuse them: they name some program's types."""


def ours(scalars: list[str]) -> Node | Diagnostic:
    """Return what we make of the scalars, or the diagnostic."""
    text = HEAD + "".join(f"  k{i}: {scalar}\n" for i, scalar in enumerate(scalars))
    found = list(yaml.documents(io.BytesIO(text.encode()), "x.yaml"))
    return found[-1]


def theirs(scalars: list[str]) -> dict[str, object] | None:
    """Return what `kubectl` makes of the scalars, or None when it refuses."""
    text = HEAD + "".join(f"  k{i}: {scalar}\n" for i, scalar in enumerate(scalars))
    assert KUBECTL
    done = subprocess.run(
        [KUBECTL, "annotate", "--local", "-f", "-", "k=v", "-o", "json"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout)["data"] if done.returncode == 0 else None


def same(mine: object, expected: object) -> bool:
    """Compare as JSON does; Go writes large floats as integers, rounded to their shortest form."""
    if isinstance(mine, float) and isinstance(expected, int):
        return mine == float(expected)
    return mine == expected and isinstance(mine, bool) == isinstance(expected, bool)


def need_kubectl() -> None:
    """Skip without `kubectl`, but never in CI."""
    if KUBECTL is None:
        message = "kubectl is not installed, and the scalars are held against it"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def test_accepted_scalars_have_kubectls_values() -> None:
    need_kubectl()
    scalars = WORDS + PHRASES
    assert len(scalars) >= 80
    read = ours(scalars)
    assert isinstance(read, Node), read
    expected = theirs(scalars)
    assert expected is not None
    data = read.get("data")
    assert data is not None
    mine = data.plain()
    assert isinstance(mine, dict)
    wrong = {
        scalar: (mine[f"k{i}"], expected[f"k{i}"])
        for i, scalar in enumerate(scalars)
        if not same(mine[f"k{i}"], expected[f"k{i}"])
    }
    assert not wrong


def test_integers_are_integers_where_kubectl_has_them() -> None:
    read = ours(["1.0", "1e3", "5.", "123456.789e3", "1e20", "9223372036854775808"])
    assert isinstance(read, Node)
    data = read.get("data")
    assert data is not None
    assert isinstance(data.value, dict)
    values = [node.value for node in data.value.values()]
    assert [type(value) for value in values] == [int, int, int, int, float, float]


@pytest.mark.parametrize("scalar", REFUSED)
def test_what_kubectl_refuses_we_refuse(scalar: str) -> None:
    read = ours([scalar])
    assert isinstance(read, Diagnostic)
    assert read.severity == "error"


def test_kubectl_refuses_them_indeed() -> None:
    need_kubectl()
    assert [scalar for scalar in REFUSED if theirs([scalar]) is not None] == []


@pytest.mark.parametrize("scalar", OURS_ONLY)
def test_unknown_tags_are_refused(scalar: str) -> None:
    read = ours([scalar])
    assert isinstance(read, Diagnostic)
    assert read.code == "SRC007"
    assert read.help is not None
    assert "quotes" in read.help
