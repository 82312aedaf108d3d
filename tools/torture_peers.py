r"""Put the selector torture set to other checkers and record what they say.

    python -m tools.torture_peers cloison=cloison checkov=/path/to/checkov \
        nca=/path/to/nca cyclonus=/path/to/cyclonus=0.5.6 kube-score=/path/to/kube-score=1.20.0

A version is given where the program does not know its own. Each checker named is run on every
case, offline, and `conformance/torture/results/NAME.json` is written anew; results of those not
named stay. Then run `tools/torture.py`. How a checker was asked, and how what it printed became an
answer, is told in its result file and from there on the documentation page. Nothing is installed.
"""

import ipaddress
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from tools import torture

Manifest: TypeAlias = dict[str, Any]
NAME_LABEL = "kubernetes.io/metadata.name"
TIMEOUT = 120


class NoAnswerError(Exception):
    """The checker did not answer, for the reason given."""


class Checker(NamedTuple):
    """How one checker is asked.

    Args:
        tool: Its name.
        source: Where it was had from.
        asks: Which questions; see `torture.expected`.
        asked: The same in words.
        command: What was run, for one case.
        mapped: How output became answers.
        version: What tells its version.
        answer: What answers a case.
    """

    tool: str
    source: str
    asks: str
    asked: str
    command: str
    mapped: str
    version: Callable[[str], str]
    answer: Callable[[str, torture.Case], dict[str, Any]]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a checker, whatever its exit code."""
    return subprocess.run(  # noqa: S603 - what the caller named
        command, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


def manifests(case: torture.Case) -> list[str]:
    """Return the files of a case as arguments."""
    return [str(case.directory / name) for name in case.files]


def last_word(*command: str) -> Callable[[str], str]:
    """Return what asks a program for its version: the first number it prints."""

    def ask(program: str) -> str:
        done = run(program, *command)
        found = re.search(r"\d+\.\d+(?:\.\d+)?", done.stdout + done.stderr)
        return found.group() if found else "unknown"

    return ask


def unknown(_: str) -> str:
    """Stand for a program that was built from source and cannot tell its version."""
    return "unknown"


# ------------------------------------------------------------------ Cloison
def cloison(program: str, case: torture.Case) -> dict[str, Any]:
    """Ask Cloison."""
    done = run(program, "verify", "-f", str(case.directory), "-o", "json")
    if not done.stdout:
        raise NoAnswerError(done.stderr.strip().splitlines()[0])
    verdicts = {"allowed": "allow", "denied": "deny"}
    return {
        row["name"]: verdicts.get(row["verdict"], row["verdict"])
        for row in json.loads(done.stdout)["results"]
    }


# ------------------------------------------------------------------ Checkov
def checkov(program: str, case: torture.Case) -> dict[str, Any]:
    """Ask Checkov's graph check which pods have a policy."""
    options = ("--framework", "kubernetes", "-c", "CKV2_K8S_6", "-o", "json", "--skip-download")
    done = run(program, "-d", str(case.directory), *options)
    if not done.stdout.startswith("{"):
        raise NoAnswerError((done.stdout + done.stderr).strip().splitlines()[0])
    results = json.loads(done.stdout).get("results", {})
    said = {
        check["resource"]: check["check_result"]["result"] == "PASSED"
        for outcome in ("passed_checks", "failed_checks")
        for check in results.get(outcome, ())
    }
    found = {}
    for pod in case.isolated:
        namespace, _, name = pod.partition("/")
        pattern = re.compile(rf"Pod\.{namespace}\.{re.escape(name)}(?:\.|$)")
        matching = {passed for resource, passed in said.items() if pattern.match(resource)}
        if len(matching) != 1:
            raise NoAnswerError(f"says nothing, or two things, about {pod}")
        found[pod] = matching.pop()
    return found


# ------------------------------------------------------------------ kube-score
CRITICAL, WARNING, ALL_OK = 1, 5, 10


