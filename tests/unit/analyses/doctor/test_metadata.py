"""D-IMDS: broad egress and cloud metadata (P11, P72 to P75)."""

import pytest
import yaml

from cloison.app import load_texts
from tests.support.doctoring import examined, mended
from tests.support.smallworlds import (
    Manifest,
    block,
    found,
    policy,
    rule,
    text,
    thing,
    variables,
    workload,
)

POD = workload("web")
AWS = thing("Node", "n1", spec={"providerID": "aws:///eu-west-1a/i-0"})
DNS = "169.254.169.254/32"


def told(*objects: Manifest) -> list[str]:
    """Return the codes of what is found about the application."""
    return [each.code for each in found("D-IMDS", POD, *objects)]


def broad(*peers: Manifest, name: str = "p", ports: tuple[int, ...] = (80, 443)) -> Manifest:
    """Return a policy that lets out to blocks."""
    return policy(name=name, egress=[rule("to", *peers, ports=ports)])


def test_everything_includes_metadata() -> None:
    (one,) = found("D-IMDS", POD, AWS, broad(block("0.0.0.0/0")))
    assert one.code == "MET001"
    assert one.message == "a/web may reach cloud metadata: 169.254.169.254 on TCP/80"
    assert one.evidence[0].text == "a/p egress rule 1 lets it out"
    assert told(AWS, broad(block("0.0.0.0/0", DNS))) == []


@pytest.mark.parametrize(("nodes", "severity"), [((AWS,), "error"), ((), "warning")])
def test_it_is_a_hole_where_the_cloud_is_known_and_egress_says_so_too(
    nodes: tuple[Manifest, ...], severity: str
) -> None:
    here = text(POD, *nodes, broad(block("0.0.0.0/0")))
    (one,) = examined(here, "D-IMDS")
    assert str(one.severity) == severity
    session = load_texts({"all.yaml": here})
    (other,) = [each for each in session.egress().findings if each.code == "EGR002"]
    assert (other.severity, other.effect) == (one.severity, one.effect)


def test_a_rule_for_everything_is_as_bad_as_what_it_opens() -> None:
    here = text(POD, AWS, policy(egress=[{}]))
    (one,) = [e for e in load_texts({"a.yaml": here}).egress().findings if e.code == "EGR010"]
    assert str(one.severity) == "error"


def test_who_has_its_own_credentials_from_there_is_told_nowhere() -> None:
    notes = {"iam.gke.io/gcp-service-account": "a@b.example.org"}
    account = thing("ServiceAccount", "web", "a", annotations=notes)
    pod = workload("web", pod={"serviceAccountName": "web"})
    here = text(GKE, account, pod, broad(block("0.0.0.0/0"), ports=(80, 987, 988)))
    assert examined(here, "D-IMDS") == ()
    found_ = load_texts({"all.yaml": here}).egress().findings
    assert "EGR002" not in {each.code for each in found_}


def test_another_port_is_not_the_one_of_metadata() -> None:
    assert told(AWS, broad(block("0.0.0.0/0"), ports=(443,))) == []


def test_one_policy_opens_what_another_leaves_out() -> None:
    careful = broad(block("0.0.0.0/0", DNS))
    assert told(AWS, careful, broad(block("0.0.0.0/0"), name="q")) == ["MET001"]
    assert told(AWS, careful, broad(block("0.0.0.0/0", DNS), name="q")) == []


def test_the_other_family_has_an_address_of_its_own() -> None:
    both = (block("0.0.0.0/0", DNS), block("::/0"))
    (one,) = found("D-IMDS", POD, AWS, broad(*both))
    assert "fd00:ec2::254" in one.message
    assert "169.254.169.254" not in one.message
    assert told(AWS, broad(both[0], block("::/0", "fd00:ec2::254/128"))) == []


def test_a_resolver_at_that_address_is_no_metadata() -> None:
    resolver = policy(
        name="dns",
        egress=[{"to": [block(DNS)], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}],
    )
    assert told(AWS, broad(block("0.0.0.0/0", DNS)), resolver) == []


