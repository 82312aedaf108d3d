"""What the documentation of Cilium says of the policies it shows, as data; see README.md."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from cloison.analyses.question import split_port
from cloison.app import Session, load_texts
from tests.conformance.cases import Case, read

HERE = Path(__file__).parent
SOURCE = Path(os.environ.get("CILIUM_SOURCE", HERE / "cilium"))
"""A checkout of cilium/cilium; tests that read it are skipped where it is absent."""
VERSION = "1.19.4"
"""The release that the answers are about."""
PROFILE = "cilium@1.19"
_PLAIN = re.compile(r"[a-z][a-z0-9-]*(?::(?:\d|icmp).*)?")


@dataclass(frozen=True, slots=True)
class Row:
    """A question, and the answer that the documentation gives."""

    src: str
    dst: str
    expect: str
    said: Mapping[str, str] = field(default_factory=dict)

    def test(self, name: str) -> dict[str, str | int]:
        """Return it as a row of a file of tests, which names ends and ports apart."""
        end, port = split_port(self.dst)
        number, _, protocol = (port or "").partition("/")
        told: dict[str, str | int] = {"name": name, "from": self.src, "to": end}
        if number.isdecimal():
            told |= {"port": int(number), "protocol": protocol or "TCP"}
        elif port:
            told["protocol"] = port
        return {**told, **self.said, "expect": self.expect}


@dataclass(frozen=True, slots=True)
class Entry:
    """A policy that is published, a world for it, and questions; the keys of an entry."""

    number: int
    file: str
    rows: tuple[Row, ...]
    pods: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remote: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: Mapping[str, list[str]] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    objects: str = ""
    beside: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    says: tuple[str, ...] = ()

    @property
    def case(self) -> Case:
        """The world and the policies, as a case."""
        files = (self.file, *self.beside)
        found = [published(file) for file in files]
        made = [*self._namespaces(), *self._pods(), *self._remote()]
        objects = [yaml.safe_dump_all(made), self.objects]
        return Case(
            id=f"{self.number}",
            why="",
            source=self.file,
            world="cilium",
            objects="---\n".join(each for each in objects if each.strip()),
            policies="\n---\n".join(found),
            switches=self.switches,
            settings={"names": self.names},
        )

    def _namespaces(self) -> list[dict[str, Any]]:
        ends = [each for each in (*self.pods, *self.remote) if "/" in each]
        names = {each.partition("/")[0] for each in ends} - {"ops", "kube-system"}
        labels = {**{name: {} for name in sorted(names)}, **self.labels}
        return [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **more}},
            }
            for name, more in labels.items()
        ]

    def _pods(self) -> list[dict[str, Any]]:
        return [
            _pod(end, labels, f"10.0.1.{100 + i}") for i, (end, labels) in enumerate(self._own())
        ]

    def _own(self) -> list[tuple[str, Mapping[str, str]]]:
        return list(self.pods.items())

    def _remote(self) -> list[dict[str, Any]]:
        """Return pods of another cluster, `cluster2`, told by their CiliumEndpoints."""
        made = []
        for i, (end, labels) in enumerate(self.remote.items()):
            namespace, name = _place(end)
            address = f"10.8.0.{10 + i}"
            identity = [f"k8s:{key}={value}" for key, value in labels.items()]
            identity.append(f"k8s:io.kubernetes.pod.namespace={namespace}")
            identity.append("k8s:io.cilium.k8s.policy.cluster=cluster2")
            made.append(_pod(end, labels, address, node=None))
            made.append(
                {
                    "apiVersion": "cilium.io/v2",
                    "kind": "CiliumEndpoint",
                    "metadata": {"name": name, "namespace": namespace},
                    "status": {
                        "state": "ready",
                        "identity": {"id": 132000 + i, "labels": identity},
                        "networking": {"addressing": [{"ipv4": address}]},
                    },
                }
            )
        return made


def published(name: str) -> str:
    """Return a published file, or `PAGE#N`: the N-th YAML block of a page."""
    file, _, number = name.partition("#")
    text = (SOURCE / file).read_text(encoding="utf-8")
    return blocks(text)[int(number) - 1] if number else text


def blocks(page: str) -> list[str]:
    """Return the YAML blocks of a page of documentation, without their margins."""
    found = re.finditer(r"^( *)\.\. code-block:: yaml\n((?:\1 +.*\n|\s*\n)+)", page, re.MULTILINE)
    return [dedent(re.sub(r"(?m)^ +:.*$", "", each[2])).strip() + "\n" for each in found]


def _place(end: str) -> tuple[str, str]:
    namespace, _, name = end.rpartition("/")
    return namespace or "default", name


def _pod(
    end: str, labels: Mapping[str, str], address: str, node: str | None = "n1"
) -> dict[str, Any]:
    namespace, name = _place(end)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {
            "containers": [{"name": "main", "image": "example/main:1"}],
            **({"nodeName": node} if node else {}),
        },
        "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]},
    }


def _end(text: str) -> str:
    return f"default/{text}" if _PLAIN.fullmatch(text) else text


def _row(raw: list[Any]) -> Row:
    src, dst, *said, expect = raw
    found = {
        key: json.dumps(value) if isinstance(value, dict) else value
        for each in said
        for key, value in each.items()
    }
    return Row(_end(src), _end(dst), expect, found)


@cache
def entries() -> tuple[Entry, ...]:
    """Return what `examples.yaml` holds."""
    (listed,) = read((HERE / "examples.yaml").read_text(encoding="utf-8"))
    return tuple(
        Entry(
            number,
            **{
                **raw,
                "rows": tuple(_row(row) for row in raw["rows"]),
                **{key: tuple(raw.get(key, ())) for key in ("beside", "refused", "says")},
            },
        )
        for number, raw in enumerate(listed)
    )


@cache
def session(number: int) -> Session:
    """Return the session of an entry."""
    case = entries()[number].case
    return load_texts(case.texts(), profile=PROFILE, **case.told())