def kube_score(program: str, case: torture.Case) -> dict[str, Any]:
    """Ask kube-score which pods lack a policy, and in which direction."""
    done = run(program, "score", "-o", "json", *manifests(case))
    if not done.stdout.startswith("["):
        raise NoAnswerError((done.stderr or done.stdout).strip().splitlines()[0])
    found = {}
    for item in json.loads(done.stdout):
        meta = item["object_meta"]
        checks = [c for c in item["checks"] if c["check"]["id"] == "pod-networkpolicy"]
        if not checks or checks[0]["skipped"]:
            continue
        texts = " ".join(comment["summary"] for comment in checks[0]["comments"] or ())
        missing = {d for d in ("Ingress", "Egress") if f"matching {d.lower()} Network" in texts}
        if checks[0]["grade"] != ALL_OK and not missing:
            missing = {"Ingress", "Egress"}
        found[f"{meta['namespace']}/{meta['name']}"] = [
            d for d in ("Ingress", "Egress") if d not in missing
        ]
    if absent := case.isolated.keys() - found.keys():
        raise NoAnswerError(f"says nothing about {', '.join(sorted(absent))}")
    return {pod: found[pod] for pod in case.isolated}


# ------------------------------------------------------------------ NCA
def nca(program: str, case: torture.Case) -> dict[str, Any]:
    """Ask the network configuration analyzer for every connection, and look the rows up."""
    options = ("-o", "txt_no_fw_rules", "--output_endpoints", "pods", "--print_ipv6")
    files = [word for path in manifests(case) for word in ("-r", path)]
    done = run(program, "--connectivity", *files, *options)
    if "unique endpoints" not in done.stdout:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        # Its message ends with the place, which is ours.
        raise NoAnswerError(re.sub(r" \([\w.-]+, line \d+\)", "", said[0]))
    edges = [_nca_edge(line) for line in done.stdout.splitlines() if " => " in line]
    found: dict[str, str | None] = {}
    for row in case.questions:
        ends = _nca_end(case, row["from"]), _nca_end(case, row["to"])
        if ends[0] == ends[1]:
            found[row["name"]] = None  # It leaves out what a pod says to itself.
            continue
        allowed = any(
            _nca_is(src, ends[0]) and _nca_is(dst, ends[1]) and _nca_carries(traffic, row)
            for src, dst, traffic in edges
        )
        found[row["name"]] = "allow" if allowed else "deny"
    return found


def _nca_edge(line: str) -> tuple[str, str, str]:
    ends, _, traffic = line.partition(" : ")
    src, _, dst = ends.partition(" => ")
    return src, dst, traffic


def _nca_end(case: torture.Case, end: str) -> str:
    """Return an end as NCA prints it: a Deployment's first pod is NAME-1."""
    deployments = {
        f"{d['metadata']['namespace']}/{d['metadata']['name']}"
        for d in case.documents()
        if d["kind"] == "Deployment"
    }
    return f"{end}-1" if end in deployments else end


def _nca_is(printed: str, end: str) -> bool:
    if "/" in end:
        return printed == end
    if "/" in printed and "-" in printed and not re.match(r"[\d:a-f]", printed):
        return False
    address = ipaddress.ip_address(end)
    for part in printed.split(","):
        first, _, last = part.strip().partition("-")
        try:
            if "/" in first:
                if address in ipaddress.ip_network(first):
                    return True
                continue
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last or first)
        except ValueError:
            continue
        if low.version == address.version and int(low) <= int(address) <= int(high):
            return True
    return False


def _nca_carries(traffic: str, row: dict[str, Any]) -> bool:
    """Return whether one printed set of connections holds the row's."""
    if "All connections" in traffic:
        return True
    for cube in re.findall(r"\{([^}]*)\}", traffic):
        fields = dict(re.findall(r"(\w+):([^:]*?)(?:,(?=\w+:)|$)", cube))
        protocols = fields.get("protocols")
        if protocols and row["protocol"] not in _names(protocols):
            continue
        ports = fields.get("dst_ports")
        if not ports or any(_within(part, row["port"]) for part in ports.split(",")):
            return True
    return False


