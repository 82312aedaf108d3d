"""Faults planted in what packet filters are told, which a kernel that does so must show."""

from tests.mutation.plant import Fault

_LAB = ("tests/lab/test_random_worlds.py::test_a_kernel_does_what_the_engine_says",)

FILTERS = (
    Fault(
        "who is entered is asked before who is left",
        "dialects/nftables/write.py",
        '"forward": (_PODS_OUT, _PODS_IN)',
        '"forward": (_PODS_IN, _PODS_OUT)',
        _LAB,
    ),
    Fault(
        "what is handed on is let through",
        "dialects/nftables/chains.py",
        '    Action.PASS: "return",\n    Action.LOG',
        '    Action.PASS: "accept",\n    Action.LOG',
        _LAB,
    ),
    Fault(
        "ports that traffic comes from are taken for those it goes to",
        "dialects/nftables/matches.py",
        'asked = (("sport", sources[number]), ("dport", traffic[number]))',
        'asked = (("dport", sources[number]), ("sport", traffic[number]))',
        _LAB,
    ),
    Fault(
        "filters are not told which ports traffic must come from",
        "engine/resolve.py",
        "            rule.sources,\n            rule.tracked,",
        "            None,\n            rule.tracked,",
        _LAB,
    ),
    Fault(
        "filters are not told of a tier whose end lets through",
        "engine/resolve.py",
        "    elif tier.end is not None and closing:",
        "    elif False:",
        ("tests/lab/test_conformance_on_kernel.py", *_LAB),
    ),
)
