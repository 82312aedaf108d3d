"""What is asked of objects that are no policies.

Source: cilium/cilium pkg/k8s/apis/cilium.io/client/crds/v2.
"""

import ipaddress

from cloison.dialects.cilium import model
from cloison.dialects.cilium.reader import Reader
from cloison.dialects.cilium.say import CRD
from cloison.resources.names import shown


def validate_other(found: model.CiliumObject, reader: Reader) -> None:
    """Note every reason for which an object that is no policy takes no part."""
    root = reader.document.root
    spec = root.get("spec") or root
    match found:
        case model.CiliumIdentity() if not found.name.isascii() or not found.name.isdigit():
            where = root.get("metadata", "name")
            message = f"`{shown(found.name)}` is no number of an identity"
            reader.refuse("CIL117", where, message, "name it by its number", source=CRD)
        case model.CiliumLocalRedirectPolicy():
            _redirect(found, reader)
        case model.CiliumEgressGatewayPolicy() if not found.selectors or not found.destinations:
            missing = "selectors" if not found.selectors else "destinationCIDRs"
            message = f"`spec.{missing}` is missing or empty"
            reader.refuse("CIL117", spec, message, "add it", source=CRD)
        case _:
            return


def _redirect(found: model.CiliumLocalRedirectPolicy, reader: Reader) -> None:
    root = reader.document.root
    spec = root.get("spec") or root
    if (found.address is None) == (found.service is None):
        said = "neither" if found.address is None else "both"
        message = f"`spec.redirectFrontend` has {said} an address and a Service"
        help_ = "write one of `addressMatcher` and `serviceMatcher`"
        reader.refuse("CIL117", root.get("spec", "redirectFrontend") or spec, message, help_)
    if found.address is not None:
        try:
            ipaddress.ip_address(found.address)
        except ValueError:
            message = f"`{shown(found.address)}` is no address"
            where = root.get("spec", "redirectFrontend")
            reader.refuse("CIL117", where, message, "write it as `169.254.169.254`", source=CRD)
    if found.service_namespace not in (None, found.namespace):
        where = root.get("spec", "redirectFrontend")
        message = f"the Service is of `{shown(found.service_namespace or '')}`, another namespace"
        help_ = "write the policy in the namespace of its Service"
        source = "cilium/cilium pkg/loadbalancer/redirectpolicy"
        reader.refuse("CIL117", where, message, help_, source=source)
    if found.backends is None:
        message = "`spec.redirectBackend.localEndpointSelector` is missing"
        where = root.get("spec", "redirectBackend") or spec
        reader.refuse("CIL117", where, message, "add it", source=CRD)
