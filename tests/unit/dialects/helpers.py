"""Short ways to write policies in tests."""

import json

from cloison.base import Diagnostic, Severity
from cloison.dialects.networkpolicy.decode import decode
from cloison.dialects.networkpolicy.model import NetworkPolicy
from cloison.resources.options import FieldValidation, ReadOptions
from tests.support.documents import document

HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: x}\n"


def options(kubernetes: str = "1.35", *, strict: bool = False) -> ReadOptions:
    major, minor = kubernetes.split(".")
    mode = FieldValidation.STRICT if strict else FieldValidation.WARN
    return ReadOptions((int(major), int(minor)), mode)


def read(
    spec: str, how: ReadOptions | None = None, old: NetworkPolicy | None = None
) -> tuple[NetworkPolicy | None, list[Diagnostic]]:
    """Decode a policy of namespace x given its spec in flow style."""
    return decode(document(f"{HEAD}spec: {spec}\n"), how or options(), old=old)


def policy(spec: str, name: str = "p", namespace: str = "x") -> NetworkPolicy:
    """Return a policy that must be accepted."""
    head = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
    }
    text = json.dumps(head)[:-1] + f', "spec": {spec}}}'
    found, diagnostics = decode(document(text), options())
    assert found is not None, diagnostics
    return found


def errors(diagnostics: list[Diagnostic]) -> list[str]:
    return [d.code for d in diagnostics if d.severity is Severity.ERROR]


def peer(text: str) -> str:
    """Return a spec whose only peer is `text`."""
    return f"{{podSelector: {{}}, ingress: [{{from: [{text}]}}]}}"


def port(text: str) -> str:
    """Return a spec whose only ports entry is `text`."""
    return f"{{podSelector: {{}}, ingress: [{{ports: [{text}]}}]}}"


def block(cidr: str, *holes: str) -> str:
    """Return a spec whose only peer is a block."""
    text = json.dumps({"cidr": cidr} | ({"except": list(holes)} if holes else {}))
    return peer(f'{{"ipBlock": {text}}}')
