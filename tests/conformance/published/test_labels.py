"""Which labels policies see, as Cilium's unit tests and its page on identities have it.

Source: cilium/cilium pkg/labelsfilter/filter_test.go, at v1.19.4,
Documentation/operations/performance/scalability/identity-relevant-labels.rst.
"""

import pytest

from cloison.dialects.cilium.switches import parsed
from cloison.platform.cilium import label_filter

HIDDEN = (
    "io.kubernetes.container.hash",
    "io.kubernetes.container.name",
    "io.kubernetes.container.restartCount",
    "io.kubernetes.pod.name",
    "io.kubernetes.pod.uid",
    "io.kubernetes.pod.terminationGracePeriod",
    "kubernetes.io.foo",
    "beta.kubernetes.io.foo",
    "annotation.kubectl.kubernetes.io",
    "annotation.hello",
    "annotation.kubernetes.io/config.seen",
    "controller-revision-hash",
    "statefulset.kubernetes.io/pod-name",
    "batch.kubernetes.io/job-completion-index",
    "apps.kubernetes.io/pod-index",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
)
OWN = (
    "io.kubernetes.pod.namespace",
    "io.cilium.k8s.policy.cluster",
    "io.cilium.k8s.policy.serviceaccount",
    "app.kubernetes.io",
)
TABLE = (
    ("", "id.lizards id.lizards.k8s hide hidE ioXkubernetes", ""),
    (
        ":!hid[eE] id.* foo",
        "id.lizards id.lizards.k8s foo2.lizards.k8s",
        "hide hidE lizards.foo.lizards.k8s other",
    ),
    (
        "k8s:io.kubernetes.pod.namespace k8s:k8s-app k8s:app k8s:name k8s:kind$ k8s:other$",
        "io.cilium.k8s.namespace.labels k8s-app-team app-production name-defined kind other",
        "kinds otherwise team",
    ),
    (
        r"io\.kubernetes\.pod\.namespace k8s-app app name kind$ other$",
        "k8s-app k8s-app-team app app-production name name-defined kind other",
        "kinds my-kind otherwise env",
    ),
    ("^kind$", "kind", "kinds my-kind"),
    ("team", "team team-lead", "env"),
    ("!controller-uid !job-name", "app env", "controller-uid job-name job-name-2"),
    (r".*example\.com", "example.com/a my.example.com", "exampleXcom"),
    (r"!example\.com", "my.example.com exampleXcom", "example.com example.com/a"),
    ("container:k8s-app-role", "", "k8s-app-role app"),
)
"""Patterns of `labels`, keys that policies then see, and keys that they do not."""


@pytest.mark.parametrize(("patterns", "seen", "hidden"), TABLE)
def test_labels_that_policies_see(patterns: str, seen: str, hidden: str) -> None:
    found = label_filter(parsed((1, 19), {"labels": patterns}).labels)
    assert [key for key in (*OWN, *seen.split()) if not found.keeps(key)] == []
    assert [key for key in (*HIDDEN, *hidden.split()) if found.keeps(key)] == []
