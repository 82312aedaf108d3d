"""From modelled JSON to our objects. The one place where both ways of reading meet."""

import ipaddress

import msgspec

from cloison.algebra import parse_address
from cloison.base import Severity, Span
from cloison.resources import faults, wire
from cloison.resources.build_runtime import annotations, runtime
from cloison.resources.build_selects import selects
from cloison.resources.build_wired import (
    balancer,
    job_finished,
    nobodys,
    ready,
    ready_of,
    schedule,
    texts,
)
from cloison.resources.faults import Fault, Path
from cloison.resources.kinds import KindInfo
from cloison.resources.names import (
    MAX_LABEL,
    PROTOCOLS,
    is_name,
    is_port,
    is_port_name,
    shown,
)
from cloison.resources.objects import (
    NAMESPACE_NAME_LABEL,
    ContainerKind,
    ContainerPort,
    Controller,
    EndpointSlice,
    Labels,
    Namespace,
    Node,
    OwnerReference,
    Pod,
    PodShape,
    Service,
    ServiceAccount,
    ServicePort,
    SliceEndpoint,
)
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool

_COUNTED = frozenset(("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"))
"""Kinds whose `replicas` is 1 when absent."""
_NO_LABELS: Labels = {}
_NO_META = wire.MetaW()
_NO_POD_SPEC = wire.PodSpecW()
_NO_POD_STATUS = wire.PodStatusW()
_NO_TEMPLATE = wire.TemplateW()
_NO_CONTROLLER_SPEC = wire.ControllerSpecW()


