"""Charts and kustomizations for tests, and what is found of them."""

from collections.abc import Sequence

import pytest

from cloison.base import Diagnostic, SourceError
from cloison.resources.documents import Document
from cloison.sources import Rendering, read

CHART = "apiVersion: v2\nname: web\nversion: 0.1.0\n"
TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-{{ .Values.which }}
  namespace: {{ .Release.Namespace }}
  {{- with .Values.labels }}
  labels: {{- toYaml . | nindent 4 }}
  {{- end }}
data: {version: {{ .Capabilities.KubeVersion.Minor | quote }}}
"""
HELM_CHART = {
    "web/Chart.yaml": CHART,
    "web/values.yaml": "which: plain\n",
    "web/templates/a.yaml": TEMPLATE,
    "web/templates/_helpers.tpl": '{{- define "x" }}{{ end }}',
    "web/templates/NOTES.txt": "Thanks for {{ .Release.Name }}",
    "web/templates/tests/try.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: try\n  annotations: {helm.sh/hook: test}\n"
    ),
    "web/crds/thing.yaml": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: things.example.org}\n"
    ),
}


def config(name: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"


OVERLAYS = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": config("web"),
    "overlays/dev/kustomization.yaml": "namespace: dev\nresources: [../../base]\n",
    "overlays/prod/kustomization.yaml": (
        "namespace: prod\nresources: [../../base]\npatches: [{path: patch.yaml}]\n"
    ),
    "overlays/prod/patch.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {where: prod}\n"
    ),
}


def found(*names: str, rendering: Rendering | None = None) -> list[Document | Diagnostic]:
    items = read(names or (".",), rendering=rendering)
    return [one for one in items if isinstance(one, Document | Diagnostic)]


def objects(found_here: Sequence[Document | Diagnostic]) -> list[str]:
    """Return the objects as `namespace/name place`, and the diagnostics as `code place`."""
    said = []
    for one in found_here:
        if isinstance(one, Diagnostic):
            said.append(f"{one.code} {one.span}")
            continue
        name, space = (one.root.get("metadata", key) for key in ("name", "namespace"))
        assert name is not None
        said.append(f"{space.value if space else '-'}/{name.value} {one.root.span(one.file)}")
    return said


def refusal(*names: str, rendering: Rendering | None = None) -> tuple[str, str]:
    with pytest.raises(SourceError) as caught:
        found(*names, rendering=rendering)
    return caught.value.message, caught.value.help or ""
