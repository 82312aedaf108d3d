"""Flows picked by filters: what was asked is understood, or refused."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from cloison.base import QuestionError
from cloison.flows.query import Filters, query
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.writer import writer
from tests.support.hubble import lines


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("query")
    (top / "log").write_bytes(lines(0, 60))
    with writer(top / "store") as held:
        ingest(held, top / "log", Wanted())
    return top / "store"


@pytest.mark.parametrize("said", ["TCP", "tcp", "Tcp", "6"])
def test_protocols_by_name_in_either_case_and_by_number(store: Path, said: str) -> None:
    assert query(store, Filters(protocol=said)).num_rows == 60


def test_a_protocol_that_nothing_used(store: Path) -> None:
    assert query(store, Filters(protocol="udp")).num_rows == 0
    assert query(store, Filters(protocol="47")).num_rows == 0


@pytest.mark.parametrize("said", ["BOGUS", "256", "", "any", "-1"])
def test_what_is_no_protocol_is_refused(store: Path, said: str) -> None:
    with pytest.raises(QuestionError, match="is no protocol"):
        query(store, Filters(protocol=said))


@pytest.mark.parametrize(
    "block", ["10.0.0.0/24", "10.0.0.2/31", "10.0.0.3/32", "10.0.0.3", "10.0.0.3/30", "fd00::/8"]
)
def test_ends_by_blocks_of_addresses(store: Path, block: str) -> None:
    sources = [str(ip) for ip in query(store, Filters())["src_ip"].to_pylist()]
    within = [ip for ip in sources if ip_address(ip) in ip_network(block, strict=False)]
    found = [str(ip) for ip in query(store, Filters(src=block))["src_ip"].to_pylist()]
    assert sorted(found) == sorted(within)
    assert query(store, Filters(dst=block)).num_rows == 0


def test_blocks_and_other_filters_together(store: Path) -> None:
    every = query(store, Filters()).to_pylist()
    wanted = Filters(src="10.0.0.0/30", dst="10.0.1.4/30", verdicts=("denied",))
    expected = [
        row["obs_id"]
        for row in every
        if ip_address(row["src_ip"]) in ip_network("10.0.0.0/30")
        and ip_address(row["dst_ip"]) in ip_network("10.0.1.4/30")
        and row["verdict"] == "denied"
    ]
    assert [row["obs_id"] for row in query(store, wanted).to_pylist()] == expected


@pytest.mark.parametrize("said", ["a/b/c", "/x", "shop/", "10.0.0.0/33", "fd00::/129"])
def test_what_names_no_end_is_refused(store: Path, said: str) -> None:
    with pytest.raises(QuestionError, match="names no end"):
        query(store, Filters(src=said))
