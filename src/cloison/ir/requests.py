"""What rules ask of requests, for whoever compiles such rules and whoever answers."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from cloison import algebra
from cloison.ir.fidelity import Caveat

if TYPE_CHECKING:
    from cloison.algebra import Request, RequestSet


class RequestCondition(Protocol):
    """What a rule asks of the requests made on a connection. Equal when it asks the same.

    Its text is for people, as one of them would write it: `GET /v1/.*`.
    """

    @property
    def doubt(self) -> Caveat | None:
        """What an answer carries of which it is not known whether it matches; None for nothing."""

    def __hash__(self) -> int:
        """Hash by what it asks."""

    def matches(self, request: "Request") -> bool | None:
        """Return whether it is met by a request; None where nobody can say.

        A request that is known in part meets it only if all do that it may be.
        """

    def given(self, request: "Request") -> "RequestMatch":
        """Return what it still asks of a request, of what is not told of that.

        Raises:
            UndecidedError: that takes more than is put up with.
        """

    def requests(self) -> "RequestMatch":
        """Return it as sets.

        Raises:
            UndecidedError: they take more than is put up with, or a pattern is not supported.
        """


@dataclass(frozen=True, slots=True)
class RequestMatch:
    """A condition as sets of requests, which its author has worked out.

    Args:
        must: Requests that certainly meet it.
        may: Requests that may meet it besides, for all that is known; None for none.
        doubt: Why that is not known.
        text: It, as people are told of it; made of `must` where there is none.
    """

    must: "RequestSet"
    may: "RequestSet | None" = None
    doubt: Caveat | None = None
    text: str | None = None

    def matches(self, request: "Request") -> bool | None:
        """Return whether it is met by a request; None where nobody can say.

        >>> from cloison.algebra import Request, RequestSet, StringSet
        >>> read = RequestMatch(RequestSet.http(StringSet.of("GET")))
        >>> read.matches(Request(method="GET", path="/a")), read.matches(Request(path="/a"))
        (True, None)
        """
        must = self.must.holds(request)
        if must is not False or self.may is None:
            return must
        return False if self.may.holds(request) is False else None

    def given(self, request: "Request") -> "RequestMatch":
        """Return what it still asks of a request, of what is not told of that."""
        may = None if self.may is None else self.may.given(request)
        return replace(self, must=self.must.given(request), may=may)

    def requests(self) -> "RequestMatch":
        """Return itself."""
        return self

    def __str__(self) -> str:
        """Render for people."""
        return str(self.must) if self.text is None else self.text


def of_http(condition: RequestCondition) -> RequestMatch | None:
    """Return a condition as sets, where a proxy that reads HTTP in the clear can tell if it is met.

    None where it is about names in TLS, or about no HTTP at all, or its sets are not worked out.
    """
    try:
        found = condition.requests()
        every = found.must if found.may is None else found.must | found.may
        # What no request meets is about HTTP as much as anything.
        other = bool(every) and every.isdisjoint(algebra.RequestSet.http())
    except algebra.UndecidedError:
        return None
    return None if other or every.asks_of_tls else found
