"""The JSON Schema of a contract: what `read` reads, for editors and for whoever writes one.

It refuses what the reader refuses of an entry by itself. That zones and externals are declared,
that names occur once, that an address or a date is one, only the reader can tell.
"""

from typing import Any, Final

from cloison.algebra import Operator
from cloison.intent import entries
from cloison.intent.ends import PROTOCOLS
from cloison.intent.fields import LONGEST, MOST
from cloison.intent.model import API_VERSION, KIND

Schema = dict[str, Any]

_LABEL: Final = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_PART: Final = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAME: Final = rf"^(?=.{{1,253}}$){_PART}(?:\.{_PART})*$"
_WORD: Final = "[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY: Final = rf"^(?:(?=[^/]{{1,253}}/){_PART}(?:\.{_PART})*/)?{_WORD}$"
_VALUE: Final = rf"^(?:{_WORD})?$"
_SAID: Final = r"\S"
_DAY: Final = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"
_NUMBER: Final = (
    "0*(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
_BYTE: Final = "(?:0*[0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
_PORT_NAME: Final = "(?=[a-z0-9-]{1,15}(?:/|$))(?=[0-9-]*[a-z])[a-z0-9](?:-?[a-z0-9])*"
_ENDING: Final = "(?:/(?:[Tt][Cc][Pp]|[Uu][Dd][Pp]|[Ss][Cc][Tt][Pp]))?"
_PORT: Final = (
    rf"^(?:{_NUMBER}(?:-{_NUMBER})?{_ENDING}|(?![Ii][Cc][Mm][Pp]){_PORT_NAME}{_ENDING}"
    rf"|[Ii][Cc][Mm][Pp](?:[Vv]6)?(?:/{_BYTE}(?:/{_BYTE})?)?"
    "|[Tt][Cc][Pp]|[Uu][Dd][Pp]|[Ss][Cc][Tt][Pp])$"
)
_NAMED: Final = r"[^\s/:]+"
_END: Final = (
    rf"^(?:any:(?:{_LABEL})?|(?:zone|external|node):{_PART}(?:\.{_PART})*"
    rf"|(?:svc|gw):{_NAMED}/{_NAMED}(?:/{_NAMED})?|dns:[^:/]+"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?"
    r"|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:/[0-9]{1,3})?|\[[0-9A-Fa-f:.]+\]"
    rf"|(?![0-9./]+$)[^:/]+/[^:/]+(?:/[^:/]+)?)$"
)


def schema() -> Schema:
    """Return the schema of a contract."""
    spec = {
        "owner": _text("Who answers for entries that say nobody."),
        "defaults": _object(
            "What dependencies say that do not say it themselves.", **_primitives()
        ),
        "zones": _list("zone", "Zones, and which may call which."),
        "workloads": _list("workload", "The zone, class, owner and asset of workloads."),
        "dependencies": _list("dependency", "Calls that somebody owns the reason for."),
        "guardrails": _list("guardrail", "What must never be permitted."),
        "externals": _list("external", "Services outside the cluster."),
        "namespaceLabels": _list("label", "What labels of namespaces may be."),
        "platform": _list("platform", "Components of the platform that everybody depends on."),
    }
    text = {"type": ["string", "null"]}
    loose = {"type": ["object", "null"]}
    metadata = {"name": _text("What the contract is called."), "labels": loose}
    metadata["annotations"] = loose
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cloison contract",
        "description": "Who is meant to call whom, who owns the reason, what must never happen.",
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": KIND},
            "metadata": _object("Its name; the rest is not read.", **metadata),
            "spec": {"type": "object", "properties": spec, "additionalProperties": False},
        },
        "required": ["apiVersion", "kind", "spec"],
        "additionalProperties": False,
        "$defs": {**_entries(), **_parts(), "text": text},
    }


