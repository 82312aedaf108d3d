"""The parts of objects that we model, as they stand in JSON. Null means absent everywhere."""

from typing import TypeAlias

import msgspec

LabelText: TypeAlias = dict[str, str | None]
"""Labels as written; the server reads a null value as empty text."""


class OwnerW(msgspec.Struct, gc=False):
    """`OwnerReference`."""

    apiVersion: str | None = None
    kind: str | None = None
    name: str | None = None
    controller: bool | None = None


class MetaW(msgspec.Struct):
    """`ObjectMeta`. A `uid` tells an object that a server printed."""

    name: str | None = None
    generateName: str | None = None
    namespace: str | None = None
    labels: LabelText | None = None
    annotations: LabelText | None = None
    ownerReferences: list[OwnerW | None] | None = None
    creationTimestamp: str | None = None
    deletionTimestamp: str | None = None
    uid: str | None = None


class PortW(msgspec.Struct, gc=False):
    """`ContainerPort`."""

    containerPort: int | None = None
    protocol: str | None = None
    name: str | None = None
    hostPort: int | None = None


class HTTPGetW(msgspec.Struct, gc=False):
    """`HTTPGetAction`, and `TCPSocketAction`, which has less."""

    port: int | str | None = None
    host: str | None = None


class GRPCW(msgspec.Struct, gc=False):
    """`GRPCAction`."""

    port: int | None = None


class ProbeW(msgspec.Struct, gc=False):
    """`Probe`, but for commands."""

    httpGet: HTTPGetW | None = None
    tcpSocket: HTTPGetW | None = None
    grpc: GRPCW | None = None


class KeyW(msgspec.Struct, gc=False):
    """`ConfigMapKeySelector` and `SecretKeySelector`."""

    name: str | None = None
    key: str | None = None


class FieldW(msgspec.Struct, gc=False):
    """`ObjectFieldSelector`."""

    fieldPath: str | None = None


class VariableSourceW(msgspec.Struct, gc=False):
    """`EnvVarSource`."""

    configMapKeyRef: KeyW | None = None
    secretKeyRef: KeyW | None = None
    fieldRef: FieldW | None = None


class VariableW(msgspec.Struct, gc=False):
    """`EnvVar`."""

    name: str | None = None
    value: str | None = None
    valueFrom: VariableSourceW | None = None


class NamedRefW(msgspec.Struct, gc=False):
    """`ConfigMapEnvSource`."""

    name: str | None = None


class VariablesFromW(msgspec.Struct, gc=False):
    """`EnvFromSource`."""

    configMapRef: NamedRefW | None = None


class ContainerW(msgspec.Struct):
    """`Container`."""

    name: str | None = None
    image: str | None = None
    command: list[str | None] | None = None
    args: list[str | None] | None = None
    env: list[VariableW | None] | None = None
    envFrom: list[VariablesFromW | None] | None = None
    ports: list[PortW | None] | None = None
    restartPolicy: str | None = None
    livenessProbe: ProbeW | None = None
    readinessProbe: ProbeW | None = None
    startupProbe: ProbeW | None = None


class ProjectionW(msgspec.Struct, gc=False):
    """`VolumeProjection`."""

    configMap: NamedRefW | None = None


class ProjectedW(msgspec.Struct, gc=False):
    """`ProjectedVolumeSource`."""

    sources: list[ProjectionW | None] | None = None


class VolumeW(msgspec.Struct, gc=False):
    """`Volume`."""

    configMap: NamedRefW | None = None
    projected: ProjectedW | None = None


class DNSConfigW(msgspec.Struct, gc=False):
    """`PodDNSConfig`."""

    nameservers: list[str | None] | None = None
    searches: list[str | None] | None = None


class PodSpecW(msgspec.Struct):
    """`PodSpec`."""

    containers: list[ContainerW | None] | None = None
    initContainers: list[ContainerW | None] | None = None
    dnsPolicy: str | None = None
    dnsConfig: DNSConfigW | None = None
    volumes: list[VolumeW | None] | None = None
    automountServiceAccountToken: bool | None = None
    hostname: str | None = None
    subdomain: str | None = None
    hostNetwork: bool | None = None
    serviceAccountName: str | None = None
    serviceAccount: str | None = None
    nodeName: str | None = None


class AddressW(msgspec.Struct, gc=False):
    """`PodIP` and `HostIP`."""

    ip: str | None = None


class ConditionW(msgspec.Struct, gc=False):
    """A condition of a status."""

    type: str | None = None
    status: str | None = None


class PodStatusW(msgspec.Struct):
    """`PodStatus`."""

    phase: str | None = None
    conditions: list[ConditionW | None] | None = None
    podIP: str | None = None
    podIPs: list[AddressW | None] | None = None
    hostIP: str | None = None
    hostIPs: list[AddressW | None] | None = None


class PodW(msgspec.Struct):
    """`Pod`."""

    metadata: MetaW | None = None
    spec: PodSpecW | None = None
    status: PodStatusW | None = None


class TemplateW(msgspec.Struct):
    """`PodTemplateSpec`."""

    metadata: MetaW | None = None
    spec: PodSpecW | None = None


