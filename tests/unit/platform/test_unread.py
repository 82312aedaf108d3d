"""Objects that lead or start traffic, and cannot be read, are told of in one way everywhere."""

import pytest

from cloison.base import Severity
from cloison.platform.unread import unread
from tests.support.documents import world
from tests.support.smallworlds import Manifest, text, thing

GATEWAY = "gateway.networking.k8s.io/v1"
SELECTOR = {"matchExpressions": [{"key": "a", "operator": "Alike"}]}
DEEP = "spec.listeners[0].allowedRoutes.namespaces.selector.matchExp…"
FROM = {"namespaces": {"from": "Selector", "selector": SELECTOR}}


def said(item: Manifest) -> tuple[str, str | None]:
    """Return what keeps an object from being read, and what to do."""
    ((_, odd),) = unread(world(text(item)))
    assert (odd.code, odd.severity) == ("OBJ003", Severity.ERROR)
    assert odd.span is not None
    assert odd.source
    return odd.message, odd.help


@pytest.mark.parametrize(
    ("item", "message", "remedy"),
    [
        (
            thing("Gateway", "x", "a", api=GATEWAY, spec={"listeners": {}}),
            "`spec.listeners` is a mapping, not a list",
            "begin each item with `- `",
        ),
        (
            thing("Gateway", "x", "a", api=GATEWAY, spec={"listeners": [{"allowedRoutes": FROM}]}),
            f"`{DEEP}` is the text `Alike`, not a word that the API knows",
            "write a word that the API knows",
        ),
        (
            thing(
                "CiliumEgressGatewayPolicy",
                "x",
                api="cilium.io/v2",
                spec={"selectors": [{"podSelector": {"matchExpressions": [{"key": "a"}]}}]},
            ),
            "`spec.selectors[0].podSelector.matchExpressions[0]` has no `operator`",
            "add `operator`",
        ),
        (
            thing("ConfigMap", "x", "a", data={"a": "b", "port": 8080}),
            "`data.port` is the number `8080`, not text",
            'write it in quotes: `"8080"`',
        ),
        (
            thing("Endpoints", "x", "a", subsets=[{"ports": [{"port": "80"}]}]),
            "`subsets[0].ports[0].port` is the text `80`, not a whole number",
            "write it without quotes: `80`",
        ),
        (
            thing("Route", "x", "a", api="route.openshift.io/v1", spec={"to": ["a"]}),
            "`spec.to` is a list, not a mapping",
            "write a mapping",
        ),
    ],
)
def test_what_is_wrong_is_said_in_words(item: Manifest, message: str, remedy: str) -> None:
    assert said(item) == (message, remedy)