def _entries() -> Schema:
    owner, reason = _text("Who answers for it."), _text("What it is for.")
    name = _named("Its name, used once.")
    return {
        "zone": _entry(
            "A zone.",
            ["name"],
            name={**name, "not": {"const": "world"}},
            to=_texts("Zones that it may call; its own name for calls within it."),
            from_=_texts("Zones that may call it; world is what lies outside the cluster."),
        ),
        "workload": _entry(
            "What is said of some workloads; of two entries the closer match counts.",
            ["match"],
            match={"$ref": "#/$defs/match"},
            zone=_named("Their zone."),
            class_={"enum": [*entries.CLASSES, None]},
            owner=owner,
            asset=_text("What is protected there."),
        ),
        "dependency": _entry(
            "A call that somebody owns the reason for.",
            ["from", "to"],
            name=_named("Its name; made from its ends where there is none."),
            from_={"$ref": "#/$defs/end"},
            to={"$ref": "#/$defs/end"},
            ports=_ports(),
            http=_object("The part of HTTP that is meant.", **{k: _text("") for k in entries.HTTP}),
            owner=owner,
            reason=reason,
            ticket=_text("Where it was approved."),
            expires=_day("The last day on which it counts."),
            **_primitives(),
        ),
        "guardrail": _guardrail(name, reason, owner),
        "external": {
            **_entry(
                "A service outside the cluster.",
                ["name"],
                name=name,
                cidrs=_texts("Its blocks of addresses."),
                names=_texts("Its DNS names."),
                ranges={
                    "description": "The list its provider publishes, as JSON beside the contract.",
                    "anyOf": [
                        _text(""),
                        _entry(
                            "",
                            ["file"],
                            file=_must(),
                            keep={
                                "type": ["object", "null"],
                                "additionalProperties": _text("", _SAID),
                            },
                        ),
                    ],
                },
                zone=_named("Its zone; world where nothing is said."),
                owner=owner,
                reason=reason,
                review=_day("The day by which somebody looks at it again."),
            ),
            "anyOf": [_says("cidrs"), _says("names"), _says("ranges")],
        },
        "label": _entry(
            "What a label of namespaces may be.",
            ["key"],
            key={"type": "string", "pattern": _KEY},
            values=_texts("What it may be; anything where nothing is said.", _VALUE),
            owner=owner,
            changedBy=_texts("Who may change it."),
            required={"type": ["boolean", "null"]},
            except_=_texts("Namespaces that need not have it."),
        ),
        "platform": {
            "anyOf": [
                {"type": "string", "pattern": _NAME},
                _entry(
                    "A component, or what one does: dns, metrics.",
                    ["id"],
                    id={"type": "string", "pattern": _NAME},
                    owner=owner,
                    reason=reason,
                ),
            ]
        },
    }


def _guardrail(name: Schema, reason: Schema, owner: Schema) -> Schema:
    flows = {"from_": _ends(), "to": _ends(), "ports": _ports()}
    deny = _object("Who may not, whom, and with what.", **flows)
    only = _object("Who alone may, whom, and with what.", **flows)
    deny["anyOf"] = [{"type": "null"}, _says("from"), _says("to")]
    only["anyOf"] = [{"type": "null"}, {"allOf": [_says("from"), _says("to")]}]
    exempt = [{"$ref": "#/$defs/end"}, _entry("What is not forbidden.", [], **flows)]
    return {
        **_entry(
            "What must never be permitted.",
            ["name"],
            name=name,
            deny=deny,
            only=only,
            except_={
                "anyOf": [*exempt, {"type": "null"}, {"type": "array", "items": {"anyOf": exempt}}]
            },
            reason=reason,
            owner=owner,
        ),
        "oneOf": [_given("deny"), _given("only")],
    }


