"""`cloison drift` as programs and people see it: places, fingerprints, lines, and a terminal."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import plain_environment, run_cloison
from tests.support.drifting import BASE, allow, contract, deny, space, workload
from tests.support.weeks import planted

ENTRY = "import sys; sys.argv[0] = 'cloison'; from cloison.cli import main; sys.exit(main())"
OLD = "{name: old, from: shop/web, to: shop/api, ports: [81], owner: o, reason: r, "
ASTRAY = {
    "new.yaml": (space("new"), workload("new", "app")),
    "policies.yaml": (
        allow("shop", "out", "api", "to", "{ipBlock: {cidr: 0.0.0.0/0}}", None),
        allow("shop", "typo", "wep", "from", "{podSelector: {}}"),
        allow(
            "shop",
            "late",
            "api",
            "from",
            "{podSelector: {}}",
            annotations="policy.cloison.dev/expires: '2026-01-01'",
        ),
    ),
    "contract.yaml": (contract(f"    - {OLD}expires: 2026-01-01}}\n"),),
    "base.yaml": BASE,
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    home = tmp_path / "src"
    home.mkdir()
    for name, some in ASTRAY.items():
        (home / name).write_text("---\n".join(some), "utf-8")
    return tmp_path


def _sarif(place: Path, *more: str) -> list[dict[str, Any]]:
    ran = run_cloison(
        "drift", "-f", "src", "-q", "--today", "2026-02-01", "-o", "sarif", *more, cwd=place
    )
    (log,) = json.loads(ran.out)["runs"]
    found: list[dict[str, Any]] = log["results"]
    return found


def _line(result: dict[str, Any], place: Path) -> tuple[str, str]:
    """Return the file that a result points to, and the line there."""
    where = result["locations"][0]["physicalLocation"]
    file = where["artifactLocation"]["uri"]
    lines = (place / file).read_text("utf-8").splitlines()
    return file, lines[where["region"]["startLine"] - 1]


def test_every_result_points_to_the_file_that_it_is_about(place: Path) -> None:
    """The line, too, is one of the object that would be changed."""
    found = [(each["ruleId"], _line(each, place)) for each in _sarif(place)]
    assert {code for code, _ in found} == {"DRF004", "DRF005", "DRF009", "DRF011"}
    for code, (file, line) in found:
        if code == "DRF004":
            assert (file, line) == ("src/new.yaml", "apiVersion: apps/v1")
        elif "name: old" in line:
            assert (code, file) == ("DRF011", "src/contract.yaml")
        else:
            assert file == "src/policies.yaml"
            assert {"DRF005": "wep", "DRF009": "0.0.0.0/0"}.get(code, "late") in (
                line + (place / file).read_text("utf-8")
            )
    broad = next(line for code, (_, line) in found if code == "DRF009")
    assert "ipBlock: {cidr: 0.0.0.0/0}" in broad


def test_rules_say_what_each_check_finds(place: Path) -> None:
    """Not that something has drifted."""
    ran = run_cloison("drift", "-f", "src", "-q", "-o", "sarif", cwd=place)
    rules = json.loads(ran.out)["runs"][0]["tool"]["driver"]["rules"]
    said = {each["id"]: each["shortDescription"]["text"] for each in rules}
    assert said["DRF004"] == "DRF004: Workload without policy"
    assert said["DRF011"] == "DRF011: Expired exception"


def test_a_result_is_the_same_when_its_numbers_and_lines_are_others(place: Path) -> None:
    """Who keeps results would else see a new one every day."""
    before = [each["partialFingerprints"] for each in _sarif(place)]
    assert len({str(each) for each in before}) == len(before)
    file = place / "src" / "contract.yaml"
    file.write_text("# above\n" + file.read_text("utf-8").replace("2026-01-01", "2026-01-02"))
    after = _sarif(place)
    assert "2026-01-02" in json.dumps(after)
    assert [each["partialFingerprints"] for each in after] == before


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    """Return four weeks in which one thing of each kind went astray, and how to ask about them."""
    place = tmp_path_factory.mktemp("weeks")
    made = planted(place)
    ran = run_cloison(
        "flows", "ingest", "--store", "store", str(made.log), str(made.audit), cwd=place
    )
    assert ran.exit == 0, ran.err
    asked = ("-f", "after", "--against", "before", "--store", "store", "--today", "2026-02-02")
    return place, ("drift", *asked)


def test_findings_of_flows_point_to_policies(weeks: tuple[Path, tuple[str, ...]]) -> None:
    """D1, D2, D3, D8 and D10 have the rule that lets through, stops, or is not used."""
    place, asked = weeks
    ran = run_cloison(*asked, "-q", "-o", "sarif", cwd=place)
    found = json.loads(ran.out)["runs"][0]["results"]
    for code, file in {
        "DRF001": "after/30-case-management.yaml",
        "DRF002": "after/40-evidence.yaml",
        "DRF003": "after/81-policies.yaml",
        "DRF006": "after/00-namespaces.yaml",
        "DRF007": "after/70-node-agent.yaml",
        "DRF008": "after/32-payments.yaml",
        "DRF010": "after/81-policies.yaml",
    }.items():
        assert file in {_line(each, place)[0] for each in found if each["ruleId"] == code}, code
    assert all(each["locations"][0].get("physicalLocation") for each in found)


def test_text_is_what_somebody_can_work_with(weeks: tuple[Path, tuple[str, ...]]) -> None:
    """Both ways to settle each, keys in one line, and what to do about each workload, by check."""
    place, asked = weeks
    text = run_cloison(*asked, cwd=place).out
    findings, _, rows = text.partition("\nDeployment audit/audit-writer\n")
    each = re.split(r"\n\n(?=\w+\[D\d+\])", findings)
    assert len(each) == 14
    for one in each:
        assert re.search(r"^  allow: +\S", one, re.MULTILINE), one
        assert re.search(r"^  remove: +\S", one, re.MULTILINE), one
        assert re.search(r"^  seen: +\S", one, re.MULTILINE), one
        (key,) = re.findall(r"^  key: +(.+)$", one, re.MULTILINE)
        ran = run_cloison(
            *("drift", "--baseline", "base.yaml", "--owner", "me", "--until", "2026-03-01"),
            *("--accept", key),
            cwd=place,
        )
        assert ran.exit == 0, ran.err
    (enforcement,) = re.findall(r"^Deployment enforcement/.*\n(?:  .*\n)+", rows, re.MULTILINE)
    assert re.findall(r"^(?:  action: | {8,}) *(D\d+): ", enforcement, re.MULTILINE) == [
        "D9",
        "D10",
        "D1",
    ]
    assert "14 new findings of 12 checks (14 confirmed), 6 of the new ones errors" in text
    assert "\n  cloison drift --baseline drift.yaml --accept KEY --owner NAME\n" in text
    accepted = run_cloison(*asked, "--baseline", "base.yaml", cwd=place)
    assert accepted.exit == 0
    assert "accept what is to stay" not in accepted.out


def test_before_names_what_can_have_caused_it(weeks: tuple[Path, tuple[str, ...]]) -> None:
    """D8 began without a change of its ends, whatever was added to the namespace."""
    place, asked = weeks
    ran = run_cloison(*asked, "-o", "json", cwd=place)
    told = {
        each["code"]: (each["preceded"] or {"text": None})["text"]
        for each in json.loads(ran.out)["findings"]
    }
    assert told == {
        "D1": None,
        "D2": None,
        "D3": "NetworkPolicy audit/writer-reads-evidence added",
        "D4": "Deployment reports/report-api added",
        "D5": "NetworkPolicy web/portal-typo added",
        "D6": "patch namespaces sandbox",
        "D7": None,
        "D8": None,
        "D9": "NetworkPolicy enforcement/wide-open added",
        "D10": "NetworkPolicy enforcement/wide-open added",
        "D11": None,
        "D12": None,
    }


def _watch(place: Path, *, terminal: bool) -> tuple[str, str]:
    """Watch twice what does not change; return what is printed, and what is said beside it."""
    command = [
        *(sys.executable, "-c", ENTRY, "drift", "-f", "src", "--watch"),
        *("--rounds", "2", "--interval", "0"),
    ]
    ours, theirs = pty.openpty() if terminal else os.pipe()
    with subprocess.Popen(
        command, cwd=place, env=plain_environment(), stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        out, _ = process.communicate()
    said = b""
    try:
        while more := os.read(ours, 1 << 16):
            said += more
    except OSError:
        pass  # the end of a terminal
    os.close(ours)
    return out.decode(), said.decode()


def test_rounds_without_a_change_are_told_to_terminals_only(tmp_path: Path) -> None:
    """A log has nothing of them."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "all.yaml").write_text("---\n".join((*BASE, space("a"), deny("a"))))
    out, said = _watch(tmp_path, terminal=True)
    assert "nothing has changed; no finding stands" in said
    assert out.count("nothing new") == 1
    quiet, log = _watch(tmp_path, terminal=False)
    assert quiet == out
    assert "nothing has changed" not in log


