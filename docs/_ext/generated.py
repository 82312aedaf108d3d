"""Pages written from the program itself, so that they cannot say something else.

Each is a Markdown file under `docs/_generated/`, included by a page that introduces it.
"""

import json
from collections.abc import Iterator
from importlib import import_module, resources
from pathlib import Path

import click
from sphinx.application import Sphinx

from cloison.app import settingsfile
from cloison.cli.app import cli
from cloison.cli.commands.validate import validate
from cloison.cli.settings import PARAMETERS
from cloison.dialects import TABLE
from cloison.dialects.cilium.switches import NEWEST, PREFIX, SWITCHES, defaults
from cloison.ir.profile import Profile, Quirk
from cloison.platform import CATALOGUE, profile, profile_names
from cloison.platform.components import Component, Role, known
from cloison.platform.made import rows

PROGRAM = "cloison"
_WIDTH = 90


def commands(
    command: click.Command, path: tuple[str, ...], parent: click.Context | None = None
) -> Iterator[tuple[tuple[str, ...], click.Context]]:
    """Yield a command and everything below it, in the order its help lists them.

    Args:
        command: Where to start.
        path: The words that call it.
        parent: Context of the group it belongs to.
    """
    context = click.Context(
        command,
        parent=parent,
        info_name=path[-1],
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
    )
    yield path, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from commands(child, (*path, name), context)


