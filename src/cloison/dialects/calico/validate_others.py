"""What is asked of tiers, hosts and pools.

Source: projectcalico/calico libcalico-go/lib/validator/v3/validator.go and
api/pkg/apis/projectcalico/v3 (schema rules).
"""

import re
from collections.abc import Mapping

from cloison.dialects.calico import model
from cloison.dialects.calico.reader import Reader
from cloison.dialects.calico.say import TYPES
from cloison.dialects.calico.values import parse_block
from cloison.resources.documents import Node
from cloison.resources.names import NameRule, is_name, shown

BUILT_IN = {
    "default": (1_000_000.0, model.Action.DENY),
    "kube-admin": (1_000.0, model.Action.PASS),
    "kube-baseline": (10_000_000.0, model.Action.PASS),
    "adminnetworkpolicy": (1_000.0, model.Action.PASS),
    "baselineadminnetworkpolicy": (10_000_000.0, model.Action.PASS),
}
"""Order and default action of tiers that nobody may change; the last two up to Calico 3.31."""

_DEVICE = re.compile(r"[a-zA-Z0-9_.-]{1,15}")

Spec = Mapping[str, Node]


def validate_tier(tier: model.Tier, reader: Reader, spec: Spec) -> None:
    """Note what is wrong with a tier."""
    if reader.stored:
        return
    if not is_name(tier.name, NameRule.LABEL) and tier.name:
        where = reader.document.root.get("metadata", "name")
        message = f"`{shown(tier.name)}` cannot be the name of a tier"
        reader.refuse("CAL033", where, message, "use a-z, 0-9 and `-`, at most 63 of them")
    order, action = BUILT_IN.get(tier.name, (tier.order, tier.default_action))
    if tier.order != order:
        message = f"the order of the tier `{tier.name}` is {order:.0f} and cannot be changed"
        help_ = f"write `order: {order:.0f}`, or leave the tier out: it is built in"
        reader.refuse("CAL034", spec.get("order"), message, help_)
    if tier.default_action is not action:
        message = f"the default action of the tier `{tier.name}` is {action}"
        help_ = f"write `defaultAction: {action}`, or leave the tier out: it is built in"
        reader.refuse("CAL034", spec.get("defaultAction"), message, help_, source=TYPES)


def validate_host(host: model.HostEndpoint, reader: Reader, spec: Spec) -> None:
    """Note what is wrong with a host endpoint; Felix asks for most of it too."""
    root = reader.document.root
    if not host.interface_name and not host.expected_ips:
        message = "the host endpoint has neither `interfaceName` nor `expectedIPs`"
        reader.refuse("CAL036", root.get("spec") or root, message, "add one of them")
    if not host.node:
        message = "the host endpoint names no node"
        reader.refuse("CAL036", root.get("spec") or root, message, "add `node`")
    device = host.interface_name
    if device is not None and device != "*" and not _DEVICE.fullmatch(device):
        message = f"`spec.interfaceName` is `{shown(device)}`, which is no device"
        help_ = "write a device of at most 15 characters, or `*` for all"
        reader.refuse("CAL036", spec.get("interfaceName"), message, help_)
    for i, address in enumerate(host.expected_ips):
        if "/" in address or parse_block(address) is None:
            message = f"`spec.expectedIPs[{i}]` is `{shown(address)}`, which is no address"
            reader.refuse("CAL036", spec.get("expectedIPs"), message, "write it as `10.0.0.1`")


def validate_pool(pool: model.IPPool, reader: Reader, spec: Spec) -> None:
    """Note what is wrong with a pool, as far as it matters here."""
    block = parse_block(pool.cidr)
    if block is None or block.host_bits:
        message = f"`spec.cidr` is `{shown(pool.cidr)}`, which is no block of addresses"
        where = spec.get("cidr") or reader.document.root
        reader.refuse("CAL026", where, message, "write it as `10.0.0.0/16`")