def test_clouds_have_addresses_of_their_own() -> None:
    azure = thing("Node", "n1", spec={"providerID": "azure:///x"})
    (one,) = found("D-IMDS", POD, azure, broad(block("0.0.0.0/0", "169.254.0.0/16")))
    assert "168.63.129.16" in one.message
    kind = thing("Node", "n1", spec={"providerID": "kind://docker/kind/kind-control-plane"})
    assert told(kind, broad(block("0.0.0.0/0"))) == []


def test_one_finding_for_a_namespace() -> None:
    others = [workload(name) for name in ("x", "y", "z")]
    (one,) = found("D-IMDS", POD, *others, broad(block("0.0.0.0/0")))
    assert one.object == "Namespace a"
    assert one.workload is None
    assert one.message.startswith("a/web, a/x, a/y and 1 more may reach")


def test_who_no_policy_restricts_is_another_matter() -> None:
    assert told(AWS) == []


URL = variables(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://169.254.170.23/v1/credentials")


def test_pod_identity_needs_its_agent() -> None:
    pod = workload("web", env=URL)
    shut = broad(block("0.0.0.0/0", "169.254.0.0/16"))
    here = text(pod, AWS, shut)
    first = examined(here, "D-IMDS")
    assert [each.code for each in first] == ["MET002"]
    assert "169.254.170.23 on TCP/80" in first[0].message
    assert examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-IMDS") == ()
    let_out = broad(block("169.254.170.23/32"), name="q", ports=(80,))
    assert found("D-IMDS", pod, AWS, shut, let_out) == ()


GKE = thing("Node", "n1", labels={"cloud.google.com/gke-nodepool": "a"})
DATAPLANE = workload("anetd", "kube-system", "DaemonSet", pod={"hostNetwork": True})


@pytest.mark.parametrize(
    ("platform", "address", "ports"),
    [
        ((GKE,), "169.254.169.252/32", (987, 988)),
        ((GKE, DATAPLANE), "169.254.169.254/32", (80, 8080)),
    ],
)
def test_workload_identity_needs_its_server(
    platform: tuple[Manifest, ...], address: str, ports: tuple[int, ...]
) -> None:
    notes = {"iam.gke.io/gcp-service-account": "a@b.example.org"}
    account = thing("ServiceAccount", "web", "a", annotations=notes)
    here = (*platform, account, workload("web", pod={"serviceAccountName": "web"}))
    (one,) = found("D-IMDS", *here, policy(egress=[]))
    assert one.code == "MET002"
    assert address.partition("/")[0] in one.message
    assert "its vendor's page was not read" in one.evidence[0].text
    let_out = policy(egress=[rule("to", block(address), ports=ports)])
    assert found("D-IMDS", *here, let_out) == ()


def test_a_policy_that_leaves_metadata_out_keeps_its_labels_and_annotations() -> None:
    wide = policy(egress=[rule("to", block("0.0.0.0/0"), ports=(80,))])
    wide["metadata"] |= {"labels": {"team": "a"}, "annotations": {"why": "updates"}}
    (one,) = found("D-IMDS", workload("web"), wide)
    (mend,) = one.mend
    made = yaml.safe_load(mend.manifest)
    assert made["metadata"] == wide["metadata"]
    (opened,) = made["spec"]["egress"]
    assert {"cidr", "except"} == opened["to"][0]["ipBlock"].keys()
    assert not found("D-IMDS", workload("web"), made)


@pytest.mark.parametrize(("name", "count"), [("web", 1), ("other", 0)])
def test_what_an_association_promises_has_to_be_fetched(name: str, count: int) -> None:
    spec = {"namespace": "a", "serviceAccount": name, "clusterName": "c"}
    kind, api = "PodIdentityAssociation", "eks.services.k8s.aws/v1alpha1"
    pods = workload("web", pod={"serviceAccountName": "web"})
    here = (thing(kind, "x", "a", api=api, spec=spec), pods)
    told = found("D-IMDS", *here, policy(egress=[]))
    assert [each.code for each in told] == ["MET002"] * count
    assert all("169.254.170.23" in each.message for each in told)
    agent = rule("to", block("169.254.170.23/32"), ports=(80,))
    assert found("D-IMDS", *here, policy(egress=[agent])) == ()
