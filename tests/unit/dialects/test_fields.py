"""The field table knows every field the reader can meet."""

import re

from cloison.dialects.networkpolicy.fields import FIELDS
from cloison.dialects.networkpolicy.write import to_dict
from cloison.ir.fidelity import Fidelity
from tests.unit.dialects.helpers import policy

SELECTOR = (
    "{matchLabels: {app: a}, matchExpressions: [{key: t, operator: In, values: [v]}, "
    "{key: u, operator: Exists}]}"
)
RULE = (
    f"[{{podSelector: {SELECTOR}, namespaceSelector: {SELECTOR}}}, "
    "{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], "
    "ports: [{protocol: TCP, port: 80, endPort: 90}, {port: http}]"
)
FULL = (
    f"{{podSelector: {SELECTOR}, policyTypes: [Ingress], ingress: [{{from: {RULE}}}], "
    f"egress: [{{to: {RULE}}}]}}"
)


def leaves(value: object, path: str = "") -> set[str]:
    if isinstance(value, dict):
        star = path.endswith("matchLabels")
        return {
            leaf
            for key, child in value.items()
            for leaf in leaves(child, f"{path}.{'*' if star else key}".lstrip("."))
        }
    if isinstance(value, list):
        return {leaf for child in value for leaf in leaves(child, f"{path}[]")}
    return {path}


def test_every_leaf_of_a_full_policy_has_a_row() -> None:
    found = leaves(to_dict(policy(FULL)))
    assert found <= FIELDS.keys()


def test_every_modelled_row_is_met() -> None:
    found = leaves(to_dict(policy(FULL)))
    modelled = {path for path, fact in FIELDS.items() if fact.fidelity is Fidelity.MODELLED}
    reached = {p for p in modelled if any(re.match(re.escape(p) + r"($|[.\[])", f) for f in found)}
    assert modelled == reached


def test_every_row_says_something() -> None:
    assert all(fact.note.endswith(".") for fact in FIELDS.values())
