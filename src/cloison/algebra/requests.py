"""Sets of requests at the application layer: HTTP and gRPC, names in TLS, names looked up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cloison.algebra import fields
from cloison.algebra.budget import Budget, TooLargeError
from cloison.algebra.fields import (
    DNS,
    HOST,
    HTTP,
    KIND,
    METHOD,
    NAME,
    OTHER,
    PATH,
    SNI,
    Diagram,
    Field,
    Fork,
    Part,
)
from cloison.algebra.flat import FlatRequests, flattened, raised
from cloison.algebra.strings import StringSet
from cloison.algebra.told import told
from cloison.algebra.values import ABSENT, ANY_TEXT, PRESENT, Values


@dataclass(frozen=True, slots=True)
class Request:
    """One request, or as much of it as is known.

    Args:
        kind: `http`, `dns` or `other`; None where only TLS is known, which may hold HTTP or not.
        method: Of HTTP, in the case it is sent in.
        path: Of HTTP, with its query, as it is sent.
        host: Of HTTP: the authority, with its port if that is sent.
        headers: Of HTTP: names in small letters with their values, or None for one left out.
        sni: The name that TLS is opened with.
        name: What DNS is asked for, in small letters, without the last dot.
    """

    kind: str | None = HTTP
    method: str | None = None
    path: str | None = None
    host: str | None = None
    headers: tuple[tuple[str, str | None], ...] = ()
    sni: str | None = None
    name: str | None = None

    def fields(self) -> Iterator[tuple[Field, str | None]]:
        """Iterate over the fields that are told, with None for a header that is left out."""
        if self.kind is not None:
            yield KIND, self.kind
        parts = ((METHOD, self.method), (PATH, self.path), (HOST, self.host))
        for field, value in (*parts, (SNI, self.sni), (NAME, self.name)):
            if value is not None:
                yield field, value
        for name, value in self.headers:
            yield Field(Part.HEADER, name.lower()), value

    def __str__(self) -> str:
        """Render as people write it: `GET /a, host x, x-role: admin`."""
        if self.kind == DNS:
            return f"DNS {self.name or '.'}"
        first = " ".join(each for each in (self.method, self.path) if each is not None)
        parts = [first or _UNSAID[self.kind]]
        parts += [f"host {self.host}"] if self.host is not None else []
        parts += [f"{k}: {v}" if v is not None else f"no {k}" for k, v in self.headers]
        parts += [f"SNI {self.sni}"] if self.sni is not None else []
        return ", ".join(parts)


_UNSAID = {HTTP: "HTTP", OTHER: "neither HTTP nor DNS", None: "TLS"}


class RequestSet:
    """A set of requests, always canonical, so equality is set equality. Immutable.

    Requests are told apart by their kind, an HTTP request by method, path, host and headers, a
    DNS query by the name, and anything but DNS by the name that TLS was opened with. Operations
    are bounded as those of `StringSet` are, and raise `TooLargeError` beyond the bound.

    >>> api = RequestSet.http(method=StringSet.of("GET"), path=StringSet.pattern("/api/.*"))
    >>> pay = RequestSet.http(StringSet.of("POST"), StringSet.of("/payments/reservations"))
    >>> str(api | pay)
    'GET /api/.* or POST /payments/reservations'
    >>> pay <= api, str((api - pay).example())
    (False, 'GET /api/')
    """

    __slots__ = ("_diagram", "_hash", "_text")

    _diagram: Diagram
    _hash: int
    _text: str | None

    @classmethod
    def _of(cls, diagram: Diagram) -> "RequestSet":
        new = cls.__new__(cls)
        new._diagram = diagram
        new._hash = hash(diagram)
        new._text = None
        return new

    @classmethod
    def _box(cls, kinds: tuple[str, ...], wanted: Mapping[Field, Values]) -> "RequestSet":
        return cls._of(fields.box({KIND: fields.KINDS[kinds], **wanted}, Budget()))

    @classmethod
    def http(
        cls,
        method: StringSet | None = None,
        path: StringSet | None = None,
        host: StringSet | None = None,
        headers: Mapping[str, Values] | None = None,
    ) -> "RequestSet":
        """Return HTTP requests whose parts are each in a set; None asks nothing of a part.

        Args:
            method: In the case that is sent.
            path: As it is sent, with the query.
            host: The authority as it is sent; see `StringSet.any_case`.
            headers: What each header may hold; repeats of one are joined with commas.
        """
        wanted = {METHOD: method, PATH: path, HOST: host}
        values = {field: Values.of(texts) for field, texts in wanted.items() if texts is not None}
        for name, each in (headers or {}).items():
            field = Field(Part.HEADER, name.lower())
            known = values.get(field)
            values[field] = each if known is None else each.meet(known, Budget())
        return cls._box((HTTP,), values)

    @classmethod
    def grpc(cls, service: StringSet, method: StringSet | None = None) -> "RequestSet":
        r"""Return calls of methods of services; None for every method.

        They are HTTP requests: `POST /package.Service/Method`.

        >>> str(RequestSet.grpc(StringSet.of("shop.Cart"), StringSet.of("Add")))
        'POST /shop\\.Cart/Add'
        """
        slash = StringSet.of("/")
        path = slash + service + slash + (_SEGMENT if method is None else method)
        return cls.http(StringSet.of("POST"), path)

    @classmethod
    def sni(cls, names: StringSet) -> "RequestSet":
        """Return what goes through TLS that was opened with one of some names."""
        return cls._box((HTTP, OTHER), {SNI: Values.of(names)})

    @classmethod
    def dns(cls, names: StringSet) -> "RequestSet":
        """Return queries for names, in small letters and without the last dot."""
        return cls._box((DNS,), {NAME: Values.of(names)})

    @classmethod
    def unpacked(cls, flat: FlatRequests) -> "RequestSet":
        """Return the set that was packed.

        >>> read = RequestSet.http(StringSet.of("GET"), StringSet.pattern("/v1/.*"))
        >>> RequestSet.unpacked(read.packed()) == read
        True
        """
        return cls._of(raised(flat))

    def packed(self) -> FlatRequests:
        """Return it as plain tuples, which travel to other processes."""
        return flattened(self._diagram)

    @property
    def asks_of_tls(self) -> bool:
        """Whether it tells requests apart by the name that TLS was opened with."""
        return any(fork.part == Part.SNI for fork in self.packed().forks)

    @classmethod
    def of(cls, request: Request) -> "RequestSet":
        """Return all requests that a request may be of which only a part is known."""
        told_of = request.fields()
        wanted = {f: ABSENT if v is None else Values(StringSet.of(v)) for f, v in told_of}
        return cls._box((HTTP, OTHER) if request.kind is None else (request.kind,), wanted)

    def given(self, request: Request) -> "RequestSet":
        """Return what else is asked of a request of which a part is told.

        >>> read = RequestSet.http(StringSet.of("GET"), StringSet.pattern("/v1/.*"))
        >>> str(read.given(Request(method="GET"))), str(read.given(Request(path="/")))
        ('(any method) /v1/.*', 'none')
        """
        return self._of(fields.given(self._diagram, dict(request.fields())))

    def __or__(self, other: "RequestSet") -> "RequestSet":
        """Return the union."""
        found = fields.combined(self._diagram, other._diagram, lambda a, b: a or b, Budget())
        return self._of(found)

    def __and__(self, other: "RequestSet") -> "RequestSet":
        """Return the intersection."""
        found = fields.combined(self._diagram, other._diagram, lambda a, b: a and b, Budget())
        return self._of(found)

    def __sub__(self, other: "RequestSet") -> "RequestSet":
        """Return the requests that are not in `other`."""
        found = fields.combined(self._diagram, other._diagram, lambda a, b: a and not b, Budget())
        return self._of(found)

    def __invert__(self) -> "RequestSet":
        """Return all other requests."""
        return self._of(fields.opposite(self._diagram))

    def __le__(self, other: "RequestSet") -> bool:
        """Return whether every request is in `other`."""
        return not self - other

    def __ge__(self, other: "RequestSet") -> bool:
        """Return whether every request of `other` is in this set."""
        return not other - self

    def isdisjoint(self, other: "RequestSet") -> bool:
        """Return whether the two sets share no request."""
        return not self & other

    def __contains__(self, request: Request) -> bool:
        """Return whether a request is in the set of which everything is told.

        Headers and the name in TLS that are not told are left out, other parts are empty. Of a
        request that is known in part, ask `answers`.

        >>> Request(method="GET", path="/a") in RequestSet.http(StringSet.of("GET"))
        True
        """
        told_of = dict(request.fields())
        diagram = self._diagram
        while isinstance(diagram, Fork):
            value = told_of.get(diagram.field)
            if value is None and not diagram.field.everything.absent:
                value = ""
            diagram = next(rest for values, rest in diagram.arms if values.holds(value))
        return diagram

    def holds(self, request: Request) -> bool | None:
        """Return whether a request is in the set; None where that depends on what is not told.

        As `answers` of all that it may be, and a good deal quicker.

        >>> read = RequestSet.http(StringSet.of("GET"))
        >>> read.holds(Request(method="GET", path="/")), read.holds(Request(path="/"))
        (True, None)
        """
        told_of: dict[Field, tuple[str | None, ...]] = {f: (v,) for f, v in request.fields()}
        told_of.setdefault(KIND, (HTTP, OTHER))
        found: set[bool] = set()
        seen: set[int] = set()
        waiting = [self._diagram]
        while waiting and len(found) < len((True, False)):
            diagram = waiting.pop()
            if isinstance(diagram, bool):
                found.add(diagram)
            elif id(diagram) not in seen:
                seen.add(id(diagram))
                asked = told_of.get(diagram.field)
                waiting += (
                    rest
                    for values, rest in diagram.arms
                    if asked is None or any(map(values.holds, asked))
                )
        return found.pop() if len(found) == 1 else None

    def answers(self, asked: "RequestSet") -> bool | None:
        """Return whether what is asked about is in the set; None where part is, and part is not.

        >>> read = RequestSet.http(StringSet.of("GET"))
        >>> read.answers(RequestSet.of(Request(method="GET", path="/")))
        True
        >>> read.answers(RequestSet.of(Request(path="/"))) is None
        True
        """
        if asked <= self:
            return True
        return False if asked.isdisjoint(self) else None

    def __bool__(self) -> bool:
        """Return whether any request is in the set."""
        return self._diagram is not False

    def __eq__(self, other: object) -> bool:
        """Return whether both sets have the same requests."""
        return isinstance(other, RequestSet) and self._diagram == other._diagram

    def __hash__(self) -> int:
        """Hash by requests."""
        return self._hash

    def example(self) -> Request | None:
        """Return a request of the set, with all that makes it one; None where there is none."""
        found: dict[Field, str | None] = {}
        diagram = self._diagram
        while isinstance(diagram, Fork):
            values, rest = next(arm for arm in diagram.arms if arm[1] is not False)
            found[diagram.field] = values.example()
            diagram = rest
        if not diagram:
            return None
        kind = found.get(KIND) or HTTP
        if kind == HTTP:
            found = {METHOD: "GET", PATH: "/", **found}
        headers = tuple((f.name, v) for f, v in sorted(found.items()) if f.part is Part.HEADER)
        return Request(
            kind,
            found.get(METHOD),
            found.get(PATH),
            found.get(HOST),
            headers,
            found.get(SNI),
            found.get(NAME),
        )

    def __str__(self) -> str:
        """Render as boxes of which a request is in one or more: `GET /a or POST /b`, `none`.

        Each part is a regular expression, or words in parentheses.

        >>> str(~RequestSet.http(StringSet.of("GET")))
        '(not GET) (any path) or anything but HTTP'
        """
        if self._text is None:
            self._text = self._written()
        return self._text

    def _written(self) -> str:
        if isinstance(self._diagram, bool):
            return "any" if self._diagram else "none"
        try:
            return " or ".join(sorted(map(told, fields.boxes(self._diagram, Budget()))))
        except TooLargeError:
            return f"<many requests, such as {self.example()}>"

    def __repr__(self) -> str:
        """Render for those who debug."""
        return f"<RequestSet {self}>"


_SEGMENT = StringSet.pattern("[^/]+")
NO_REQUESTS = RequestSet._of(diagram=False)
"""The empty set."""
EVERY_REQUEST = RequestSet._of(diagram=True)
"""All requests."""

__all__ = ["ANY_TEXT", "EVERY_REQUEST", "NO_REQUESTS", "PRESENT", "Request", "RequestSet"]
