"""What changes the real path: CNI profiles, as versioned data."""

from cloison.platform.caveats import CATALOGUE, caveat
from cloison.platform.cilium import configured
from cloison.platform.detect import Detected, detect
from cloison.platform.profiles import DEFAULT_PROFILE, profile, profile_names

__all__ = [
    "CATALOGUE",
    "DEFAULT_PROFILE",
    "Detected",
    "caveat",
    "configured",
    "detect",
    "profile",
    "profile_names",
]