def _names(protocols: str) -> set[str]:
    """Expand NCA's protocols: names, numbers, and ranges of numbers."""
    numbers = {"ICMP": 1, "TCP": 6, "UDP": 17, "SCTP": 132}
    found: set[str] = set()
    for part in protocols.split(","):
        low, _, high = part.partition("-")
        first, last = numbers.get(low, low), numbers.get(high, high) or numbers.get(low, low)
        found |= {n for n, number in numbers.items() if int(first) <= number <= int(last)}
    return found


def _within(part: str, port: int) -> bool:
    low, _, high = part.partition("-")
    return int(low) <= port <= int(high or low)


# ------------------------------------------------------------------ Cyclonus
def cyclonus(program: str, case: torture.Case) -> dict[str, Any]:
    """Ask Cyclonus about each row as one traffic of its own model."""
    documents = case.documents()
    ends = _ends(documents)
    policies = [d for d in documents if d["kind"] == "NetworkPolicy"]
    with tempfile.TemporaryDirectory() as made:
        held = Path(made, "policies")
        held.mkdir()
        for number, policy in enumerate(policies):
            Path(held, f"{number}.yaml").write_text(yaml.safe_dump(policy), "utf-8")
        asked = Path(made, "traffic.json")
        traffic = [_traffic(row, ends) for row in case.questions]
        asked.write_text(json.dumps(traffic), "utf-8")
        words = ("--mode", "query-traffic", "--policy-path", str(held), "--traffic-path")
        done = run(program, "analyze", *words, str(asked))
    said = re.findall(r"Is traffic allowed\?\n(.*?)\n\n", done.stdout + "\n\n", re.DOTALL)
    if done.returncode or len(said) != len(traffic):
        lines = [line for line in done.stderr.splitlines() if "level=fatal" in line]
        lines += [line for line in done.stderr.splitlines() if "panic:" in line]
        message = lines[0] if lines else done.stderr.strip()[:200]
        found = re.search(r'msg="([^"\\]*)', message)
        raise NoAnswerError(found.group(1).strip() if found else message)
    # Its pods have labels and no names, so that a pod and itself look like two.
    return {
        row["name"]: None if row["from"] == row["to"] else _cyclonus_verdict(text)
        for row, text in zip(case.questions, said, strict=True)
    }


def _cyclonus_verdict(text: str) -> str:
    (allowed,) = re.findall(r"IS ALLOWED\?\s*\|\s*(TRUE|FALSE)", text)
    return "allow" if allowed == "TRUE" else "deny"


def _ends(documents: Iterable[Manifest]) -> dict[str, Manifest]:
    """Return pods and the pods of Deployments as Cyclonus models them, with made-up addresses."""
    listed = list(documents)
    labels = {
        d["metadata"]["name"]: {
            **(d["metadata"].get("labels") or {}),
            NAME_LABEL: d["metadata"]["name"],
        }
        for d in listed
        if d["kind"] == "Namespace"
    }
    found: dict[str, Manifest] = {}
    for number, item in enumerate(d for d in listed if d["kind"] in {"Pod", "Deployment"}):
        pod = item if item["kind"] == "Pod" else item["spec"]["template"]
        space = item["metadata"]["namespace"]
        ports = {
            (port["containerPort"], port.get("protocol", "TCP")): port["name"]
            for container in pod["spec"]["containers"]
            for port in container.get("ports", ())
        }
        found[f"{space}/{item['metadata']['name']}"] = {
            "IP": f"10.0.0.{number + 1}",
            "Internal": {
                "Namespace": space,
                "NamespaceLabels": labels[space],
                "PodLabels": pod["metadata"]["labels"],
            },
            "ports": ports,
        }
    return found


