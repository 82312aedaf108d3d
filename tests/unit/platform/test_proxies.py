"""Proxies that a pod's environment names, and what goes without them."""

import pytest

from cloison.platform.routes.proxies import Proxies, Proxy, proxies
from tests.support.documents import world

POD = """
apiVersion: v1
kind: ConfigMap
metadata: {name: net, namespace: a}
data: {proxy: "http://from-map:3128", HTTP_PROXY: "http://whole-map:8888", NO_PROXY: ".svc"}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: a}
spec:
  containers:
"""

BOTH = "{name: HTTPS_PROXY, value: 'http://upper:1'}, {name: https_proxy, value: 'http://lower:2'}"


def told(*containers: str) -> tuple[Proxies, ...]:
    here = world(POD + "".join(f"  - {each}\n" for each in containers))
    (workload,) = here.workloads.values()
    (endpoint,) = workload.endpoints
    return proxies(here, "a", endpoint.shape.runtime)


def container(env: str, more: str = "", name: str = "c") -> str:
    return f"{{name: {name}, image: i, env: [{env}]{more}}}"


@pytest.mark.parametrize(
    ("env", "scheme", "expected"),
    [
        ('{name: HTTPS_PROXY, value: "http://proxy.x:3128"}', "https", "HTTPS_PROXY=proxy.x:3128"),
        ('{name: https_proxy, value: "http://proxy.x:3128"}', "https", "https_proxy=proxy.x:3128"),
        ('{name: HTTPS_PROXY, value: "http://proxy.x:3128"}', "http", None),
        ('{name: http_proxy, value: "proxy.x"}', "http", "http_proxy=proxy.x:80"),
        ('{name: ALL_PROXY, value: "socks5://proxy.x"}', "https", "ALL_PROXY=proxy.x:1080"),
        ('{name: HTTPS_PROXY, value: ""}', "https", None),
        ('{name: HTTPS_PROXY, value: "http://[::1"}', "https", None),
        (
            '{name: H, value: proxy.x}, {name: HTTPS_PROXY, value: "http://$(H):8080"}',
            "https",
            "HTTPS_PROXY=proxy.x:8080",
        ),
        (
            "{name: HTTPS_PROXY, valueFrom: {configMapKeyRef: {name: net, key: proxy}}}",
            "https",
            "HTTPS_PROXY=from-map:3128",
        ),
        (BOTH, "https", "https_proxy=lower:2"),
    ],
)
def test_variables_name_proxies(env: str, scheme: str, expected: str | None) -> None:
    (found,) = told(container(env)) or (Proxies("c"),)
    proxy = found.of(scheme, "api.example.com", 443)
    assert (None if proxy is None else str(proxy)) == expected


def test_a_whole_config_map_counts_too() -> None:
    (found,) = told(container("", ", envFrom: [{configMapRef: {name: net}}]"))
    assert str(found.of("http", "api.example.com")) == "HTTP_PROXY=whole-map:8888"
    assert found.of("http", "x.y.svc") is None


def test_a_value_that_nobody_may_read_is_said_to_be_hidden() -> None:
    env = "{name: HTTPS_PROXY, valueFrom: {secretKeyRef: {name: s, key: k}}}"
    (found,) = told(container(env))
    assert found.hidden == ("HTTPS_PROXY",)
    assert found.of("https", "api.example.com") is None


def test_containers_that_are_told_the_same_count_once() -> None:
    env = "{name: HTTPS_PROXY, value: 'http://p:1'}"
    assert len(told(container(env), container(env, name="d"), container("", name="e"))) == 1
    other = "{name: HTTPS_PROXY, value: 'http://q:1'}"
    assert len(told(container(env), container(other, name="d"))) == 2
    assert told(container("")) == ()


@pytest.mark.parametrize(
    ("written", "host", "port", "exempt"),
    [
        ("*", "anything.example", 443, True),
        ("example.com", "example.com", 443, True),
        ("example.com", "api.example.com", 443, True),
        ("example.com", "myexample.com", 443, False),
        (".example.com", "api.example.com", 443, True),
        ("*.example.com", "api.example.com", 443, True),
        ("EXAMPLE.com", "api.Example.COM.", 443, True),
        (".svc", "case-api.case-management.svc", 80, True),
        (".svc", "case-api.case-management.svc.cluster.local", 80, False),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("10.0.0.0/8", "ten.example", 443, False),
        ("10.1.2.3", "10.1.2.3", 443, True),
        ("2001:db8::/32", "2001:db8::1", 443, True),
        ("example.com:8443", "example.com", 443, False),
        ("example.com:443", "example.com", 443, True),
        ("", "example.com", 443, False),
    ],
)
def test_what_goes_without_a_proxy(written: str, host: str, port: int, *, exempt: bool) -> None:
    proxy = Proxy("HTTPS_PROXY", "p", 1, "c")
    found = Proxies("c", {"https": proxy}, (written,)).of("https", host, port)
    assert (found is None) is exempt
