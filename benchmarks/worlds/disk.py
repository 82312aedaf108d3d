"""Worlds on disk: all pods of a cluster in JSON, and a directory of manifests in YAML.

Both are written a piece at a time, until they are as large as was asked for: nothing of them is
held.
"""

import json
from collections.abc import Iterator
from math import inf
from pathlib import Path

import yaml

from benchmarks.worlds.company import company
from benchmarks.worlds.manifests import Manifest, below, mixed
from benchmarks.worlds.published import indexed

MB = 1_000_000
MOMENT = "2026-01-15T10:20:30Z"
_CONDITIONS = (
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
)


def write_pods(path: Path, megabytes: float, indent: int | None = None) -> int:
    """Write a List of pods with everything that a cluster says of them, managed fields too.

    Args:
        path: The file to write.
        megabytes: How large it is to become, in millions of bytes.
        indent: 4 as `kubectl get pods -A -o json` prints them, which is mostly space; without
            it as the API server sends them, 4.2 kB each, which is more to read in as many bytes.

    Returns:
        How many pods it holds.
    """
    written = 0
    number = 0
    with path.open("w", encoding="utf-8") as out:
        out.write('{"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, ')
        out.write('"items": [\n')
        for number, pod in enumerate(_pods()):
            text = ("" if not number else ",\n") + _text(dressed(pod, number), indent)
            if written + len(text) > megabytes * MB:
                break
            out.write(text)
            written += len(text)
        out.write("\n]}\n")
    return number


def write_manifests(path: Path, megabytes: float) -> int:
    """Write one file of YAML for each namespace of a company, as people keep them.

    Live objects, ReplicaSets and pods, are left out: nobody keeps those.

    Args:
        path: The directory to write to; made if it is not there.
        megabytes: How large they are to become together, in millions of bytes.

    Returns:
        How many objects they hold.
    """
    # A workload with its Service and its policy takes about 3 kB.
    return write_company(path, int(megabytes * MB / 2500) + 40, megabytes)


def write_company(path: Path, workloads: int, megabytes: float = inf) -> int:
    """Write one file of YAML for each namespace of a company of some size.

    Args:
        path: The directory to write to; made if it is not there.
        workloads: How many workloads.
        megabytes: What is beyond that, in millions of bytes together, is left out.

    Returns:
        How many objects they hold.
    """
    path.mkdir(parents=True, exist_ok=True)
    left = megabytes * MB
    total = 0
    for home, objects in _kept(workloads):
        text = yaml.dump_all(map(_described, objects), Dumper=yaml.CSafeDumper, sort_keys=False)
        if len(text) > left:
            break
        left -= len(text)
        total += len(objects)
        (path / f"{home}.yaml").write_text(text, encoding="utf-8")
    return total


def _text(each: Manifest, indent: int | None) -> str:
    """Return an item of a List."""
    if indent is None:
        return json.dumps(each, separators=(",", ":"))
    depth = " " * 2 * indent
    return depth + json.dumps(each, indent=indent).replace("\n", f"\n{depth}")


def _pods() -> Iterator[Manifest]:
    """Iterate over the pods of namespaces without end."""
    return (each for each in indexed(1_000_000, policies=0) if each["kind"] == "Pod")


def _kept(workloads: int) -> Iterator[tuple[str, list[Manifest]]]:
    """Iterate over namespaces of a company, and what is kept of each in files."""
    by_home: dict[str, list[Manifest]] = {}
    for each in company(workloads):
        if each["kind"] not in {"Pod", "ReplicaSet"}:
            metadata = each["metadata"]
            by_home.setdefault(metadata.get("namespace", metadata["name"]), []).append(each)
    yield from by_home.items()


def _described(each: Manifest) -> Manifest:
    """Return an object as people keep it: the containers of a Deployment say more."""
    if each["kind"] not in {"Deployment", "StatefulSet"}:
        return each
    template = each["spec"]["template"]
    name = each["metadata"]["name"]
    containers = [{**one, **_container(name)} for one in template["spec"]["containers"]]
    volumes = [{"name": "tmp", "emptyDir": {}}, {"name": "config", "configMap": {"name": name}}]
    spec = {**template["spec"], "containers": containers, "volumes": volumes}
    return {**each, "spec": {**each["spec"], "template": {**template, "spec": spec}}}


