"""Short ways to write cluster-wide policies in tests."""

from cloison.app import Session, load_texts
from cloison.base import Diagnostic
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.decode import decode
from cloison.resources.options import ReadOptions
from tests.conformance.cases import HERE
from tests.support.documents import document

WORLD = (HERE / "worlds" / "xyz.yaml").read_text(encoding="utf-8")
VERSIONS = {
    "ClusterNetworkPolicy": "v1alpha2",
    "AdminNetworkPolicy": "v1alpha1",
    "BaselineAdminNetworkPolicy": "v1alpha1",
}
X = "{matchLabels: {kubernetes.io/metadata.name: x}}"


def text(kind: str, name: str, spec: str, *, version: str | None = None, uid: str = "") -> str:
    """Return a manifest given its spec in flow style."""
    return (
        f"apiVersion: policy.networking.k8s.io/{version or VERSIONS[kind]}\nkind: {kind}\n"
        f"metadata: {{name: {name}{uid}}}\nspec: {spec}\n"
    )


def cnp(name: str, rules: str, *, tier: str = "Admin", priority: int = 10) -> str:
    """Return a ClusterNetworkPolicy over namespace x with `ingress:` or `egress:` rules."""
    subject = f"{{namespaces: {X}}}"
    spec = f"{{tier: {tier}, priority: {priority}, subject: {subject}, {rules}}}"
    return text("ClusterNetworkPolicy", name, spec)


def anp(name: str, rules: str, *, priority: int = 10) -> str:
    """Return an AdminNetworkPolicy over namespace x."""
    spec = f"{{priority: {priority}, subject: {{namespaces: {X}}}, {rules}}}"
    return text("AdminNetworkPolicy", name, spec)


def banp(rules: str) -> str:
    """Return the BaselineAdminNetworkPolicy, over namespace x."""
    spec = f"{{subject: {{namespaces: {X}}}, {rules}}}"
    return text("BaselineAdminNetworkPolicy", "default", spec)


def read(
    manifest: str, how: ReadOptions | None = None
) -> tuple[model.Object | None, list[Diagnostic]]:
    """Decode one manifest."""
    return decode(document(manifest), how or ReadOptions())


def policy(manifest: str) -> model.Policy:
    """Return a policy that must be accepted."""
    found, said = read(manifest)
    assert found is not None, said
    assert not isinstance(found, model.Unreadable)
    return found


def session(*manifests: str, profile: str = "generic") -> Session:
    """Return the world `xyz` under some policies."""
    texts = {"world.yaml": WORLD, "policies.yaml": "---\n".join(manifests)}
    return load_texts(texts, profile=profile)


def codes(found: "tuple[Diagnostic, ...] | list[Diagnostic]") -> list[str]:
    """Return the codes of this dialect's diagnostics, sorted."""
    return sorted(d.code for d in found if d.code[:3] in ("ADL", "ADS"))
