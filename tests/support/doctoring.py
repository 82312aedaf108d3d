"""Findings of the doctor, and clusters to which what they propose is done."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

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
    """Return manifests with everything that findings propose applied, in the order of both."""
    return applied(texts, (m.manifest for each in findings for m in each.mend if m.manifest))


def applied(texts: Mapping[str, str], manifests: Iterable[str]) -> dict[str, str]:
    """Return manifests with others applied: who has the name of an object takes its place."""
    given = [each for text in texts.values() for each in yaml.safe_load_all(text) if each]
    more = [each for text in manifests for each in yaml.safe_load_all(text)]
    kept = {object_key(each): each for each in (*given, *more)}
    return {"mended.yaml": yaml.safe_dump_all(kept.values())}


def object_key(manifest: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return what tells an object from others: its group, kind, namespace and name."""
    meta = manifest["metadata"]
    group = manifest["apiVersion"].rpartition("/")[0]
    return group, manifest["kind"], meta.get("namespace", ""), meta["name"]
