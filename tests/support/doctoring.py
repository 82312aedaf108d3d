"""Findings of the doctor, and clusters to which what they propose is done."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from cloison.analyses.ask import Mend
from cloison.analyses.doctor import Finding
from cloison.app import load_texts
from cloison.app.doctor import doctor


def examined(text: str, *checks: str, **said: Any) -> tuple[Finding, ...]:
    """Return what checks find in manifests."""
    return doctor(load_texts({"all.yaml": text}, **said), (), checks)


def codes(text: str, *checks: str, **said: Any) -> list[str]:
    """Return the codes of what checks find in manifests."""
    return [each.code for each in examined(text, *checks, **said)]


def mended(texts: Mapping[str, str], findings: Iterable[Finding]) -> dict[str, str]:
    """Return manifests with everything that findings propose done."""
    objects = [each for text in texts.values() for each in yaml.safe_load_all(text) if each]
    every = [mend for finding in findings for mend in finding.mend if mend.manifest]
    # What is written anew comes first, so that what is added to it stays.
    for mend in sorted(every, key=lambda mend: bool(mend.lines)):
        _do(objects, mend)
    return {"mended.yaml": yaml.safe_dump_all(objects)}


def _do(objects: list[dict[str, Any]], mend: Mend) -> None:
    wanted = yaml.safe_load(mend.manifest)
    for each in objects:
        if _key(each) != _key(wanted):
            continue
        if mend.lines:
            for direction, rules in yaml.safe_load(mend.lines).items():
                each["spec"].setdefault(direction, []).extend(rules)
        else:
            each["spec"] = wanted["spec"]
        return
    objects.append(wanted)


def _key(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    meta = manifest["metadata"]
    return manifest["kind"], meta.get("namespace", ""), meta["name"]
