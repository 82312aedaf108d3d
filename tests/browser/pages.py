"""Pages for tests, and how a test gets about on one."""

from pathlib import Path
from typing import Any

from selenium.webdriver.common.keys import Keys

from cloison.analyses.connectivity import MapOptions
from cloison.analyses.ledger import ledger
from cloison.app import Session
from cloison.report import About, render
from cloison.report.html import Content, Side
from tests.browser.conftest import Browser
from tests.support.page import Page, embedded

EXAMPLE = Path(__file__).parents[2] / "examples" / "case-management"
BROKEN = EXAMPLE.with_name("case-management-broken")


def workload(namespace: str, name: str) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "example.test/main"}]},
            },
        },
    }


HTTP = [{"method": "GET", "path": "/v1/.*"}, {"method": "POST", "path": "/orders"}]
SHOP: list[dict[str, Any]] = [
    workload("shop", "api"),
    workload("web", "front"),
    {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {
            "endpointSelector": {"matchLabels": {"app": "api"}},
            "ingress": [
                {
                    "fromEndpoints": [
                        {"matchLabels": {"app": "front", "k8s:io.kubernetes.pod.namespace": "web"}}
                    ],
                    "toPorts": [
                        {
                            "ports": [{"port": "8080", "protocol": "TCP"}],
                            "rules": {"http": HTTP},
                        }
                    ],
                }
            ],
        },
    },
]
"""One call is allowed to its requests."""


def written(session: Session, file: Path, options: MapOptions | None = None) -> Page:
    """Write the page of a session's map, and return its data."""
    chosen = options or MapOptions(self_edges=True)
    content = Content(session.map(chosen), (Side(ledger(session.engine), "-f here"),))
    text = "".join(render("map", content, About("0", session.profile, "default"), "html"))
    file.write_text(text, "utf-8")
    return Page(embedded(text))


def cell(browser: Browser, start: str) -> Any:
    """Return the cell whose description begins in a certain way."""
    return browser.find(f'.grid .cell[aria-label^="{start}"]')


def search(browser: Browser, side: str, text: str) -> None:
    field = browser.find(f"#filter-{side}")
    field.send_keys(Keys.CONTROL, "a", Keys.DELETE)
    field.send_keys(text)
    browser.until("return !document.getElementById('matrix').hasAttribute('aria-busy')")
    assert field.get_attribute("value") == text
