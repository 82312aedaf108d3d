"""What is broken or about to break, workload by workload."""

from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.finding import Evidence, Finding, Mode

__all__ = ["Clinic", "Evidence", "Finding", "Mode", "on"]
