"""Write `src/cloison/report/sarif_model.py` from the JSON Schema of SARIF 2.1.0.

Run from the top of the checkout, with the `datamodel-code-generator` package installed:

    python tools/make_sarif.py

Only what Cloison writes is taken from the schema; the whole of it would be a thousand lines.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "tests" / "unit" / "report" / "schemas" / "sarif-2.1.0-rtm.5.json"
TARGET = ROOT / "src" / "cloison" / "report" / "sarif_model.py"

WANTED = {
    "artifactLocation": ("uri",),
    "location": ("physicalLocation", "logicalLocations"),
    "logicalLocation": ("fullyQualifiedName", "kind"),
    "message": ("text",),
    "multiformatMessageString": ("text",),
    "physicalLocation": ("artifactLocation", "region"),
    "region": ("startLine", "startColumn"),
    "reportingConfiguration": ("level",),
    "reportingDescriptor": ("id", "shortDescription", "help", "helpUri", "defaultConfiguration"),
    "result": (
        "ruleId",
        "ruleIndex",
        "level",
        "message",
        "locations",
        "partialFingerprints",
        "suppressions",
    ),
    "run": ("tool", "columnKind", "results"),
    "suppression": ("kind", "status", "justification"),
    "tool": ("driver",),
    "toolComponent": ("name", "version", "informationUri", "rules"),
}
"""Properties that Cloison writes, by definition."""

_LINE = 88
"""Characters a docstring may have."""

HEAD = '''\
"""SARIF 2.1.0: what Cloison writes of it, as types. Made by `tools/make_sarif.py`; do not edit."""
'''


def pruned(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with what is wanted, and nothing that would only be read."""
    found = {}
    for name, properties in WANTED.items():
        definition = schema["definitions"][name]
        kept = {p: definition["properties"][p] for p in properties}
        found[name] = {
            "type": "object",
            "description": definition["description"],
            "properties": {p: _plain(value) for p, value in kept.items()},
            "required": definition.get("required", []),
        }
    log = {p: schema["properties"][p] for p in ("$schema", "version", "runs")}
    return {
        "$schema": schema["$schema"],
        "title": "SarifLog",
        "description": "A log of static analysis.",
        "type": "object",
        "properties": {p: _plain(value) for p, value in log.items()},
        "required": schema["required"],
        "definitions": found,
    }


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Return a property without prose, defaults and constraints: absent is absent."""
    prose = ("description", "default")
    limits = ("format", "pattern", "minimum", "maximum", "minItems", "uniqueItems")
    dropped = (*prose, *limits)
    plain = {k: v for k, v in value.items() if k not in dropped}
    if "items" in plain:
        plain["items"] = _plain(plain["items"])
    return plain


def main() -> None:
    """Write the types."""
    schema = pruned(json.loads(SCHEMA.read_text()))
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory, "sarif.json"), Path(directory, "sarif.py")
        source.write_text(json.dumps(schema))
        options = (
            "--input-file-type=jsonschema",
            "--output-model-type=msgspec.Struct",
            "--target-python-version=3.11",
            "--use-standard-collections",
            "--use-union-operator",
            "--use-schema-description",
            "--enum-field-as-literal=all",
            "--snake-case-field",
            "--disable-timestamp",
            "--use-double-quotes",
            "--formatters",
            "builtin",
        )
        subprocess.run(  # noqa: S603 - the generator, on our own input
            (sys.executable, "-m", "datamodel_code_generator", f"--input={source}",
             f"--output={target}", *options),
            check=True,
        )  # fmt: skip
        made = target.read_text()
    body = re.sub(r"\A(#.*\n)+", "", made)
    body = re.sub(r'"""\n    (.*)\n    """', _wrapped, body)
    TARGET.write_text(HEAD + body.replace("from __future__ import annotations\n\n", ""))
    for command in (("check", "--fix-only", "--quiet"), ("format", "--quiet")):
        subprocess.run((sys.executable, "-m", "ruff", *command, TARGET), check=True)  # noqa: S603


def _wrapped(match: re.Match[str]) -> str:
    """Return a docstring as the house writes them: a sentence, no longer than a line."""
    sentence = match[1].partition(". ")[0].rstrip(".")
    return f'"""{sentence if len(sentence) < _LINE else sentence.rpartition(",")[0]}."""'


if __name__ == "__main__":
    main()
