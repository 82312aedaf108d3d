"""The profile that the input gives away, in sessions."""

from pathlib import Path

from cloison.app import Session, alike, load, load_texts
from cloison.app.change import diff, what_if

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a}}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: x, labels: {app: b}}
"""
PLAIN = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: x}
spec: {podSelector: {matchLabels: {app: a}}}
"""
CALICO = """---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: g}
spec: {selector: app == 'nobody', types: [Ingress]}
"""
OLD = """---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: adm}
spec: {priority: 1, subject: {namespaces: {}}}
"""
FOUND = "detected from GlobalNetworkPolicy"


def profile(session: Session) -> tuple[str, str]:
    return session.profile.name, session.settings.profile_chosen


def session(*texts: str, **said: str) -> Session:
    return load_texts({"all.yaml": "".join((PODS, *texts))}, **said)


def test_calicos_objects_mean_calico() -> None:
    assert profile(session(PLAIN, CALICO)) == ("calico@3.32", FOUND)
    assert profile(session(PLAIN)) == ("generic", "default")


def test_what_only_older_versions_enforce_means_an_older_one() -> None:
    chosen = f"{FOUND} and AdminNetworkPolicy"
    assert profile(session(CALICO, OLD)) == ("calico@3.31", chosen)


def test_who_says_a_profile_has_it() -> None:
    assert profile(session(CALICO, profile="generic")) == ("generic", "profile=")
    assert profile(session(CALICO, profile="calico@3.31")) == ("calico@3.31", "profile=")


def test_both_sides_of_a_change_have_one_profile(tmp_path: Path) -> None:
    (tmp_path / "before.yaml").write_text(PODS + PLAIN, encoding="utf-8")
    (tmp_path / "change.yaml").write_text(CALICO, encoding="utf-8")
    before, after = what_if(tmp_path / "before.yaml", apply=[tmp_path / "change.yaml"])
    assert profile(before) == profile(after) == ("calico@3.32", FOUND)


def test_two_sources_are_compared_under_one_profile(tmp_path: Path) -> None:
    # Under `generic` ICMP towards an isolated pod is open to the plugin, under Calico it is denied.
    (tmp_path / "before.yaml").write_text(PODS + PLAIN, encoding="utf-8")
    (tmp_path / "after.yaml").write_text(PODS + PLAIN + CALICO, encoding="utf-8")
    was, now = (load(tmp_path / f"{name}.yaml") for name in ("before", "after"))
    assert not diff(tmp_path / "before.yaml", tmp_path / "after.yaml")
    assert not diff(was, now)
    for one, two in (alike(was, now), alike(now, was)):
        assert profile(one) == profile(two) == ("calico@3.32", FOUND)
        assert one.verdict("x/b", "x/a", port="icmp") == two.verdict("x/b", "x/a", port="icmp")


def test_the_later_side_counts_where_both_give_one_away() -> None:
    old, new = session(CALICO, OLD), session(CALICO)
    assert {s.profile.name for s in alike(old, new)} == {"calico@3.32"}
    assert {s.profile.name for s in alike(new, old)} == {"calico@3.31"}


def test_what_somebody_said_stays() -> None:
    said, found = session(CALICO, profile="generic"), session(CALICO)
    assert alike(said, found) == (said, found)
