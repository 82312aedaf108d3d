"""Requests that Cilium's proxy answers itself, and sends nothing on."""

import pytest

from cloison.app import Session
from cloison.ir.fidelity import Verdict
from tests.unit.dialects.cilium_world import loaded, policy

PORT = 'toPorts: [{ports: [{port: "8080", protocol: TCP}]'
V1 = policy(f'ingress: [{{{PORT}, rules: {{http: [{{path: "/v1/.*"}}]}}}}]}}]')


def asked(session: Session, path: str) -> tuple[Verdict, str | None, str]:
    why = session.why("shop/web", "shop/api", port=8080, http=f"GET {path}")
    return why.verdict, why.refusal, " ".join(why.notes)


@pytest.mark.parametrize(
    ("path", "refusal", "note"),
    [
        ("/v1%2fx", "the proxy answers with a redirect", "redirects to /v1/x"),
        ("/v1/x%5cy", "the proxy answers with a redirect", "redirects to"),
        ("/v1/x#top", "the proxy answers with HTTP 400", "answers 400"),
        ("/v1/%00", "the proxy answers with HTTP 400", "answers 400"),
    ],
)
def test_some_paths_do_not_pass_as_they_are_sent(path: str, refusal: str, note: str) -> None:
    verdict, by, notes = asked(loaded(V1), path)
    assert (verdict, by) == (Verdict.DENIED, refusal)
    assert note in notes


@pytest.mark.parametrize("path", ["/v1//x", "/v1/./x", "/v1/%61", "/v1/x?to=%2F"])
def test_others_are_read_in_one_form(path: str) -> None:
    assert asked(loaded(V1), path)[0] is Verdict.ALLOWED


def test_without_a_proxy_or_one_form_paths_are_as_they_are() -> None:
    assert asked(loaded(policy(f"ingress: [{{{PORT}}}]}}]")), "/v1%2fx")[0] is Verdict.ALLOWED
    plain = {"http-normalize-path": "false"}
    assert asked(loaded(V1, said=plain), "/v1/%2fx")[0] is Verdict.ALLOWED
