"""A world made to be hard: nothing in it is alike, and everything overlaps.

Blocks of addresses nest and overlap, with holes; port ranges overlap at their ends; selectors say
what must not be, so that nearly everybody is meant by nearly every policy.
"""

from collections.abc import Iterator

from benchmarks.worlds.manifests import Manifest, below, namespace, pod, policy

HOMES = 20
"""Namespaces."""
KEYS = ("app", "tier", "track", "zone", "owner", "cost")
VALUES = (97, 5, 3, 7, 31, 13)
"""How many values each key has."""
_NARROW = 28
"""From here on blocks have no holes."""
_OPERATORS = ("NotIn", "DoesNotExist", "In", "Exists")


def adversarial(pods: int, policies: int | None = None) -> Iterator[Manifest]:
    """Return pods and policies of chance.

    Args:
        pods: How many pods.
        policies: How many policies; as many as pods when not given.
    """
    for number in range(HOMES):
        labels = {"env": ("prod", "test", "dev")[number % 3], "team": f"t{number % 7}"}
        yield namespace(f"mixed-{number}", labels)
    for number in range(pods if policies is None else policies):
        yield _policy(number, pods)
    for number in range(pods):
        labels = {
            key: f"v{below(VALUES[place], number, place)}"
            for place, key in enumerate(KEYS)
            if below(5, number, 100 + place)
        }
        declared = [
            {"name": f"p{one}", "containerPort": 8000 + below(2000, number, 40 + one)}
            for one in range(below(3, number, 39))
        ]
        home = f"mixed-{below(HOMES, number, 30)}"
        yield pod(home, f"pod-{number:05d}", labels, number, ports=declared)


def _policy(number: int, pods: int) -> Manifest:
    rules = [
        [
            {
                "from" if not place else "to": [
                    _peer(number * 4 + one, 7 * place + 3 * rule, pods)
                    for one in range(1 + below(3, number, 50 + rule))
                ],
                "ports": [
                    _port(number * 4 + one, 60 + 7 * place + rule)
                    for one in range(1 + below(3, number, 70 + rule))
                ],
            }
            for rule in range(1 + below(2, number, 80 + place))
        ]
        for place in (0, 1)
    ]
    types = (["Ingress"], ["Ingress", "Egress"], ["Egress"])[below(3, number, 90)]
    home = f"mixed-{below(HOMES, number, 91)}"
    ingress = rules[0] if "Ingress" in types else None
    egress = rules[1] if "Egress" in types else None
    return policy(home, f"np-{number:05d}", _selector(number, 92), ingress, egress, types)


def _peer(number: int, salt: int, pods: int) -> Manifest:
    match below(4, number, 200 + salt):
        case 0:
            return {"podSelector": _selector(number, 210 + salt)}
        case 1:
            return {"namespaceSelector": _homes(number, 220 + salt)}
        case 2:
            homes = _homes(number, 230 + salt)
            return {"namespaceSelector": homes, "podSelector": _selector(number, 240 + salt)}
    return {"ipBlock": _block(number, 250 + salt, pods)}


def _selector(number: int, salt: int) -> Manifest:
    """Return a selector whose expressions mostly say what is not."""
    terms = []
    first = below(len(KEYS), number, 300 + salt)
    for one in range(1 + below(2, number, 310 + salt)):
        place = (first + one) % len(KEYS)
        operator = _OPERATORS[below(len(_OPERATORS), number, 320 + salt + one)]
        term: Manifest = {"key": KEYS[place], "operator": operator}
        if operator in {"In", "NotIn"}:
            start = below(VALUES[place], number, 330 + salt + one)
            count = 1 + below(max(1, VALUES[place] // 2), number, 340 + salt + one)
            term["values"] = [f"v{(start + more) % VALUES[place]}" for more in range(count)]
        terms.append(term)
    return {"matchExpressions": terms}


def _homes(number: int, salt: int) -> Manifest:
    if below(2, number, 400 + salt):
        team = f"t{below(7, number, 410 + salt)}"
        return {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": [team]}]}
    env = ("prod", "test", "dev")[below(3, number, 420 + salt)]
    return {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": [env]}]}


def _block(number: int, salt: int, pods: int) -> Manifest:
    """Return a block around the address of some pod, or outside, with a hole."""
    inside = below(3, number, 500 + salt)
    width = 9 + below(20, number, 510 + salt)
    first = (10 << 24) + (64 << 16) + below(pods, number, 520 + salt)
    if not inside:
        first = (198 << 24) + (18 << 16) + below(1 << 17, number, 530 + salt)
    block: Manifest = {"cidr": _cidr(first, width)}
    if width < _NARROW and below(2, number, 540 + salt):
        hole = width + 1 + below(32 - width, number, 550 + salt)
        step = below(1 << (32 - width), number, 560 + salt)
        block["except"] = [_cidr((first >> (32 - width) << (32 - width)) + step, hole)]
    return block


def _cidr(point: int, width: int) -> str:
    start = point >> (32 - width) << (32 - width)
    return ".".join(str(start >> shift & 255) for shift in (24, 16, 8, 0)) + f"/{width}"


def _port(number: int, salt: int) -> Manifest:
    protocol = ("TCP", "UDP", "SCTP")[max(0, below(6, number, 600 + salt) - 3)]
    match below(4, number, 610 + salt):
        case 0:
            return {"protocol": protocol, "port": f"p{below(3, number, 620 + salt)}"}
        case 1:
            return {"protocol": protocol, "port": 8000 + below(2000, number, 630 + salt)}
    start = 7000 + below(3000, number, 640 + salt)
    end = start + 1 + below(1500, number, 650 + salt)
    return {"protocol": protocol, "port": start, "endPort": end}
