"""Sources put by and read again: nothing of them is lost, nothing in them is run."""

import json
from pathlib import Path

import msgspec
import pytest

from cloison.app import Settings
from cloison.app.snapshot import KeptItem, kept, restore, restored, save, take
from cloison.base import Diagnostic, SourceError
from cloison.resources.documents import Document
from cloison.sources import read
from tests.support.cli import ROOT

BROKEN = str(ROOT / "examples" / "case-management-broken")


def test_a_session_comes_back_as_it_was(tmp_path: Path) -> None:
    settings = Settings(kubernetes=(1, 33), pod_cidrs=("10.0.0.0/8",), namespace="web")
    session, snapshot = take([BROKEN], settings)
    save(snapshot, tmp_path / "snapshot.json")
    again = restore(tmp_path / "snapshot.json").session()
    assert again.world == session.world
    assert again.policies == session.policies
    assert again.diagnostics == session.diagnostics
    assert again.settings.kubernetes == (1, 33)
    assert again.settings.pod_cidrs == ("10.0.0.0/8",)
    assert [p.name for p in tmp_path.iterdir()] == ["snapshot.json"]


def test_settings_of_the_enforcer_come_back(tmp_path: Path) -> None:
    said = {"enable-policy": "always"}
    session, snapshot = take([BROKEN], Settings(profile="cilium@1.19", cilium=said))
    save(snapshot, tmp_path / "snapshot.json")
    again = restore(tmp_path / "snapshot.json").session()
    assert again.settings.cilium == session.settings.cilium == said
    assert again.profile == session.profile


def test_tables_of_names_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("names.yaml").write_text("api.example.com: [203.0.113.10]\n", encoding="utf-8")
    _, snapshot = take([BROKEN], Settings(dns_tables=("names.yaml",)))
    save(snapshot, tmp_path / "snapshot.json")
    monkeypatch.chdir("/")
    again = restore(tmp_path / "snapshot.json").session()
    assert [str(name) for name in again.engine.networks.names] == ["api.example.com"]


def test_places_come_back(tmp_path: Path) -> None:
    _, snapshot = take([BROKEN], Settings())
    save(snapshot, tmp_path / "snapshot.json")
    again = restore(tmp_path / "snapshot.json").session()
    asked = ("web/case-portal", "case-management/case-api-canary:8080")
    (decider,) = again.why(*asked).deciders[:1]
    assert decider.span is not None
    assert decider.span.place.endswith("30-case-management.yaml:376")


def test_faults_of_reading_come_back(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: [", encoding="utf-8")
    items = list(read([str(tmp_path / "bad.yaml")]))
    assert [type(item) for item in items] == [Diagnostic]
    assert list(restored(kept(items))) == items


def test_items_of_a_large_list_come_back(tmp_path: Path) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": []}}
    listed = {"apiVersion": "v1", "kind": "List", "items": [pod, pod]}
    (tmp_path / "list.json").write_text(json.dumps(listed), encoding="utf-8")
    items = list(read([str(tmp_path / "list.json")], bulk_from=1))
    written = msgspec.json.encode(list(kept(items)))
    back = list(restored(msgspec.json.decode(written, type=list[KeptItem])))
    assert [type(item) for item in back] == [type(item) for item in items]
    for one, other in zip(items, back, strict=True):
        assert not isinstance(one, Document | Diagnostic)
        assert not isinstance(other, Document | Diagnostic)
        assert one.decode(dict[str, object]) == other.decode(dict[str, object])
        assert other.locate().root.plain() == pod


def test_a_change_is_kept_beside_what_was_read() -> None:
    session, snapshot = take([BROKEN], Settings())
    without = [item for item in restored(snapshot.items) if "31-enforcement" not in _file(item)]
    later = snapshot.changed(without)
    assert later.session().policies == session.policies
    assert len(later.current().policies.policies) < len(session.policies.policies)
    assert snapshot.current().policies == session.policies


def _file(item: object) -> str:
    return item.file if isinstance(item, Document) else ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"settings": 1, "items": []}',
        '{"settings": {}, "items": [["object"]]}',
    ],
)
def test_what_is_no_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match="is not understood"):
        restore(tmp_path / "s.json")


def test_a_snapshot_of_another_version_is_refused(tmp_path: Path) -> None:
    _, snapshot = take([BROKEN], Settings())
    save(msgspec.structs.replace(snapshot, format=0), tmp_path / "s.json")
    with pytest.raises(SourceError, match="another version"):
        restore(tmp_path / "s.json")


def test_a_node_that_is_none_is_refused() -> None:
    _, snapshot = take([BROKEN], Settings())
    first = snapshot.items[0]
    broken = msgspec.structs.replace(first, root=["text", 1])
    with pytest.raises(SourceError, match="is not understood"):
        list(restored([broken]))


def test_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not there"):
        restore(tmp_path / "s.json")
    with pytest.raises(SourceError, match="cannot be written"):
        save(take([BROKEN], Settings())[1], tmp_path / "no" / "s.json")
