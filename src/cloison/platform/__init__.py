"""What changes the real path: CNI profiles, platforms, known components and resolvers, as data."""

from cloison.platform.caveats import CATALOGUE, caveat
from cloison.platform.cilium import configured
from cloison.platform.detect import Detected, detect
from cloison.platform.evidence import Evidence
from cloison.platform.profiles import DEFAULT_PROFILE, NO_ENFORCER, profile, profile_names

__all__ = [
    "CATALOGUE",
    "DEFAULT_PROFILE",
    "NO_ENFORCER",
    "Detected",
    "Evidence",
    "caveat",
    "configured",
    "detect",
    "profile",
    "profile_names",
]