class Builder(msgspec.Struct, gc=False):
    """Makes one object. No dataclass: there is one for every object that is read.

    Args:
        api_version: Its API version.
        kind: Its kind.
        info: What the kind demands of names.
        span: Where it starts.
        options: The default namespace.
        pool: Where repeated values are kept.
        faults: What was found wrong; those that are errors mean that the object is refused.
    """

    api_version: str
    kind: str
    info: KindInfo
    span: Span
    options: ReadOptions
    pool: Pool
    faults: list[Fault] = msgspec.field(default_factory=list)

    # Metadata

    def name(self, meta: wire.MetaW) -> str:
        """Return the name, or the prefix of the one the server will make."""
        name, suffix = meta.name, ""
        if not name:
            name, suffix = meta.generateName or "", "x"
        if not is_name(name + suffix, self.info.name_rule) or not name:
            self.fault(("metadata",), faults.NAME_INVALID, "the name is missing or misspelt")
        return name

    def namespace(self, meta: wire.MetaW) -> str:
        """Return the namespace it lives in."""
        name = meta.namespace or self.options.namespace
        known = self.pool.namespace(name)
        if known is None:
            self.fault(("metadata",), faults.NAME_INVALID, "the namespace is misspelt")
        return known or name

    def labels(self, meta: wire.MetaW | None, path: Path = ()) -> Labels:
        """Return the labels."""
        labels = self.pool.labels(meta.labels if meta else None)
        if labels is None:
            self.fault((*path, "metadata", "labels"), faults.LABEL_INVALID, "a misspelt label")
            return _NO_LABELS
        return labels

    def owner(self, meta: wire.MetaW) -> OwnerReference | None:
        """Return the controlling owner; a node that lists a static pod controls nothing."""
        for ref in meta.ownerReferences or ():
            if ref is not None and ref.controller and ref.kind and ref.name:
                return self.pool.owner(ref.apiVersion or "", ref.kind, ref.name)
        return None

    # Pods and what makes them

    def pod(self, wired: wire.PodW) -> Pod:
        """Return a pod."""
        meta = wired.metadata or _NO_META
        status = wired.status or _NO_POD_STATUS
        owner = self.owner(meta)
        shape = self.shape(meta, wired.spec or _NO_POD_SPEC, (), owner)
        addresses = self.addresses(status.podIPs, status.podIP, ("status", "podIP"))
        hosts = self.addresses(status.hostIPs, status.hostIP, ("status", "hostIP"))
        hosts = self.pool.share(hosts) if hosts else ()
        if shape.host_network:
            addresses = self.pool.share(addresses) or hosts
        return Pod(
            namespace=self.namespace(meta),
            name=self.name(meta),
            shape=shape,
            span=self.span,
            addresses=addresses,
            host_addresses=hosts,
            phase=self.pool.text(status.phase) if status.phase else None,
            terminating=meta.deletionTimestamp is not None,
            owner=owner,
            ready=ready(status),
        )

    def controller(
        self, wired: wire.ControllerW | wire.CronJobW | wire.DaemonSetW | wire.JobW
    ) -> Controller:
        """Return an object with a pod template."""
        meta = wired.metadata or _NO_META
        spec = wired.spec or _NO_CONTROLLER_SPEC
        template = spec.template
        path: Path = ("spec", "template")
        if spec.jobTemplate is not None and template is None:
            job = spec.jobTemplate.spec
            template = job.template if job is not None else None
            path = ("spec", "jobTemplate", "spec", "template")
        template = template or _NO_TEMPLATE
        finished = isinstance(wired, wire.JobW) and job_finished(wired)
        replicas = spec.replicas
        if replicas is None and self.kind in _COUNTED:
            replicas = 1
        return Controller(
            api_version=self.pool.text(self.api_version),
            kind=self.pool.text(self.kind),
            namespace=self.namespace(meta),
            name=self.name(meta),
            shape=self.shape(template.metadata, template.spec or _NO_POD_SPEC, path),
            span=self.span,
            replicas=replicas,
            owner=self.owner(meta),
            finished=finished,
            selects=selects(self.api_version, self.kind, spec.selector),
            schedule=schedule(spec),
            ready=ready_of(wired) if isinstance(wired, wire.DaemonSetW) else None,
        )

    def shape(
        self,
        meta: wire.MetaW | None,
        spec: wire.PodSpecW,
        path: Path,
        owner: OwnerReference | None = None,
    ) -> PodShape:
        """Return what policies can tell of a pod or template, and how it is run.

        Args:
            meta: Its own metadata.
            spec: Its spec.
            path: Where it stands in the object.
            owner: What made a pod from its template. Pods that the same one made with the same
                labels, a revision's hash among them, come from one template.
        """
        ports: list[ContainerPort] = []
        taken: list[tuple[str, int]] = []
        for index, container in enumerate(spec.containers or ()):
            if container is not None and container.ports:
                here = (*path, "spec", "containers", index)
                self.container_ports(container, ContainerKind.REGULAR, here, ports, taken)
        for index, container in enumerate(spec.initContainers or ()):
            if container is not None and container.ports:
                always = container.restartPolicy == "Always"
                kind = ContainerKind.SIDECAR if always else ContainerKind.INIT
                here = (*path, "spec", "initContainers", index)
                self.container_ports(container, kind, here, ports, taken)
        pool, labels = self.pool, self.labels(meta, path)
        run = None
        # Who enforces shows in the containers of agents, which DaemonSets run.
        kept = self.options.runtime or "DaemonSet" in (self.kind, owner and owner.kind)
        if kept and owner is None:
            run = runtime(pool, meta, spec)
        elif kept:
            run = pool.once(
                ("runtime", meta and meta.namespace, owner, id(labels)),
                lambda: runtime(pool, meta, spec),
            )
        return pool.shape(
            labels,
            pool.share(tuple(ports)) if ports else (),
            spec.serviceAccountName or spec.serviceAccount or "default",
            spec.nodeName or None,
            host_network=bool(spec.hostNetwork),
            # On the network of its node a pod takes the node's ports without any of these.
            host_ports=tuple(sorted(set(taken))) if taken and not spec.hostNetwork else (),
            runtime=run,
        )

    def container_ports(
        self,
        container: wire.ContainerW,
        kind: ContainerKind,
        path: Path,
        out: list[ContainerPort],
        taken: list[tuple[str, int]],
    ) -> None:
        """Add the ports of one container to `out`, and those it takes of its node to `taken`."""
        for index, port in enumerate(container.ports or ()):
            if port is None or port.containerPort is None:
                continue
            made = self.pool.port(port.containerPort, port.protocol, port.name, kind)
            if made is not None:
                out.append(made)
                if port.hostPort and is_port(port.hostPort) and kind is not ContainerKind.INIT:
                    taken.append((made.protocol, port.hostPort))
                continue
            here = (*path, "ports", index)
            if not is_port(port.containerPort):
                self.bad_number((*here, "containerPort"), port.containerPort)
            if port.name and not is_port_name(port.name):
                self.bad_port_name((*here, "name"), port.name)
            self.protocol(port.protocol, here)

    # The rest

    def namespace_object(self, wired: wire.NamedW) -> Namespace:
        """Return a namespace, with the label that the control plane keeps on it."""
        meta = wired.metadata or _NO_META
        name = self.pool.text(self.name(meta))
        labels = self.labels(meta)
        given = labels.get(NAMESPACE_NAME_LABEL, name)
        if given != name:
            self.faults.append(
                Fault(
                    ("metadata", "labels", NAMESPACE_NAME_LABEL),
                    faults.NAME_LABEL,
                    f"label `{NAMESPACE_NAME_LABEL}` says `{shown(given)}`, "
                    f"but the namespace is `{shown(name)}`",
                    "the control plane overwrites the label, so selectors see the real name",
                    "remove the label; it is set for every namespace",
                    "Kubernetes documentation, Well-Known Labels, Annotations and Taints",
                    Severity.WARNING,
                )
            )
        full: Labels | None = labels
        if labels.get(NAMESPACE_NAME_LABEL) != name[:MAX_LABEL]:
            full = self.pool.labels({**labels, NAMESPACE_NAME_LABEL: name[:MAX_LABEL]})
        return Namespace(name, labels if full is None else full, self.span)

    def node(self, wired: wire.NodeW) -> Node:
        """Return a node."""
        meta = wired.metadata or _NO_META
        points: list[int] = []
        for index, address in enumerate((wired.status and wired.status.addresses) or ()):
            if address is not None and address.type in ("InternalIP", "ExternalIP"):
                path = ("status", "addresses", index, "address")
                points += self.address(address.address, path)
        cidrs: list[str | None] = []
        if wired.spec is not None:
            cidrs = wired.spec.podCIDRs or [wired.spec.podCIDR]
        good = [cidr for cidr in cidrs if cidr and self.is_block(cidr)]
        return Node(
            self.pool.text(self.name(meta)),
            self.labels(meta),
            self.pool.share(tuple(dict.fromkeys(points))),
            tuple(dict.fromkeys(good)),
            self.span,
            (wired.spec.providerID if wired.spec else None) or "",
            resting=bool(wired.spec and wired.spec.unschedulable),
        )

    def service(self, wired: wire.ServiceW) -> Service:
        """Return a Service."""
        meta = wired.metadata or _NO_META
        spec = wired.spec or wire.ServiceSpecW()
        selector = self.pool.labels(spec.selector)
        if selector is None:
            self.fault(("spec", "selector"), faults.LABEL_INVALID, "a misspelt label in `selector`")
        ports: list[ServicePort] = []
        for index, port in enumerate(spec.ports or ()):
            if port is None or port.port is None:
                continue
            here = ("spec", "ports", index)
            target = port.targetPort
            if not is_port(port.port):
                self.bad_number((*here, "port"), port.port)
            if isinstance(target, str) and target and not is_port_name(target):
                self.bad_port_name((*here, "targetPort"), target)
            elif isinstance(target, int) and target and not is_port(target):
                self.bad_number((*here, "targetPort"), target)
            protocol = self.protocol(port.protocol, here)
            ports.append(
                ServicePort(
                    port.port,
                    protocol,
                    port.name or None,
                    target or None,
                    port.nodePort or None,
                    port.appProtocol or None,
                )
            )
        return Service(
            namespace=self.namespace(meta),
            name=self.name(meta),
            span=self.span,
            type=spec.type or "ClusterIP",
            selector=selector or None,
            ports=self.pool.share(tuple(ports)),
            cluster_ips=texts(spec.clusterIPs) or texts((spec.clusterIP,)),
            external_ips=texts(spec.externalIPs),
            external_name=spec.externalName or None,
            external_traffic_policy=spec.externalTrafficPolicy or "Cluster",
            internal_traffic_policy=spec.internalTrafficPolicy or "Cluster",
            labels=self.labels(meta),
            publish_not_ready=bool(spec.publishNotReadyAddresses),
            load_balancer=balancer(wired),
            load_balancer_class=spec.loadBalancerClass or None,
            source_ranges=texts(spec.loadBalancerSourceRanges),
            health_check_port=spec.healthCheckNodePort or None,
            annotations=dict(annotations(self.pool, meta)),
        )

    def slice(self, wired: wire.SliceW) -> EndpointSlice:
        """Return an EndpointSlice."""
        meta = wired.metadata or _NO_META
        text = self.pool.text
        endpoints = []
        for endpoint in wired.endpoints or ():
            if endpoint is None:
                continue
            ready = endpoint.conditions.ready if endpoint.conditions else None
            ref = endpoint.targetRef
            pod = ref.name if ref is not None and ref.kind == "Pod" else None
            node = text(endpoint.nodeName) if endpoint.nodeName else None
            endpoints.append(
                SliceEndpoint(texts(endpoint.addresses), ready is not False, pod or None, node)
            )
        ports = tuple(
            ServicePort(port.port, port.protocol or "TCP", port.name or None)
            for port in wired.ports or ()
            if port is not None and port.port is not None
        )
        service = self.labels(meta).get("kubernetes.io/service-name")
        return EndpointSlice(
            self.namespace(meta), self.name(meta), self.span, service, tuple(endpoints), ports
        )

    def account(self, wired: wire.AccountW) -> ServiceAccount:
        """Return a ServiceAccount."""
        meta = wired.metadata or _NO_META
        return ServiceAccount(
            self.namespace(meta),
            self.name(meta),
            self.labels(meta),
            self.span,
            dict(annotations(self.pool, meta)),
            wired.automountServiceAccountToken,
        )

    # Values

    def addresses(
        self, many: list[wire.AddressW | None] | None, one: str | None, path: Path
    ) -> tuple[int, ...]:
        """Return the addresses of a status: the list, else the single one."""
        if not many:
            return self.address(one, path)
        if len(many) == 1:
            return self.address(many[0].ip if many[0] else None, path)
        points = [point for item in many if item for point in self.address(item.ip, path)]
        return tuple(dict.fromkeys(points))

    def address(self, text: str | None, path: Path) -> tuple[int, ...]:
        """Return an address as a point, or nothing when it is absent or not one."""
        if not text:
            return ()
        try:
            point = parse_address(text)
        except ValueError:
            self.not_an_address(text, path, "an IP address")
            return ()
        if nobodys(point):
            self.not_an_address(text, path, "an address that a pod or a node is reached by")
            return ()
        return (point,)

    def is_block(self, text: str) -> bool:
        """Return whether a node's pod CIDR is a block of addresses."""
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            self.not_an_address(text, ("spec", "podCIDR"), "a block of addresses")
            return False
        return True

    def protocol(self, text: str | None, path: Path) -> str:
        """Return the protocol of a port."""
        protocol = text or "TCP"
        if protocol not in PROTOCOLS:
            self.fault(
                (*path, "protocol"),
                faults.PORT_INVALID,
                f"`{shown(protocol)}` is not a protocol a port can have",
                "write TCP, UDP or SCTP, in capitals",
            )
        return self.pool.text(protocol)

    # Faults

    def fault(self, path: Path, code: str, message: str, advice: str | None = None) -> None:
        """Note a fault for which the server refuses the object."""
        source = "kubernetes/kubernetes pkg/apis/core/validation/validation.go"
        self.faults.append(Fault(path, code, message, help=advice, source=source))

    def bad_number(self, path: Path, number: int) -> None:
        """Note a port number out of range."""
        message = f"{shown(str(number))} is not a port"
        self.fault(path, faults.PORT_INVALID, message, "write a number from 1 to 65535")

    def bad_port_name(self, path: Path, name: str) -> None:
        """Note a misspelt port name."""
        advice = "use at most 15 of a-z, 0-9 and single `-` inside, with at least one letter"
        if name.isdigit():
            advice = f"write the number without quotes: {shown(name)}"
        message = f"`{shown(name)}` is not a port name"
        self.fault(path, faults.PORT_INVALID, message, advice)

    def not_an_address(self, text: str, path: Path, what: str) -> None:
        """Note an address that cannot be read."""
        self.faults.append(
            Fault(
                path,
                faults.ADDRESS_INVALID,
                f"`{shown(text)}` is not {what}",
                "it is left out, as if it were not known",
                "correct it, or remove it",
                "Kubernetes API reference",
                Severity.WARNING,
            )
        )
