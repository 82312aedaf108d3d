"""What takes no part, and why, once every value by itself is right.

Two judges. The API (calicoctl and the aggregated server; `_Api` below) refuses what its validator
refuses. A stored object has passed it, or was written past it: there Felix judges, with the few
checks it cannot do without (`_felix_rule`), and selectors that would break what they are put
together with.

A cluster whose API is the CRDs alone (native v3 CRDs, a preview in Calico 3.32) asks less: only
what the schema can say. We judge as the validator does.

Source: projectcalico/calico libcalico-go/lib/validator/v3/validator.go and
typha/pkg/validator/v1/validator.go.
"""

from collections.abc import Mapping

from cloison.base import Severity
from cloison.dialects.calico import model
from cloison.dialects.calico.reader import Reader
from cloison.dialects.calico.say import PROCESSORS, TYPES
from cloison.dialects.calico.validate_others import validate_host, validate_pool, validate_tier
from cloison.dialects.calico.validate_rules import validate_rule
from cloison.dialects.networkpolicy.model import PolicyType
from cloison.resources.documents import Node
from cloison.resources.names import NameRule, is_name, shown

MAX_RULES = 1024
"""Rules of one direction that the API takes."""
MAX_ANNOTATIONS = 256 << 10
"""Bytes of annotations, keys and values."""
NAMESPACE_LABEL = "projectcalico.org/namespace"

Spec = Mapping[str, Node]


def validate(found: model.CalicoObject, reader: Reader, spec: Spec) -> None:
    """Note in the reader every reason for which an object takes no part.

    Args:
        found: The object, every value of which is one.
        reader: What read it.
        spec: Its spec as written, for positions and for what was written empty.
    """
    if not reader.stored:
        _metadata(found, reader)
    match found:
        case model.Policy():
            _policy(found, reader, spec)
        case model.StagedKubernetesNetworkPolicy(staged_action=model.StagedAction.DELETE):
            left = sorted(key for key, node in spec.items() if node.value and key != "stagedAction")
            _delete(reader, left, "a staged policy that deletes says nothing else")
        case model.Tier():
            validate_tier(found, reader, spec)
        case model.NetworkSet() | model.GlobalNetworkSet() if NAMESPACE_LABEL in found.labels:
            if not reader.stored:
                reader.refuse(
                    "CAL035",
                    reader.document.root.get("metadata", "labels", NAMESPACE_LABEL),
                    f"no network set may have the label `{NAMESPACE_LABEL}`",
                    "remove the label: Calico gives it to sets of a namespace",
                )
        case model.HostEndpoint():
            validate_host(found, reader, spec)
        case model.Profile():
            for direction, rules in (("ingress", found.ingress), ("egress", found.egress)):
                for i, rule in enumerate(rules):
                    validate_rule(reader, rule, f"spec.{direction}[{i}]", None, wide=True)
        case model.IPPool():
            validate_pool(found, reader, spec)


def _metadata(found: model.CalicoObject, reader: Reader) -> None:
    size = sum(len(key) + len(value) for key, value in found.annotations.items())
    if size > MAX_ANNOTATIONS:
        where = reader.document.root.get("metadata", "annotations")
        message = f"the annotations have {size} bytes, and at most {MAX_ANNOTATIONS} are accepted"
        reader.refuse("CAL032", where, message, "keep large texts elsewhere")


def _policy(policy: model.Policy, reader: Reader, spec: Spec) -> None:
    _wrapped(policy, reader)
    if "types" in spec and spec["types"].value == [] and reader.stored:
        message = "`spec.types` is an empty list, which the schema refuses"
        reader.refuse("CAL030", spec["types"], message, "name the directions", source=TYPES)
    elif reader.stored and policy.types is None and not _deletes(policy):
        reader.remark(
            "CAL015",
            reader.document.root,
            "the stored policy has no `types`",
            "add `types`; written through the API it would have them",
            effect="Felix takes it to govern both directions, whichever rules it has",
            source="projectcalico/calico felix/calc/policy_sorter.go, ExtractPolicyMetadata",
            severity=Severity.WARNING,
        )
    if not reader.stored:
        _api(policy, reader, spec)
    if _deletes(policy) and not reader.stored:
        left = sorted(
            key
            for key, node in spec.items()
            if node.value not in (None, "", False, []) and key not in ("stagedAction", "tier")
        )
        _delete(reader, left, "a staged policy that deletes says nothing else, but for its tier")
        return
    for direction in PolicyType:
        for i, rule in enumerate(policy.rules(direction)):
            path = f"spec.{direction.lower()}[{i}]"
            validate_rule(reader, rule, path, direction, wide=not policy.namespaced)