def test_a_round_that_cannot_read_is_told_once_and_tried_again(tmp_path: Path) -> None:
    """What was judged before stands meanwhile."""
    (tmp_path / "src").mkdir()
    file = tmp_path / "src" / "all.yaml"
    file.write_text("---\n".join((*BASE, space("new"), workload("new", "app"))))
    command = [sys.executable, "-c", ENTRY, "drift", "-f", "src", "--watch", "--interval", "0.1"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert any("2 new findings" in line for line in process.stdout)
        (tmp_path / "src").rename(tmp_path / "away")
        assert any("not judged, and tried again" in line for line in process.stderr)
        (tmp_path / "away").rename(tmp_path / "src")
        assert any("judged again" in line for line in process.stderr)
        file.write_text("---\n".join((*BASE, space("new"), workload("new", "app"), deny("new"))))
        assert any("2 gone; no finding stands" in line for line in process.stdout)
        process.terminate()
        process.communicate()
    assert process.returncode == 1


def test_a_round_with_a_half_written_document_is_not_judged(tmp_path: Path) -> None:
    """Nothing is new or gone by it, and nothing of it is remembered."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "all.yaml").write_text(
        "---\n".join((*BASE, space("new"), workload("new", "app")))
    )
    late, state = tmp_path / "src" / "late.yaml", tmp_path / "state.json"
    typo = allow("new", "typo", "nobody", "from", "{podSelector: {}}")
    late.write_text("---\n".join((deny("new"), typo)))
    more = ("--watch", "--interval", "0.1", "--state", "state.json")
    with subprocess.Popen(
        [sys.executable, "-c", ENTRY, "drift", "-f", "src", *more],
        cwd=tmp_path,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert any("1 new finding of" in line for line in process.stdout)
        # At once: an empty file, as it is before anything is written, has nothing to tell.
        (tmp_path / "half").write_text("kind: [broken\n")
        (tmp_path / "half").replace(late)
        said = next(line for line in process.stderr if "not judged" in line)
        kept = json.loads(state.read_text())
        (tmp_path / "whole").write_text("---\n".join((deny("new"), typo)))
        (tmp_path / "whole").replace(late)
        assert "judged again" in next(iter(process.stderr))
        process.terminate()
        told, _ = process.communicate()
    assert "not judged, and tried again: src/late.yaml:2 cannot be read" in said
    assert [key.partition("|")[0] for key in kept["findings"]] == ["D5"]
    assert "gone" not in told
    assert "D4" not in told
    assert process.returncode == 1
