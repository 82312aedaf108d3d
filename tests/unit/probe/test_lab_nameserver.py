"""What the lab's DNS server answers."""

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from cloison.probe.lab.nameserver import Names

NAMES = Names(
    {
        "api.web.svc.cluster.local": ("10.96.0.1", "fd02::1"),
        "four.example.org": ("203.0.113.1",),
    }
)


def ask(name: str, kind: str) -> dns.message.Message:
    found = NAMES.answer(dns.message.make_query(name, kind).to_wire())
    assert found is not None
    return dns.message.from_wire(found.to_wire())


def addresses(message: dns.message.Message) -> list[str]:
    return [record.to_text() for rrset in message.answer for record in rrset]


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("api.web.svc.cluster.local", "A", ["10.96.0.1"]),
        ("API.Web.svc.cluster.local.", "AAAA", ["fd02::1"]),
        ("four.example.org", "AAAA", []),
        ("four.example.org", "TXT", []),
    ],
)
def test_known_names(name: str, kind: str, expected: list[str]) -> None:
    message = ask(name, kind)
    assert message.rcode() == dns.rcode.NOERROR
    assert addresses(message) == expected
    assert message.flags & dns.flags.AA


def test_unknown_names() -> None:
    assert ask("nobody.example.org", "A").rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("junk", [b"", b"cloison\n", b"\x00" * 11, b"\xff" * 512])
def test_what_is_no_question_gets_no_answer(junk: bytes) -> None:
    assert NAMES.answer(junk) is None


def test_an_answer_is_no_question() -> None:
    query = dns.message.make_query("four.example.org", "A")
    assert NAMES.answer(dns.message.make_response(query).to_wire()) is None