def _deletes(policy: model.Policy) -> bool:
    return policy.staged_action is model.StagedAction.DELETE


def _delete(reader: Reader, left: list[str], message: str) -> None:
    if left and not reader.stored:
        where = reader.document.root.get("spec", left[0])
        said = f"{message}, and this one has `spec.{left[0]}`"
        reader.refuse("CAL037", where, said, "leave the name and `stagedAction: Delete`")


def _api(policy: model.Policy, reader: Reader, spec: Spec) -> None:
    """Check what only the API asks of a policy."""
    _name(policy, reader)
    if len(set(policy.types or ())) < len(policy.types or ()):
        reader.refuse("CAL030", spec.get("types"), "`spec.types` repeats one", "name each once")
    for field in ("ingress", "egress"):
        count = len(getattr(policy, field) or ())
        if count > MAX_RULES:
            message = f"`spec.{field}` has {count} rules, and at most {MAX_RULES} are accepted"
            reader.refuse("CAL032", spec.get(field), message, "spread them over several policies")
    if not is_name(policy.tier, NameRule.SUBDOMAIN):
        message = f"`{shown(policy.tier)}` cannot be a tier"
        reader.refuse("CAL033", spec.get("tier"), message, "name a tier that exists")
    if policy.pre_dnat and policy.do_not_track:
        message = "`preDNAT` and `doNotTrack` exclude each other"
        reader.refuse("CAL031", spec.get("preDNAT"), message, "leave one of them out")
    early = "preDNAT" if policy.pre_dnat else "doNotTrack" if policy.do_not_track else None
    if early and not policy.apply_on_forward:
        message = f"`{early}` needs `applyOnForward: true`"
        reader.refuse("CAL031", spec.get(early), message, "add `applyOnForward: true`")
    if policy.pre_dnat and (policy.egress or PolicyType.EGRESS in (policy.types or ())):
        field = "egress" if policy.egress else "types"
        message = "`preDNAT` policies have no egress"
        reader.refuse("CAL031", spec.get(field), message, "leave egress to another policy")


def _name(policy: model.Policy, reader: Reader) -> None:
    """Check the name of a policy of a namespace: a label, or two, or a generated prefix."""
    root = reader.document.root
    written = root.get("metadata", "name")
    if written is None or not policy.namespaced:
        return
    name = policy.name
    for prefix in ("knp.default.", "ossg.default."):
        if name.startswith(prefix):
            return
    parts = name.split(".")
    if len(parts) > _MAX_PARTS or not all(is_name(part, NameRule.LABEL) for part in parts):
        message = f"`{shown(name)}` cannot be the name of a policy of a namespace"
        reader.refuse("CAL033", written, message, "use a-z, 0-9 and `-`, and at most one dot")


_MAX_PARTS = 2


def _wrapped(policy: model.Policy, reader: Reader) -> None:
    """Refuse blank selectors where they are put in brackets, which makes them unreadable."""
    selector = policy.selector
    others = policy.namespace_selector or policy.service_account_selector
    if selector is not None and not selector.text.strip(" \t") and (policy.namespaced or others):
        _blank(reader, selector, "spec.selector")
    for direction in PolicyType:
        for i, rule in enumerate(policy.rules(direction)):
            for side in ("source", "destination"):
                entity: model.EntityRule = getattr(rule, side)
                inner = entity.selector
                accounts = entity.service_accounts
                scoped = policy.namespaced or entity.namespace_selector is not None
                if inner is None or inner.text.strip(" \t"):
                    continue
                if scoped or (accounts is not None and not accounts.empty):
                    _blank(reader, inner, f"spec.{direction.lower()}[{i}].{side}.selector")


def _blank(reader: Reader, selector: model.Selector, path: str) -> None:
    reader.refuse(
        "CAL011",
        selector.span,
        f"`{path}` is blank, and Calico puts it in brackets, which leaves nothing it can read: "
        "the whole policy is dropped",
        "leave the field out, or write `all()`",
        source=f"{PROCESSORS}/selectors.go",
    )