def cli_reference() -> str:
    """Return the reference of the command line, one heading per command."""
    parts: list[str] = []
    for path, context in commands(cli, (PROGRAM,)):
        text = "\n".join(line.rstrip() for line in context.get_help().splitlines())
        parts.append(f"## `{' '.join(path)}`\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def schema_files() -> dict[str, dict[str, object]]:
    """Return the JSON Schemas the package ships, by file name."""
    found = {}
    for package, directory in (("cloison.report", "schemas"), ("cloison.app", "schemas")):
        for entry in (resources.files(package) / directory).iterdir():
            if entry.name.endswith(".json"):
                found[entry.name] = json.loads(entry.read_text(encoding="utf-8"))
    return dict(sorted(found.items()))


def schema_reference() -> str:
    """Return the JSON Schemas the package ships, one heading each."""
    parts: list[str] = []
    for name, schema in schema_files().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        about = schema.get("description", "")
        parts.append(f"## `{name}`\n\n{about}\n\n```json\n{text}\n```\n")
    return "\n".join(parts)


def field_reference(name: str) -> str:
    """Return the table of a dialect's fields.

    Args:
        name: The dialect's package below `cloison.dialects`.
    """
    fields = import_module(f"cloison.dialects.{name}.fields").FIELDS
    rows = (f"| `{path}` | {fact.fidelity} | {_cell(fact.note)} |" for path, fact in fields.items())
    return "\n".join(("| field | | |", "|---|---|---|", *rows, ""))


def noticed_kinds() -> str:
    """Return the table of policy kinds that are known to exist and not understood."""
    kinds = sorted(kind for row in TABLE if row.name == "unmodelled" for kind in row.kinds)
    rows = (f"| `{group}` | {kind} |" for group, kind in kinds)
    return "\n".join(("| API group | kind |", "|---|---|", *rows, ""))


def caveat_reference() -> str:
    """Return the caveats, one row each."""
    rows = (
        f"| `{each.id}` | {_cell(each.text)} | {_cell(each.source)} |"
        for _, each in sorted(CATALOGUE.items())
    )
    return "\n".join(("| id | means | source |", "|---|---|---|", *rows, ""))


_FACTS = (
    ("enforces NetworkPolicy", "enforces"),
    ("an address block matches pod addresses", "block_matches_pods"),
    ("an address block matches node addresses", "block_matches_nodes"),
    ("`endPort` is honoured", "end_port"),
    ("SCTP is supported", "sctp"),
    ("named ports are resolved", "named_ports"),
    ("ports named by init and sidecar containers count", "init_container_ports"),
    ("protocols other than TCP, UDP and SCTP, once isolated", "other_protocols"),
    ("a pod may always reach its own node", "own_node_egress"),
    ("open connections pass whatever policies say by then", "keeps_connections"),
)
_SAID = {True: "yes", False: "no", None: "unclear"}
_READINGS = (
    ("rules count whose direction `policyTypes` leaves out", "every_list"),
    ("a port name in egress rules is one number for the whole cluster", "cluster_names"),
    ("blocks match pods in a way that is not known", "block_of_pods"),
    ("an ingress peer that is a block also is every pod of its namespace", "block_and_own"),
    ("namespaces by what they are not also are nodes, and what is outside", "beyond_pods"),
    ("and of those that do not exclude clusters as well, so are other nodes", "beyond_nodes"),
    ("the former only where the peer speaks of the label", "beyond_key"),
    ("what `except` leaves out of a block no other block lets through", "sticky_holes"),
    ("port names towards blocks, or everybody, stand for nothing", "names_need_pods"),
    ("a peer by labels also is pods on the network of nodes", "host_pods"),
    ("a peer of whole namespaces may also be nodes", "host_namespace"),
    ("`::/0` is only", "whole_v6"),
)


_CLUSTER_WIDE = (
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy/Admin",
    "ClusterNetworkPolicy/Baseline",
)


def _placed(each: Profile, kind: str) -> str:
    """Say what becomes of a kind of cluster-wide policy."""
    if kind not in each.places:
        return "unclear"
    place = each.places[kind]
    if place is None:
        return "no"
    marks = [f"`{caveat.id}`" for caveat in place.caveats]
    marks += [f"priorities up to {place.last:g}"] if place.last is not None else []
    marks += [f"not `{field}`" for field in sorted(place.lacks)]
    return ", ".join(("yes", *marks))


def _read(each: Profile) -> Iterator[str]:
    """Yield rows of how a profile reads policies, where that is not what the API says."""
    if each.visible is not None:
        hidden = ", ".join(f"`{pattern.text}`" for pattern in each.visible.ignore)
        yield f"| labels that policies do not see | {hidden} |"
    for text, key in _READINGS:
        way = getattr(each.reading, key)
        if isinstance(way, Quirk):
            yield f"| {text} | {'perhaps: ' if way.reason else 'yes: '}`{way.caveat.id}` |"
        elif isinstance(way, str | tuple) and way:
            said = (way,) if isinstance(way, str) else way
            yield f"| {text} | {', '.join(f'`{each}`' for each in said)} |"
        elif way:
            yield f"| {text} | yes |"


def profile_reference() -> str:
    """Return the profiles: what each says, one heading each."""
    parts: list[str] = []
    for name in profile_names():
        each = profile(name)
        values = ((text, getattr(each, key)) for text, key in _FACTS)
        rows = [f"| {text} | {_SAID.get(value, value)} |" for text, value in values]
        rows += [f"| enforces {kind} | {_placed(each, kind)} |" for kind in _CLUSTER_WIDE]
        rows += _read(each)
        known = ", ".join(f"`{caveat.id}`" for caveat in each.known) or "none"
        parts += [
            f"## `{name}`\n\n{each.title[:1].upper()}{each.title[1:]}.\n",
            "| | |\n|---|---|",
            *rows,
            f"| caveats of every answer | {known} |",
            f"\nSource: {each.source}\n",
        ]
    return "\n".join(parts)


def settings_reference() -> str:
    """Return the table of settings, and that of what a suppression says."""
    schema = settingsfile.schema()
    options = {each.name: each for each in validate.params}
    rows = ["| key | is | default | flag | variable |", "|---|---|---|---|---|"]
    for key, said in schema["properties"].items():
        name = PARAMETERS.get(key, key)
        option = options.get(name) if key != "kind" else None
        flag = f"`{option.opts[-1]}`" if option is not None else ""
        variable = f"`{option.envvar}`" if option is not None and option.envvar else ""
        default = said.get("default")
        shown = "" if default in (None, []) else f"`{json.dumps(default)}`"
        rows.append(f"| `{key}` | {_cell(said['description'])} | {shown} | {flag} | {variable} |")
    rows += ["", "A suppression:", "", "| key | is |", "|---|---|"]
    for key, said in schema["$defs"]["Suppression"]["properties"].items():
        needed = " Required." if key in schema["$defs"]["Suppression"]["required"] else ""
        rows.append(f"| `{key}` | {_cell(said['description'])}{needed} |")
    rows += ["", "What `cilium` may say:", "", "| key | is | default |", "|---|---|---|"]
    usual = defaults(NEWEST)
    for each in SWITCHES:
        known = usual[each.name]
        shown = f"`{known}`" if known else "nothing"
        rows.append(
            f"| `{each.name.removeprefix(PREFIX)}` | {_cell(each.about)} It is "
            f"{_cell(each.says)}. | {shown} |"
        )
    return "\n".join((*rows, ""))


def component_reference() -> str:
    """Return the tables of known components, by what they do."""
    parts: list[str] = []
    for role in Role:
        parts += [f"## {_ROLES[role]}", "", "| id | pods | ports | source |", "|---|---|---|---|"]
        for each in known():
            if each.role is role:
                name = f"`{each.id}`<br>{each.name}{'' if each.certain else ' (not certain)'}"
                notes = f"<br>{each.note}" if each.note else ""
                ports = "; ".join(f"{p.protocol} {p.port} {p.purpose}" for p in each.ports)
                cells = (name, f"{_pods(each)}{notes}", ports, each.source)
                parts.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
        parts.append("")
    parts += ["## Pods that operators make", "", "| resource | pods | source |", "|---|---|---|"]
    for row in rows():
        labels = ", ".join(f"`{key}={value}`" for key, value in row.labels.items())
        what = (f"{row.kind} ({row.group})", f"`{row.pods}`: {labels}", row.source)
        parts.append(f"| {' | '.join(_cell(cell) for cell in what)} |")
    return "\n".join(parts)


_ROLES = {
    Role.DNS: "Resolvers",
    Role.GATEWAY: "Gateways and ingress controllers",
    Role.GATEWAY_CONTROL: "What runs gateways",
    Role.MESH_CONTROL: "Control planes of service meshes",
    Role.MESH_PROXY: "Proxies of service meshes",
    Role.METRICS: "Metrics",
    Role.TELEMETRY: "Telemetry",
    Role.CERTIFICATES: "Certificates",
    Role.CONTROLLER: "Controllers",
    Role.API_SERVER: "The API server",
    Role.NODE: "Nodes",
    Role.LOAD_BALANCER: "Load balancers of providers",
    Role.METADATA: "Metadata of providers",
    Role.STATEFUL: "Stores and brokers",
}


def _pods(each: Component) -> str:
    """Return where a component is: labels in a namespace, or blocks."""
    sets = [each.pod_labels, *each.other_labels]
    labels = " or ".join(
        ", ".join(f"`{key}={value}`" for key, value in labels.items()) for labels in sets if labels
    )
    home = f" in `{each.namespace}`" if each.namespace and labels else ""
    host = ", host network" if each.host_network else ""
    blocks = ", ".join(f"`{block}`" for block in each.blocks)
    return "; ".join(part for part in (f"{labels}{home}{host}".lstrip(", "), blocks) if part)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def dialect_packages() -> list[str]:
    """Return the dialects that are packages of their own, by name."""
    return [row.name for row in TABLE if row.name != "unmodelled"]


def pages() -> dict[str, str]:
    """Return every generated page, by file name."""
    return {
        "caveats.md": caveat_reference(),
        "cli.md": cli_reference(),
        "components.md": component_reference(),
        "noticed.md": noticed_kinds(),
        "profiles.md": profile_reference(),
        "schemas.md": schema_reference(),
        "settings.md": settings_reference(),
        **{f"fields-{name}.md": field_reference(name) for name in dialect_packages()},
    }


def write(app: Sphinx) -> None:
    """Write the generated pages, leaving alone those that say the same already."""
    directory = Path(app.srcdir) / "_generated"
    directory.mkdir(exist_ok=True)
    for name, text in pages().items():
        page = directory / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
