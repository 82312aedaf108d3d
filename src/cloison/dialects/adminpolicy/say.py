"""What this dialect's diagnostics name and say. Families `ADL` (reading) and `ADS` (suspicion)."""

from cloison.base import TREATED_AS_ABSENT

ABSENT = f"the API server refuses this object, so {TREATED_AS_ABSENT}: none of its rules counts"
V1ALPHA1 = "kubernetes-sigs/network-policy-api apis/v1alpha1, CRDs v0.1.7"
V1ALPHA2 = "kubernetes-sigs/network-policy-api apis/v1alpha2, CRDs v0.2.0"
DOCS = "Network Policy API documentation, API overview"
