"""What the doctor takes, beside asking `why` about the same calls one by one."""

from collections import Counter

import msgspec

from benchmarks.faults import DisagreementError
from benchmarks.measured import Measured, Meter
from benchmarks.measures.ready import count, ready_to_ask
from benchmarks.worlds.estate import calls, estate
from cloison.app.load import load_objects


def doctor(workloads: int) -> Measured:
    """Measure an examination of an estate, and questions about all calls of it as a baseline.

    Both are asked of sessions of their own, so that neither finds what the other has worked out.

    Args:
        workloads: How many the estate has.

    Raises:
        DisagreementError: The doctor finds other calls closed than `why` says are.
    """
    objects = [msgspec.json.decode(msgspec.json.encode(each)) for each in estate(workloads)]
    # Imports are not what is measured.
    load_objects(list(estate(1)), profile="generic").doctor()
    examined, asked = (load_objects(objects, profile="generic") for _ in range(2))
    for session in (examined, asked):
        ready_to_ask(session)
    meter = Meter()
    count(examined, meter)
    meter.begin()
    with meter.phase("doctor"):
        findings = examined.doctor()
    most = meter.peak
    with meter.phase("whys"):
        verdicts = Counter(str(asked.why(*call).verdict) for call in calls(workloads))
    meter.facts |= {"findings": len(findings), "calls": verdicts.total()}
    closed = sum(each.code == "DEP001" for each in findings)
    if closed != verdicts["denied"]:
        msg = f"the doctor finds {closed} calls closed, and why {verdicts['denied']}"
        raise DisagreementError(msg)
    meter.peak = most
    return meter.done()
