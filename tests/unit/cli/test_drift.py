"""`cloison drift` as it is run: what it prints, remembers and exits with."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.support.cli import Ran, run_cloison
from tests.support.drifting import BASE, allow, deny, space, workload

BARE = (space("new"), workload("new", "app"))


def home(tmp_path: Path, *manifests: str) -> str:
    """Write manifests into a directory, in place of what is there."""
    place = tmp_path / "src"
    place.mkdir(exist_ok=True)
    (place / "all.yaml").write_text("---\n".join(manifests), "utf-8")
    return str(place)


def drift(tmp_path: Path, *more: str) -> Ran:
    """Look once, in a directory without a store."""
    return run_cloison("drift", "-f", "src", *more, cwd=tmp_path)


def test_it_fails_on_what_is_new_and_remembers_it(tmp_path: Path) -> None:
    """The second run knows it, the third is told what is mended."""
    home(tmp_path, *BASE, *BARE)
    first = drift(tmp_path, "--state", "state.json")
    assert first.exit == 1
    assert "no policy restricts what goes into new/app" in first.out
    second = drift(tmp_path, "--state", "state.json")
    assert second.exit == 0
    assert "nothing new" in second.out
    home(tmp_path, *BASE, *BARE, deny("new"))
    third = drift(tmp_path, "--state", "state.json")
    assert third.exit == 0
    assert "gone: D4|new/Deployment/app|egress: it is so no more" in third.out


def test_what_is_accepted_counts_until_its_day(tmp_path: Path) -> None:
    """A row is written by the command, and counts no more after its last day."""
    home(tmp_path, *BASE, *BARE)
    said = ("--baseline", "base.yaml")
    accepted = run_cloison(
        "drift",
        *said,
        *("--accept", "D4|new/*", "--owner", "team-a", "--until", "2026-03-31"),
        cwd=tmp_path,
    )
    assert (accepted.exit, accepted.out) == (0, "")
    written = yaml.safe_load((tmp_path / "base.yaml").read_text("utf-8"))
    assert written["accepted"] == [{"key": "D4|new/*", "owner": "team-a", "until": "2026-03-31"}]
    on = drift(tmp_path, *said, "--today", "2026-03-31")
    assert on.exit == 0
    assert "accepted by team-a until 2026-03-31" in " ".join(on.out.split())
    late = drift(tmp_path, *said, "--today", "2026-04-01")
    assert late.exit == 1
    assert "team-a accepted it until 2026-03-31, and that is over" in " ".join(late.out.split())


@pytest.mark.parametrize("key", ["", "D99 nonsense"])
def test_accepting_needs_a_key_that_there_can_be(tmp_path: Path, key: str) -> None:
    """What is accepted by mistake would accept nothing, or break the file."""
    said = ("--accept", key, "--owner", "team-a", "--baseline", "base.yaml")
    ran = run_cloison("drift", *said, cwd=tmp_path)
    assert ran.exit == 2
    assert "no finding can have the key" in ran.err
    assert not (tmp_path / "base.yaml").exists()


@pytest.mark.parametrize(
    "more",
    [("--rounds", "2"), ("--watch", "--rounds", "1", "--interval", "nan")],
)
def test_rounds_that_nobody_can_go(tmp_path: Path, more: tuple[str, ...]) -> None:
    """They are said to be wrong before anything is read."""
    home(tmp_path, *BASE)
    ran = drift(tmp_path, *more)
    assert ran.exit == 2
    assert ran.err


def test_accepting_needs_an_owner(tmp_path: Path) -> None:
    """Nobody accepts without a name."""
    ran = run_cloison("drift", "--accept", "D4|x", "--baseline", "base.yaml", cwd=tmp_path)
    assert ran.exit == 2
    assert "--owner" in ran.err
    assert not (tmp_path / "base.yaml").exists()


def test_against_an_earlier_version(tmp_path: Path) -> None:
    """What was so before is told, and fails nothing."""
    home(tmp_path, *BASE, *BARE)
    same = drift(tmp_path, "--against", "src", "-o", "json")
    assert same.exit == 0
    found = json.loads(same.out)
    assert [each["new"] for each in found["findings"]] == [False, False]
    assert found["against"] == "src"
    (tmp_path / "old.yaml").write_text("---\n".join(BASE), "utf-8")
    assert drift(tmp_path, "--against", "old.yaml").exit == 1


def test_only_some_checks_and_namespaces(tmp_path: Path) -> None:
    """Codes may be listed with commas; another is an error with the codes there are."""
    home(tmp_path, *BASE, *BARE, allow("shop", "x", "nobody", "from", "{podSelector: {}}"))
    found = json.loads(drift(tmp_path, "--check", "d5,D9", "-o", "json").out)
    assert {each["code"] for each in found["findings"]} == {"D5"}
    assert found["checks"] == ["D5", "D9"]
    assert drift(tmp_path, "-n", "data").exit == 0
    wrong = drift(tmp_path, "--check", "D13")
    assert wrong.exit == 2
    assert "D1 to D12" in wrong.err


SAMPLE = re.compile(r'[a-z_]+(\{([a-z]+="(\\.|[^"\\\n])*",?)+\})? [-+0-9.e]+')


def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    """Every line is a sample or says what samples are, and each metric comes once."""
    home(tmp_path, *BASE, *BARE)
    lines = drift(tmp_path, "-o", "prometheus").out.splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert all(SAMPLE.fullmatch(line) for line in samples)
    types = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    assert {line.partition("{")[0].partition(" ")[0] for line in samples} <= set(types)
    assert 'cloison_drift_new_findings{check="D4"} 2' in lines


def test_sarif_places_what_stands(tmp_path: Path) -> None:
    """What is accepted is there too, as such."""
    home(tmp_path, *BASE, allow("shop", "x", "nobody", "from", "{podSelector: {}}"))
    (log,) = json.loads(drift(tmp_path, "-o", "sarif").out)["runs"]
    (result,) = log["results"]
    assert result["ruleId"] == "DRF005"
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "src/all.yaml"


def test_watching_prints_what_has_changed(tmp_path: Path) -> None:
    """Once, and nothing more while nothing changes."""
    home(tmp_path, *BASE, *BARE)
    ran = drift(tmp_path, "--watch", "--rounds", "3", "--interval", "0", "--state", "s.json")
    assert ran.exit == 1
    assert ran.out.count("no policy restricts what goes into new/app") == 1


@pytest.mark.parametrize("more", [("-o", "html"), ("-f", "-")])
def test_what_cannot_be_watched(tmp_path: Path, more: tuple[str, ...]) -> None:
    """It is said before anything is read."""
    home(tmp_path, *BASE)
    assert drift(tmp_path, "--watch", "--rounds", "1", *more).exit == 2


def test_what_it_cannot_answer(tmp_path: Path) -> None:
    """A store, a state or an earlier version that is not there is no drift."""
    home(tmp_path, *BASE)
    (tmp_path / "wrong.json").write_text("[]", "utf-8")
    for more in (
        ("--store", "none"),
        ("--state", "wrong.json"),
        ("--against", "none/"),
        ("--baseline", "none.yaml"),
        ("-n", "nosuch"),
    ):
        ran = drift(tmp_path, *more)
        assert ran.exit == 2, more
        assert ran.err.startswith("error:")


def test_the_day_is_today_unless_somebody_says_another(tmp_path: Path) -> None:
    """What expires depends on it."""
    said = f"policy.cloison.dev/expires: '{date.max.isoformat()}'"
    home(tmp_path, *BASE, allow("shop", "x", "api", "from", "{podSelector: {}}", annotations=said))
    assert drift(tmp_path, "--check", "D11").exit == 0


def test_what_a_half_written_document_may_hold_is_not_judged(tmp_path: Path) -> None:
    """Its policies are neither gone nor missing, and what is remembered stays as it was."""
    home(tmp_path, *BASE, *BARE, allow("shop", "x", "nobody", "from", "{podSelector: {}}"))
    late = tmp_path / "src" / "late.yaml"
    late.write_text(deny("new"), "utf-8")
    assert "D5" in drift(tmp_path, "--state", "state.json").out
    kept = (tmp_path / "state.json").read_bytes()
    late.write_text("kind: [broken\n", "utf-8")
    home(tmp_path, *BASE, *BARE)
    half = drift(tmp_path, "--state", "state.json")
    assert half.exit == 2
    for code in ("D1", "D4", "D5", "D6", "D8", "D9", "D10", "D11"):
        assert f"not judged, {code}: 1 document: src/late.yaml:2 cannot be read" in half.out
    assert "nothing new of 4 checks" in half.out
    assert "gone" not in half.out
    assert "no policy restricts" not in half.out
    assert (tmp_path / "state.json").read_bytes() == kept
    other = drift(tmp_path, "--state", "state.json", "--check", "D7")
    assert other.exit == 0
    assert "not judged" not in other.out
    late.write_text(deny("new"), "utf-8")
    whole = drift(tmp_path, "--state", "state.json")
    assert whole.exit == 0
    assert "gone: D5|" in whole.out
