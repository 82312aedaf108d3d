"""Settings: what the caller says about the cluster and how to read it."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cloison.algebra import NO_ADDRESSES, AddressSet
from cloison.base import QuestionError
from cloison.ir.names import host_name
from cloison.ir.profile import Profile
from cloison.resources.options import Channel, FieldValidation, ReadOptions
from cloison.sources import Rendering
from cloison.sources.inputs import SETTINGS_FILE

if TYPE_CHECKING:
    from cloison.app.settingsfile import SettingsFile
    from cloison.engine import Networks
    from cloison.platform.component import Said


_FIELDS = {
    "sources": "sources",
    "values": "values",
    "render": "render",
    "namespace": "namespace",
    "cni": "profile",
    "kubernetesVersion": "kubernetes",
    "podCidrs": "pod_cidrs",
    "nodeCidrs": "node_cidrs",
    "serviceCidrs": "service_cidrs",
    "clusterDomain": "cluster_domain",
    "fieldValidation": "field_validation",
    "names": "names",
    "dnsTables": "dns_tables",
    "policyChannel": "policy_channel",
    "cilium": "cilium",
    "platform": "platform",
    "components": "components",
    "annotationPrefix": "annotation_prefix",
}
"""What a setting of the file is called here; the others are for the command line."""


DEFAULT_CHOSEN = "default"
"""How the profile was chosen that nobody has chosen."""
ANNOTATIONS = "policy.cloison.dev"
"""What the annotations begin with that say whose an object is, unless somebody says otherwise."""
AUTO = "auto"
"""The name of no profile: the input gives it away, or it is the default one."""
_DETECTED = "detected "
_DEFAULT = "generic"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to read sources and judge flows.

    Args:
        profile: Who enforces: a CNI profile or its name; `auto` for what the input gives away.
        profile_chosen: How the profile was chosen: `default`, `--cni`, a settings file,
            `detected from` what the input holds.
        kubernetes: Target Kubernetes version, (major, minor).
        field_validation: What unknown fields do: `strict` refuses the object, `warn` drops them.
        namespace: Namespace of objects that name none.
        pod_cidrs: Where pod addresses come from.
        pod_cidrs_from: What of the input says so, where nobody else did; for people.
        likely_pods: Where they probably come from, where nobody knows it.
        node_cidrs: Where node addresses come from.
        service_cidrs: Where Service addresses come from.
        cluster_domain: What the names of Services end in; None for what the input says, which is
            `cluster.local` where that says nothing.
        names: Addresses, or blocks of them, that DNS names stand for.
        dns_tables: Files that say the same of more names, and whether of all there are.
        cilium: Settings of Cilium in the cluster, by the names it has for them: `enable-policy`.
            Those that its ConfigMap in the input says otherwise are as they are here.
        cilium_from: Where each of them comes from: `cloison.yaml`, the ConfigMap's place. What is
            not listed, the caller said.
        cilium_unread: Those of which the ConfigMap says something that nobody knows.
        runtime: Whether to keep how pods are run, which calls by name and the doctor ask for.
        platform: What the cluster is: `eks`, `openshift`, ...; None for what the input gives away.
        components: Where known components of a platform are, by id; None for one that is nowhere.
        annotation_prefix: What the annotations begin with that say whose an object is: its owner
            is under `PREFIX/owner`.
        policy_channel: Which CRDs of the Network Policy API the cluster has: `standard`,
            `experimental`, or `any` for what either accepts.
        values: Values files for the charts among the sources.
        render: `auto` renders charts and kustomizations, `never` leaves them out.
        sources: What is read when no source is named.
        file: The settings file that was read, with the findings it accepts.
    """

    profile: Profile | str = _DEFAULT
    profile_chosen: str = DEFAULT_CHOSEN
    kubernetes: tuple[int, int] = (1, 35)
    field_validation: str = "warn"
    namespace: str = "default"
    pod_cidrs: tuple[str, ...] = ()
    pod_cidrs_from: str = ""
    likely_pods: tuple[str, ...] = ()
    node_cidrs: tuple[str, ...] = ()
    service_cidrs: tuple[str, ...] = ()
    cluster_domain: str | None = None
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dns_tables: tuple[str, ...] = ()
    cilium: Mapping[str, str] = field(default_factory=dict)
    cilium_from: Mapping[str, str] = field(default_factory=dict)
    cilium_unread: tuple[str, ...] = ()
    runtime: bool = True
    platform: str | None = None
    components: "Said" = field(default_factory=dict)
    annotation_prefix: str = ANNOTATIONS
    policy_channel: str = "any"
    values: tuple[str, ...] = ()
    render: str = "auto"
    sources: tuple[str, ...] = ()
    file: "SettingsFile | None" = None

    @property
    def by_default(self) -> bool:
        """Whether nobody chose the profile, and the input gave none away."""
        return self.profile_chosen == DEFAULT_CHOSEN

    @property
    def detected(self) -> bool:
        """Whether the input gave the profile away."""
        return self.profile_chosen.startswith(_DETECTED)

    @classmethod
    def from_file(cls, path: "str | os.PathLike[str]") -> Self:
        """Return what a settings file says, and defaults for the rest.

        Args:
            path: The file.

        Raises:
            SourceError: it cannot be read, or says something that has no meaning.
        """
        from cloison.app import settingsfile

        found = settingsfile.read(Path(path))
        said: dict[str, Any] = {"file": found}
        for key, name in _FIELDS.items():
            if key in found.values:
                value = found.resolved(key)
                if key == "names":
                    value = {each: tuple(texts) for each, texts in value.items()}
                said[name] = tuple(value) if isinstance(value, list) else value
        if "kubernetes" in said:
            major, minor = said["kubernetes"].removeprefix("v").split(".")[:2]
            said["kubernetes"] = (int(major), int(minor))
        if said.get("profile") == AUTO:
            del said["profile"]
        if "profile" in said:
            said["profile_chosen"] = SETTINGS_FILE
        said["cilium_from"] = dict.fromkeys(said.get("cilium", {}), SETTINGS_FILE)
        return cls(**said)

    def but(self, **said: Any) -> Self:
        """Return these settings with some replaced.

        Raises:
            QuestionError: there is no setting of that name.
        """
        known = {each.name for each in dataclasses.fields(self)}
        unknown = sorted(said.keys() - known)
        if unknown:
            msg = f"there is no setting {unknown[0]!r}"
            raise QuestionError(msg, f"settings are {', '.join(sorted(known))}")
        if said.get("profile") == AUTO:
            said.update(profile=_DEFAULT, profile_chosen=DEFAULT_CHOSEN)
        if "profile" in said and "profile_chosen" not in said:
            said["profile_chosen"] = "profile="
        return dataclasses.replace(self, **said)

    def read_options(self) -> ReadOptions:
        """Return what the readers need to know.

        Raises:
            QuestionError: a setting has no such value.
        """
        try:
            validation = FieldValidation(self.field_validation)
        except ValueError:
            msg = f"{self.field_validation!r} is not a way to validate fields"
            raise QuestionError(msg, "say strict or warn") from None
        if self.policy_channel not in ("any", *Channel):
            msg = f"{self.policy_channel!r} is no channel of the Network Policy API"
            raise QuestionError(msg, "say standard, experimental or any")
        channel = None if self.policy_channel == "any" else Channel(self.policy_channel)
        return ReadOptions(self.kubernetes, validation, self.namespace, channel, self.runtime)

    def rendering(self) -> Rendering:
        """Return how charts and kustomizations are rendered.

        Raises:
            QuestionError: a setting has no such value.
        """
        if self.render not in ("auto", "never"):
            msg = f"{self.render!r} is not a way to render"
            raise QuestionError(msg, "say auto or never")
        file = self.file
        shared = file is not None and "values" in file.values
        insist = not shared or file is None or self.values != tuple(file.resolved("values"))
        return Rendering(self.render, self.values, self.namespace, self.kubernetes, insist)

    def networks(self) -> "Networks":
        """Return the cluster's address ranges, and what DNS names stand for.

        Raises:
            QuestionError: a range is not an address block.
            SourceError: a DNS table cannot be read, or is none.
        """
        from cloison.engine import Networks

        names, complete = self.names, False
        if self.dns_tables:
            from cloison.app.dnstable import DnsTable, read

            table = DnsTable({host_name(n): tuple(t) for n, t in names.items()}, complete=False)
            for path in self.dns_tables:
                table = table.join(read(Path(path)))
            names, complete = table.names, table.complete
        return Networks(
            _ranges("pod CIDR", self.pod_cidrs),
            _ranges("node CIDR", self.node_cidrs),
            _ranges("service CIDR", self.service_cidrs),
            {
                host_name(name): _ranges(f"address of {name}", texts)
                for name, texts in names.items()
            },
            complete,
            _ranges("pod CIDR", self.likely_pods),
        )


def _ranges(what: str, texts: tuple[str, ...]) -> AddressSet:
    found = NO_ADDRESSES
    for text in texts:
        try:
            found |= AddressSet.block(text)
        except ValueError:
            msg = f"{what} {text!r} is not an address block"
            raise QuestionError(msg, "write it as 10.2.0.0/16") from None
    return found
