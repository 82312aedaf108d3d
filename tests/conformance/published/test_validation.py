"""What Cilium's unit tests take and refuse, asked of Cloison."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cloison.base import Severity
from cloison.dialects.cilium.decode import decode
from cloison.resources.options import ReadOptions
from tests.conformance.test_cilium_reading import bodies, document

FILE = Path(__file__).with_name("validation.yaml")
TRIES = [
    pytest.param(kind, body, each, id=f"{case['id']}-{number}-{kind}-{place}")
    for case in yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for number, each in enumerate(case["tries"], 1)
    for place, (kind, body) in enumerate(bodies(each["where"], each["fragment"]), 1)
]


@pytest.mark.parametrize(("kind", "body", "each"), TRIES)
def test_what_unit_tests_accept(kind: str, body: dict[str, Any], each: dict[str, Any]) -> None:
    found, said = decode(document(kind, body), ReadOptions())
    assert (found is not None) is (each["result"] == "accept")
    errors = {d.code for d in said if d.severity is Severity.ERROR}
    assert errors == ({each["code"]} if "code" in each else set())
