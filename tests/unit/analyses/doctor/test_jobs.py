"""D-JOB: Jobs are governed like others, reach what those reach, and serve nobody (P79)."""

from typing import Any

from tests.support.smallworlds import (
    Manifest,
    block,
    found,
    listening,
    peer,
    policy,
    rule,
    service,
    thing,
    workload,
)

PAY = workload("pay", image="example.org/pay:1", ports=listening((8080, "http")))
LET_OUT = policy(
    name="pay", to={"app": "pay"}, egress=[rule("to", peer("data", app="db"), ports=(5432,))]
)
DENY = policy(name="deny", egress=[])
LOOKUPS = policy(name="dns", egress=[{"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}])


def job(**more: Any) -> Manifest:
    """Return a Job that migrates a database."""
    labels = {"labels": more.pop("labels", {"task": "migrate"})}
    return workload("migrate", kind="Job", pod=labels, image="example.org/pay:1", **more)


def told(*objects: Manifest) -> list[str]:
    """Return the codes of what is found."""
    return [each.code for each in found("D-JOB", *objects)]


def test_a_job_that_no_policy_selects_may_send_anything() -> None:
    (one,) = found("D-JOB", PAY, job(), LET_OUT)
    assert (one.code, str(one.severity)) == ("JOB001", "warning")
    assert one.message == (
        "no policy about egress selects the pods of a/migrate, though a/pay is restricted, with "
        "which it shares its image"
    )
    assert told(PAY, job(labels={"app": "pay"}), LET_OUT) == []


def test_a_job_unlike_others_is_measured_by_all_of_them() -> None:
    unlike = workload("m", kind="Job", pod={"labels": {"task": "m"}}, image="b")
    (one,) = found("D-JOB", PAY, unlike, LET_OUT)
    assert "every other workload of its namespace is restricted" in one.message
    assert told(PAY, workload("other"), unlike, LET_OUT) == []


def test_a_job_that_nothing_lets_out_is_told_apart_from_its_like() -> None:
    (one,) = found("D-JOB", PAY, job(), LET_OUT, DENY, LOOKUPS)
    assert (one.code, str(one.severity)) == ("JOB002", "warning")
    assert "lets out a/pay, with which it shares its image" in one.message
    own = policy(
        name="m", to={"task": "migrate"}, egress=[rule("to", block("10.0.0.0/8"), ports=(5432,))]
    )
    assert told(PAY, job(), LET_OUT, DENY, LOOKUPS, own) == []


def test_settings_in_common_count_like_images() -> None:
    secret = {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}
    pay = workload("pay", env=[secret])
    like = workload("m", kind="Job", pod={"labels": {"task": "m"}}, image="b", env=[secret])
    (one,) = found("D-JOB", pay, like, LET_OUT, DENY)
    assert "shares Secret db" in one.message
    unlike = workload("m", kind="Job", pod={"labels": {"task": "m"}}, image="b")
    assert told(pay, unlike, LET_OUT, DENY) == []


def test_a_cron_job_is_a_job() -> None:
    template = job()["spec"]["template"]
    spec = {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": template}}}
    cron = thing("CronJob", "migrate", "a", api="batch/v1", spec=spec)
    assert told(PAY, cron, LET_OUT) == ["JOB001"]


def test_labels_of_a_service_make_endpoints() -> None:
    front = service("pay", "a", {"port": 80, "targetPort": 8080})
    (one,) = found("D-JOB", PAY, job(labels={"app": "pay"}), front)
    assert one.code == "JOB003"
    assert told(PAY, job(), front) == []
    # A port by name that the Job does not declare leaves it out.
    named = service("pay", "a", {"port": 80, "targetPort": "http"})
    assert told(PAY, job(labels={"app": "pay"}), named) == []
