"""Settings: what the caller says about the cluster and how to read it."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from cloison.algebra import NO_ADDRESSES, AddressSet
from cloison.base import QuestionError
from cloison.ir.profile import Profile
from cloison.resources.options import FieldValidation, ReadOptions

if TYPE_CHECKING:
    from cloison.engine import Networks


@dataclass(frozen=True, slots=True)
class Settings:
    """How to read sources and judge flows.

    Args:
        profile: Who enforces: a CNI profile or its name.
        profile_chosen: How the profile was chosen: `default`, `--cni`, a settings file.
        kubernetes: Target Kubernetes version, (major, minor).
        field_validation: What unknown fields do: `strict` refuses the object, `warn` drops them.
        namespace: Namespace of objects that name none.
        pod_cidrs: Where pod addresses come from.
        node_cidrs: Where node addresses come from.
        service_cidrs: Where Service addresses come from.
    """

    profile: Profile | str = "generic"
    profile_chosen: str = "default"
    kubernetes: tuple[int, int] = (1, 35)
    field_validation: str = "warn"
    namespace: str = "default"
    pod_cidrs: tuple[str, ...] = ()
    node_cidrs: tuple[str, ...] = ()
    service_cidrs: tuple[str, ...] = ()

    def but(self, **said: Any) -> Self:
        """Return these settings with some replaced.

        Raises:
            QuestionError: there is no setting of that name.
        """
        known = {field.name for field in dataclasses.fields(self)}
        unknown = sorted(said.keys() - known)
        if unknown:
            msg = f"there is no setting {unknown[0]!r}"
            raise QuestionError(msg, f"settings are {', '.join(sorted(known))}")
        if "profile" in said and "profile_chosen" not in said:
            said["profile_chosen"] = "profile="
        return dataclasses.replace(self, **said)

    def read_options(self) -> ReadOptions:
        """Return what the readers need to know.

        Raises:
            QuestionError: a setting has no such value.
        """
        try:
            validation = FieldValidation(self.field_validation)
        except ValueError:
            msg = f"{self.field_validation!r} is not a way to validate fields"
            raise QuestionError(msg, "say strict or warn") from None
        return ReadOptions(self.kubernetes, validation, self.namespace)

    def networks(self) -> "Networks":
        """Return the cluster's address ranges.

        Raises:
            QuestionError: a range is not an address block.
        """
        from cloison.engine import Networks

        return Networks(
            _ranges("pod CIDR", self.pod_cidrs),
            _ranges("node CIDR", self.node_cidrs),
            _ranges("service CIDR", self.service_cidrs),
        )


def _ranges(what: str, texts: tuple[str, ...]) -> AddressSet:
    found = NO_ADDRESSES
    for text in texts:
        try:
            found |= AddressSet.block(text)
        except ValueError:
            msg = f"{what} {text!r} is not an address block"
            raise QuestionError(msg, "write it as 10.2.0.0/16") from None
    return found