def _traffic(row: dict[str, Any], ends: dict[str, Manifest]) -> Manifest:
    source, target = (ends.get(row[end], {"IP": row[end]}) for end in ("from", "to"))
    name = target.get("ports", {}).get((row["port"], row["protocol"]), "")
    return {
        "Source": {key: source[key] for key in ("IP", "Internal") if key in source},
        "Destination": {key: target[key] for key in ("IP", "Internal") if key in target},
        "ResolvedPort": row["port"],
        "ResolvedPortName": name,
        "Protocol": row["protocol"],
    }


REACH = "whether each connection of the table is let through."
CHECKERS = {
    "cloison": Checker(
        "Cloison",
        "this project",
        "reach",
        REACH,
        "cloison verify -f CASE -o json",
        "the verdict of each row.",
        lambda _: metadata.version("cloison"),
        cloison,
    ),
    "nca": Checker(
        "NCA",
        "`network-config-analyzer` on PyPI",
        "reach",
        REACH,
        "nca --connectivity -r FILE... -o txt_no_fw_rules --output_endpoints pods --print_ipv6",
        "a row is allowed when a printed line joins its ends and holds its protocol and port, and "
        "denied when none does; what a pod says to itself is never printed, so not judged; a run "
        "that ends with an error is no answer.",
        last_word("--version"),
        nca,
    ),
    "cyclonus": Checker(
        "Cyclonus",
        "Go module `github.com/mattfenwick/cyclonus`, built with Go 1.26",
        "reach",
        "whether each connection of the table is let through. It reads policies only: ends are "
        "given to it with namespace, labels and made-up addresses, and the name of the "
        "destination's port is looked up for it.",
        "cyclonus analyze --mode query-traffic --policy-path DIR --traffic-path FILE",
        "the last line of each answer's table; pods are told apart by their labels only, so what a "
        "pod says to itself is not judged; a run that ends with an error is no answer.",
        unknown,
        cyclonus,
    ),
    "checkov": Checker(
        "Checkov",
        "`checkov` on PyPI",
        "selected",
        "of each pod, whether a NetworkPolicy selects it, which is what its one check of "
        "NetworkPolicies in relation to pods, CKV2_K8S_6, is about. Who may talk to whom it does "
        "not judge.",
        "checkov -d CASE --framework kubernetes -c CKV2_K8S_6 -o json --skip-download",
        "a pod that passes is taken as selected, one that fails as not selected.",
        last_word("--version"),
        checkov,
    ),
    "kube-score": Checker(
        "kube-score",
        "Go module `github.com/zegl/kube-score`, built with Go 1.26",
        "directions",
        "of each pod, in which directions policies isolate it, which is what its check "
        "pod-networkpolicy is about. Who may talk to whom it does not judge.",
        "kube-score score -o json FILE...",
        "no comment is isolated both ways; `does not have a matching ingress` (or `egress`) "
        "`NetworkPolicy` is not isolated that way; `does not have a matching NetworkPolicy` is "
        "isolated neither way.",
        unknown,
        kube_score,
    ),
}


def record(name: str, program: str, version: str | None = None) -> None:
    """Run a checker on every case and write what it said."""
    checker = CHECKERS[name]
    answers: dict[str, Any] = {}
    silent: dict[str, str] = {}
    for case in torture.cases():
        try:
            answers[case.name] = checker.answer(program, case)
        except NoAnswerError as error:
            silent[case.name] = str(error)
    result = {
        "tool": checker.tool,
        "version": version or checker.version(program),
        "from": checker.source,
        "asks": checker.asks,
        "asked": checker.asked,
        "command": checker.command,
        "mapped": checker.mapped,
        "answers": answers,
        "silent": silent,
    }
    torture.RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    (torture.RESULTS / f"{name}.json").write_text(text, "utf-8")
    print(f"{checker.tool}: {len(answers)} cases answered, {len(silent)} not")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        record(*argument.split("="))
