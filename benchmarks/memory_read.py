"""How much memory and time a load takes: a 20 MB YAML stream and a 400 MB JSON List.

    python benchmarks/memory_read.py [--pods N] [--apps N]

Each input is taken twice, in a process of its own: by `cloison.sources.read`, whose objects are
dropped as they come, and by `cloison.load`, the whole way to a session that can be asked. The
peak is that of the whole process; what importing took is told apart.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CHILD = Path(__file__).with_name("memory_child.py")
STEPS = ("read", "load")

APP = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{i}
  namespace: team-{n}
  labels: {{app.kubernetes.io/name: app-{i}, app.kubernetes.io/part-of: suite-{n}}}
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: app-{i}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: app-{i}
        app.kubernetes.io/part-of: suite-{n}
      annotations:
        prometheus.io/scrape: "true"
    spec:
      serviceAccountName: app-{i}
      containers:
      - name: main
        image: registry.example.com/team-{n}/app-{i}:1.2.3
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: LOG_LEVEL
          value: info
        - name: DATABASE_URL
          value: postgres://db.example.com:5432/app-{i}
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{cpu: "1", memory: 512Mi}}
        readinessProbe:
          periodSeconds: 10
          failureThreshold: 3
          httpGet:
            path: /healthz
            port: http
        livenessProbe:
          periodSeconds: 20
          failureThreshold: 3
          httpGet:
            path: /livez
            port: http
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          runAsNonRoot: true
        volumeMounts:
        - name: tmp
          mountPath: /tmp
        - name: config
          mountPath: /etc/app-{i}
          readOnly: true
      volumes:
      - name: tmp
        emptyDir: {{}}
      - name: config
        configMap:
          name: app-{i}
---
apiVersion: v1
kind: Service
metadata:
  name: app-{i}
  namespace: team-{n}
spec:
  selector:
    app.kubernetes.io/name: app-{i}
  ports:
  - name: http
    port: 80
    targetPort: http
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: app-{i}
  namespace: team-{n}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: app-{i}
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: team-{n}
      podSelector:
        matchLabels:
          app.kubernetes.io/part-of: suite-{n}
    ports:
    - port: 8080
  egress:
  - to:
    - ipBlock:
        cidr: 10.42.15.0/28
---
"""


def pod(i: int) -> dict[str, object]:
    """Return a pod as a cluster prints it, about 4 000 bytes with indentation."""
    app, team = i // 5, i % 50
    address = f"10.{(i >> 16) + 200}.{(i >> 8) & 255}.{i & 255}"
    labels = {
        "app.kubernetes.io/name": f"app-{app}",
        "app.kubernetes.io/part-of": f"suite-{team}",
        "pod-template-hash": f"{app * 2654435761 % 2**32:08x}",
    }
    name = f"app-{app}-{labels['pod-template-hash']}-{i:05x}"
    probe = {"failureThreshold": 3, "httpGet": {"path": "/healthz", "port": "http"}}
    moment = "2026-01-15T10:20:30Z"
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    image = f"registry.example.com/team-{team}/app-{app}"
    replica_set = name.rsplit("-", 1)[0]
    owner = {
        "apiVersion": "apps/v1",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": "ReplicaSet",
        "name": replica_set,
        "uid": f"5f3c2f7e-8d7a-4c89-9c8e-{app:012x}",
    }
    container = {
        "env": [{"name": "LOG_LEVEL", "value": "info"}],
        "image": f"{image}:1.2.3",
        "imagePullPolicy": "IfNotPresent",
        "livenessProbe": probe,
        "name": "main",
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "readinessProbe": probe,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        "volumeMounts": [{"mountPath": "/tmp", "name": "tmp"}],  # noqa: S108 - in the pod
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "annotations": {"prometheus.io/scrape": "true"},
            "creationTimestamp": moment,
            "generateName": f"{replica_set}-",
            "labels": labels,
            "name": name,
            "namespace": f"team-{team}",
            "ownerReferences": [owner],
            "resourceVersion": str(1_000_000 + i),
            "uid": f"0b0a7f6e-11aa-4e5e-8d7a-{i:012x}",
        },
        "spec": {
            "containers": [container],
            "dnsPolicy": "ClusterFirst",
            "nodeName": f"node-{i % 2000}",
            "restartPolicy": "Always",
            "serviceAccountName": f"app-{app}",
            "tolerations": [
                {"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300}
                for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
            ],
            "volumes": [{"emptyDir": {}, "name": "tmp"}],
        },
        "status": {
            "conditions": [
                {"lastProbeTime": None, "lastTransitionTime": moment, "status": "True", "type": one}
                for one in kinds
            ],
            "containerStatuses": [
                {
                    "containerID": f"containerd://{i:064x}",
                    "image": f"{image}:1.2.3",
                    "imageID": f"{image}@sha256:{app:064x}",
                    "lastState": {},
                    "name": "main",
                    "ready": True,
                    "restartCount": 0,
                    "started": True,
                    "state": {"running": {"startedAt": moment}},
                }
            ],
            "hostIP": f"192.0.2.{i % 250}",
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "qosClass": "Burstable",
            "startTime": moment,
        },
    }


def write_yaml(path: Path, apps: int) -> None:
    """Write three documents for each app."""
    with path.open("w") as out:
        for i in range(apps):
            out.write(APP.format(i=i, n=i % 50))


def write_json(path: Path, pods: int) -> None:
    """Write a List as `kubectl get pods -A -o json` prints it, but for the width of indents."""
    with path.open("w") as out:
        out.write('{\n    "apiVersion": "v1",\n    "items": [\n')
        for i in range(pods):
            text = json.dumps(pod(i), indent=2)
            out.write("    " + text.replace("\n", "\n    "))
            out.write(",\n" if i < pods - 1 else "\n")
        out.write('    ],\n    "kind": "List",\n    "metadata": {"resourceVersion": ""}\n}\n')


def main() -> None:
    """Write the inputs and read each in a child process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=8_640, help="three YAML documents each")
    parser.add_argument("--pods", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for name, write, count in (
            ("apps.yaml", write_yaml, given.apps),
            ("pods.json", write_json, given.pods),
        ):
            path = Path(directory) / name
            write(path, count)
            for step in STEPS:
                # The child is a new process, so that nothing of this one counts.
                command = [sys.executable, str(CHILD), step, str(path)]
                subprocess.run(command, check=True)  # noqa: S603 - our own file
            path.unlink()


if __name__ == "__main__":
    main()