class JobSpecW(msgspec.Struct):
    """`JobSpec`, inside a CronJob."""

    template: TemplateW | None = None


class JobTemplateW(msgspec.Struct):
    """`JobTemplateSpec`."""

    spec: JobSpecW | None = None


class ControllerSpecW(msgspec.Struct):
    """The `spec` of anything with a pod template."""

    replicas: int | None = None
    selector: object = None
    template: TemplateW | None = None
    jobTemplate: JobTemplateW | None = None


class CronJobSpecW(ControllerSpecW):
    """`CronJobSpec`."""

    schedule: str | None = None
    suspend: bool | None = None
    timeZone: str | None = None


class JobStatusW(msgspec.Struct):
    """`JobStatus`."""

    conditions: list[ConditionW | None] | None = None


class ControllerW(msgspec.Struct):
    """Anything with a pod template that has no struct of its own here."""

    metadata: MetaW | None = None
    spec: ControllerSpecW | None = None


class DaemonSetStatusW(msgspec.Struct):
    """`DaemonSetStatus`."""

    desiredNumberScheduled: int | None = None
    numberReady: int | None = None


class DaemonSetW(msgspec.Struct):
    """`DaemonSet`."""

    metadata: MetaW | None = None
    spec: ControllerSpecW | None = None
    status: DaemonSetStatusW | None = None


class CronJobW(msgspec.Struct):
    """`CronJob`."""

    metadata: MetaW | None = None
    spec: CronJobSpecW | None = None


class JobW(msgspec.Struct):
    """`Job`."""

    metadata: MetaW | None = None
    spec: ControllerSpecW | None = None
    status: JobStatusW | None = None


class NamedW(msgspec.Struct):
    """An object of which only the metadata matters."""

    metadata: MetaW | None = None


class AccountW(msgspec.Struct):
    """`ServiceAccount`."""

    metadata: MetaW | None = None
    automountServiceAccountToken: bool | None = None


class NodeSpecW(msgspec.Struct):
    """`NodeSpec`."""

    podCIDR: str | None = None
    podCIDRs: list[str | None] | None = None
    providerID: str | None = None
    unschedulable: bool | None = None


class NodeAddressW(msgspec.Struct, gc=False):
    """`NodeAddress`."""

    type: str | None = None
    address: str | None = None


class NodeStatusW(msgspec.Struct):
    """`NodeStatus`."""

    addresses: list[NodeAddressW | None] | None = None


class NodeW(msgspec.Struct):
    """`Node`."""

    metadata: MetaW | None = None
    spec: NodeSpecW | None = None
    status: NodeStatusW | None = None


class ServicePortW(msgspec.Struct, gc=False):
    """`ServicePort`."""

    port: int | None = None
    protocol: str | None = None
    name: str | None = None
    targetPort: int | str | None = None
    nodePort: int | None = None
    appProtocol: str | None = None


class ServiceSpecW(msgspec.Struct):
    """`ServiceSpec`."""

    type: str | None = None
    selector: LabelText | None = None
    ports: list[ServicePortW | None] | None = None
    clusterIP: str | None = None
    clusterIPs: list[str | None] | None = None
    externalIPs: list[str | None] | None = None
    externalName: str | None = None
    externalTrafficPolicy: str | None = None
    internalTrafficPolicy: str | None = None
    publishNotReadyAddresses: bool | None = None
    allocateLoadBalancerNodePorts: bool | None = None
    healthCheckNodePort: int | None = None
    loadBalancerClass: str | None = None
    loadBalancerIP: str | None = None
    loadBalancerSourceRanges: list[str | None] | None = None


class LoadBalancerIngressW(msgspec.Struct, gc=False):
    """`LoadBalancerIngress`."""

    ip: str | None = None
    hostname: str | None = None


class LoadBalancerW(msgspec.Struct):
    """`LoadBalancerStatus`."""

    ingress: list[LoadBalancerIngressW | None] | None = None


class ServiceStatusW(msgspec.Struct):
    """`ServiceStatus`."""

    loadBalancer: LoadBalancerW | None = None


class ServiceW(msgspec.Struct):
    """`Service`."""

    metadata: MetaW | None = None
    spec: ServiceSpecW | None = None
    status: ServiceStatusW | None = None


class ReadyW(msgspec.Struct, gc=False):
    """`EndpointConditions`."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ReferenceW(msgspec.Struct, gc=False):
    """`ObjectReference`."""

    kind: str | None = None
    name: str | None = None


class EndpointW(msgspec.Struct):
    """`Endpoint` of a slice."""

    addresses: list[str | None] | None = None
    conditions: ReadyW | None = None
    targetRef: ReferenceW | None = None
    nodeName: str | None = None


class SlicePortW(msgspec.Struct, gc=False):
    """`EndpointPort` of a slice."""

    port: int | None = None
    protocol: str | None = None
    name: str | None = None


class SliceW(msgspec.Struct):
    """`EndpointSlice`."""

    metadata: MetaW | None = None
    endpoints: list[EndpointW | None] | None = None
    ports: list[SlicePortW | None] | None = None