def dressed(pod: Manifest, number: int) -> Manifest:
    """Return a pod with everything that a cluster says of one."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod["status"]
    name = metadata["name"]
    mounted = {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
    containers = [{**one, **_container(name)} for one in spec["containers"]]
    for one in containers:
        one["volumeMounts"] = [*one["volumeMounts"], {"name": "kube-api-access", **mounted}]
    return {
        **pod,
        "metadata": {
            **metadata,
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9090"},
            "creationTimestamp": MOMENT,
            "generateName": f"{name[:-1]}-",
            "managedFields": [_managed("kube-controller-manager", 0), _managed("kubelet", 1)],
            "resourceVersion": str(1_000_000 + number),
            "uid": _uid(number, 1),
        },
        "spec": {
            **spec,
            "containers": containers,
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
            "priority": 0,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "serviceAccount": "default",
            "serviceAccountName": "default",
            "terminationGracePeriodSeconds": 30,
            "tolerations": [
                {
                    "effect": "NoExecute",
                    "key": f"node.kubernetes.io/{key}",
                    "operator": "Exists",
                    "tolerationSeconds": 300,
                }
                for key in ("not-ready", "unreachable")
            ],
            "volumes": [
                {"emptyDir": {}, "name": "tmp"},
                {"configMap": {"defaultMode": 420, "name": name}, "name": "config"},
                _token_volume(),
            ],
        },
        "status": {
            **status,
            "conditions": [
                {
                    "lastProbeTime": None,
                    "lastTransitionTime": MOMENT,
                    "status": "True",
                    "type": one,
                }
                for one in _CONDITIONS
            ],
            "containerStatuses": [
                {
                    "containerID": f"containerd://{mixed(number):064x}",
                    "image": one["image"],
                    "imageID": f"registry.example.com/app@sha256:{mixed(number % 500, 2):064x}",
                    "lastState": {},
                    "name": one["name"],
                    "ready": True,
                    "restartCount": below(3, number),
                    "started": True,
                    "state": {"running": {"startedAt": MOMENT}},
                }
                for one in containers
            ],
            "hostIP": f"192.0.2.{number % 250}",
            "hostIPs": [{"ip": f"192.0.2.{number % 250}"}],
            "qosClass": "Burstable",
            "startTime": MOMENT,
        },
    }


def _container(name: str) -> Manifest:
    """Return what a container says beyond its name, image and ports."""
    field = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}
    secret = {"secretKeyRef": {"key": "password", "name": f"{name}-database"}}
    return {
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "DATABASE_URL", "value": f"postgres://db.example.com:5432/{name}"},
            {"name": "DATABASE_PASSWORD", "valueFrom": secret},
            {"name": "POD_NAME", "valueFrom": field},
        ],
        "imagePullPolicy": "IfNotPresent",
        "livenessProbe": _probe("/livez"),
        "readinessProbe": _probe("/readyz"),
        "resources": {
            "limits": {"cpu": "1", "memory": "512Mi"},
            "requests": {"cpu": "100m", "memory": "128Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [
            {"mountPath": "/scratch", "name": "tmp"},
            {"mountPath": "/etc/app", "name": "config", "readOnly": True},
        ],
    }


def _probe(path: str) -> Manifest:
    return {
        "failureThreshold": 3,
        "httpGet": {"path": path, "port": 8080, "scheme": "HTTP"},
        "periodSeconds": 10,
        "successThreshold": 1,
        "timeoutSeconds": 1,
    }


def _token_volume() -> Manifest:
    return {
        "name": "kube-api-access",
        "projected": {
            "defaultMode": 420,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt"}},
            ],
        },
    }


def _managed(manager: str, place: int) -> Manifest:
    fields = (
        {
            "f:metadata": {"f:labels": {".": {}}, "f:ownerReferences": {".": {}}},
            "f:spec": {
                "f:containers": {
                    'k:{"name":"main"}': {
                        ".": {},
                        "f:env": {".": {}},
                        "f:image": {},
                        "f:name": {},
                        "f:ports": {".": {}},
                    }
                },
                "f:dnsPolicy": {},
                "f:restartPolicy": {},
                "f:volumes": {".": {}},
            },
        },
        {
            "f:status": {
                "f:conditions": {
                    ".": {},
                    'k:{"type":"Ready"}': {".": {}, "f:status": {}, "f:type": {}},
                },
                "f:containerStatuses": {},
                "f:hostIP": {},
                "f:phase": {},
                "f:podIP": {},
                "f:podIPs": {".": {}},
                "f:startTime": {},
            }
        },
    )[place]
    found = {
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        "manager": manager,
        "operation": "Update",
        "time": MOMENT,
    }
    return {**found, "subresource": "status"} if place else found


def _uid(number: int, salt: int) -> str:
    text = f"{mixed(number, salt):016x}{mixed(number, salt + 1):016x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