def _parts() -> Schema:
    requirement = _entry(
        "",
        ["key", "operator"],
        key={"type": "string", "pattern": _KEY},
        operator={"enum": [str(each) for each in Operator if not each.textual]},
        values=_texts(""),
    )
    wants = {"properties": {"operator": {"enum": ["In", "NotIn"]}}}
    requirement.update({"if": wants, "then": _says("values"), "else": {"not": _says("values")}})
    labels = {
        "type": ["object", "null"],
        "propertyNames": {"pattern": _KEY},
        "additionalProperties": {"type": "string", "pattern": _VALUE},
    }
    return {
        "end": {
            "description": "web/portal, any:, any:web, zone:app, external:sentry, svc:web/portal, "
            "gw:web/public, node:n1, dns:api.example.com, an address or block; or pods by labels.",
            "anyOf": [
                {"type": "string", "maxLength": LONGEST, "pattern": _END},
                {
                    **_entry(
                        "",
                        [],
                        namespace=_text("", f"^{_LABEL}$"),
                        namespaceSelector={"$ref": "#/$defs/selector"},
                        selector={"$ref": "#/$defs/selector"},
                    ),
                    "oneOf": [_given("namespace"), _given("namespaceSelector")],
                },
            ],
        },
        "port": {
            "description": "8080, 53/UDP, 9000-9100, http, icmp/8; or its parts.",
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 65535},
                {"type": "string", "pattern": _PORT},
                _object(
                    "",
                    port={
                        "anyOf": [
                            {"type": "integer", "minimum": 1, "maximum": 65535},
                            {"type": "string", "pattern": f"^(?:{_NUMBER}|{_PORT_NAME})$"},
                            {"type": "null"},
                        ]
                    },
                    endPort={"type": ["integer", "null"], "minimum": 1, "maximum": 65535},
                    protocol={"enum": [*PROTOCOLS, None]},
                )
                | {"type": "object"},
            ],
        },
        "selector": {
            "description": "As Kubernetes writes selectors, or labels alone.",
            "anyOf": [
                _object(
                    "",
                    matchLabels=labels,
                    matchExpressions={"type": ["array", "null"], "items": requirement},
                ),
                {**labels, "not": {"anyOf": [_has("matchLabels"), _has("matchExpressions")]}},
            ],
        },
        "match": {
            **_entry(
                "Workloads: those of a namespace, by name, or by labels of their pods.",
                ["namespace"],
                namespace={"type": "string", "pattern": f"^{_LABEL}$"},
                name=_named("The workload's name."),
                kind=_text("Its kind, as kubectl names it."),
                selector={"$ref": "#/$defs/selector"},
            ),
            "allOf": [
                {"not": {"allOf": [_given("name"), _given("selector")]}},
                {"if": _given("kind"), "then": _given("name")},
            ],
        },
    }


def _primitives() -> Schema:
    found = {name: _text("") for name in entries.PRIMITIVES}
    return {**found, "direction": {"enum": [*entries.DIRECTIONS, None]}}


def _text(description: str, pattern: str = _SAID) -> Schema:
    found: Schema = {"description": description} if description else {}
    return {**found, "type": ["string", "null"], "pattern": pattern, "maxLength": LONGEST}


def _must() -> Schema:
    return {"type": "string", "pattern": _SAID, "maxLength": LONGEST}


def _named(description: str) -> Schema:
    return _text(description, _NAME)


def _day(description: str) -> Schema:
    return _text(description, _DAY)


def _texts(description: str, pattern: str = _SAID) -> Schema:
    one = {"type": "string", "pattern": pattern, "maxLength": LONGEST}
    many = {"type": "array", "items": one, "maxItems": MOST}
    found: Schema = {"description": description} if description else {}
    return {**found, "anyOf": [one, many, {"type": "null"}]}


def _many(part: str) -> Schema:
    one = {"$ref": f"#/$defs/{part}"}
    many = {"type": "array", "items": one, "maxItems": MOST}
    return {"anyOf": [one, many, {"type": "null"}]}


def _ends() -> Schema:
    return _many("end")


def _ports() -> Schema:
    return _many("port")


def _list(part: str, description: str) -> Schema:
    items = {"$ref": f"#/$defs/{part}"}
    return {"description": description, "type": ["array", "null"], "items": items}


def _object(description: str, /, **fields: Schema) -> Schema:
    found: Schema = {"description": description} if description else {}
    properties = {name.rstrip("_"): each for name, each in fields.items()}
    return {
        **found,
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": False,
    }


def _entry(description: str, required: list[str], /, **fields: Schema) -> Schema:
    found = {**_object(description, **fields), "type": "object"}
    if not required:
        return found
    said = [_given(name) for name in required]
    return {**found, "required": required, "allOf": said}


def _has(name: str) -> Schema:
    return {"required": [name]}


def _given(name: str) -> Schema:
    """Return that a field says something, and not null."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _says(name: str) -> Schema:
    """Return that a field says something, and not an empty list."""
    nothing = {"anyOf": [{"type": "null"}, {"type": "array", "maxItems": 0}]}
    return {"required": [name], "properties": {name: {"not": nothing}}}
