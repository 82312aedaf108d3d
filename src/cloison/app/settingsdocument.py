"""What the settings file may say: its keys, with their types and meanings."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from cloison.app.ciliumfile import CiliumSettings
from cloison.app.componentsfile import ComponentSettings
from cloison.app.settings import ANNOTATIONS


class Suppression(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Findings that are known and accepted, and why."""

    code: Annotated[
        str, Meta(pattern="^[A-Z]{3}[0-9]{3}$", description="Code of the findings: `NPL003`.")
    ]
    reason: Annotated[str, Meta(min_length=1, description="Why they are accepted.")]
    object: Annotated[
        str | None,
        Meta(description="Only those about objects like this: `NetworkPolicy web/*`."),
    ] = None
    path: Annotated[
        str | None,
        Meta(description="Only those in files like this, from the settings file's directory."),
    ] = None
    expires: Annotated[
        date | None, Meta(description="The last day on which it holds: `2027-03-31`.")
    ] = None


Cidr = Annotated[str, Meta(description="An address block: `10.2.0.0/16`.")]


class FlowSettings(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Flow records that are kept."""

    store: Annotated[
        str,
        Meta(min_length=1, description="Directory of the store, from the settings file's."),
    ]


class SettingsDocument(
    Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """What Cloison is told in `cloison.yaml`, for every command that is run below it."""

    api_version: Annotated[
        Literal["cloison.dev/v1alpha1"] | None, Meta(description="May be left out.")
    ] = None
    kind: Annotated[Literal["Settings"] | None, Meta(description="May be left out.")] = None
    sources: Annotated[
        list[str],
        Meta(
            description="What is read when no `-f` is given: files, directories, from the "
            "settings file's directory, and revisions (`git:main`)."
        ),
    ] = []
    values: Annotated[
        list[str],
        Meta(
            description="Values files for the Helm charts among the sources, from the settings "
            "file's directory."
        ),
    ] = []
    render: Annotated[
        Literal["auto", "never"],
        Meta(description="Whether charts and kustomizations are rendered."),
    ] = "auto"
    namespace: Annotated[
        str, Meta(min_length=1, description="Namespace of names and objects that say none.")
    ] = "default"
    cni: Annotated[
        str,
        Meta(
            description="Who enforces: a profile such as `calico@3.32`; `auto` is what the input "
            "gives away, else `generic`."
        ),
    ] = "auto"
    platform: Annotated[
        str | None,
        Meta(
            description="What the cluster is: `eks`, `openshift`, `kind`, ...; what the input "
            "gives away, where it is left out."
        ),
    ] = None
    components: Annotated[
        ComponentSettings,
        Meta(
            description="Where known components of a platform are, by id, such as "
            "`dns-coredns-helm`; `false` for one that is nowhere."
        ),
    ] = {}
    kubernetes_version: Annotated[
        str,
        Meta(
            pattern=r"^v?[0-9]+\.[0-9]+(\..*)?$",
            description="Version whose API server would read the objects, in quotes.",
        ),
    ] = "1.35"
    pod_cidrs: Annotated[list[Cidr], Meta(description="Where pod addresses come from.")] = []
    node_cidrs: Annotated[list[Cidr], Meta(description="Where node addresses come from.")] = []
    service_cidrs: Annotated[
        list[Cidr], Meta(description="Where Service addresses come from.")
    ] = []
    cluster_domain: Annotated[
        Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")] | None,
        Meta(
            description="What the names of Services end in, where it is not `cluster.local` and "
            "the input does not say it.",
        ),
    ] = None
    field_validation: Annotated[
        Literal["strict", "warn"],
        Meta(description="What an unknown field does: refuse its object, or be dropped."),
    ] = "warn"
    names: Annotated[
        dict[str, list[Cidr]],
        Meta(description="Addresses that DNS names stand for, where policies go by name."),
    ] = {}
    dns_tables: Annotated[
        list[str],
        Meta(
            description="Files that say which addresses DNS names stand for, from the settings "
            "file's directory."
        ),
    ] = []
    policy_channel: Annotated[
        Literal["any", "standard", "experimental"],
        Meta(
            description="Which CRDs of the Network Policy API the cluster has; `any` accepts what "
            "either accepts."
        ),
    ] = "any"
    annotation_prefix: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$",
            description="What the annotations begin with that say whose an object is: its owner "
            "is under `PREFIX/owner`.",
        ),
    ] = ANNOTATIONS
    cilium: Annotated[
        CiliumSettings | None,
        Meta(
            description="Settings of Cilium in the cluster, by its own names; they hold over those "
            "of its ConfigMap in the input."
        ),
    ] = None
    flows: Annotated[FlowSettings | None, Meta(description="Where flow records are kept.")] = None
    strict: Annotated[
        bool, Meta(description="Whether a document that could not be read makes exit code 2.")
    ] = False
    fail_on: Annotated[
        Literal["error", "warning", "info", "never"],
        Meta(description="Severity from which on a finding makes exit code 1."),
    ] = "error"
    suppressions: Annotated[
        list[Suppression], Meta(description="Findings that are known and accepted.")
    ] = []
