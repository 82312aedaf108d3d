"""The parts of the prober that need no kernel: packets, errors, and how long it waits."""

import asyncio
import errno
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from cloison.probe.lab import sctp
from cloison.probe.lab.attention import CAUTION, FLOOR, LAST, TICK, Attention, Patience, Turnstile
from cloison.probe.lab.unreachable import Notice, from_error


def test_the_checksum_is_that_of_the_standard() -> None:
    """RFC 3720, appendix B.4, whose checksum RFC 9260 takes over."""
    assert sctp.crc32c(bytes(32)) == 0x8A9136AA
    assert sctp.crc32c(b"\xff" * 32) == 0x62A8AB43
    assert sctp.crc32c(bytes(range(32))) == 0x46DD794E


def test_an_init_has_the_layout_of_the_standard() -> None:
    """RFC 9260, sections 3.1 and 3.3.2: twelve bytes, and a chunk of twenty with tag 0 outside."""
    packet = sctp.asking(40000, 5060, 7).encoded()
    assert len(packet) == 32
    assert packet[:8] == bytes.fromhex("9c40 13c4 00000000")
    assert packet[12:20] == bytes.fromhex("01 00 0014 00000007")


def test_packets_are_read_as_they_were_written() -> None:
    asked = sctp.asking(40000, 5060, 7)
    assert sctp.decode(asked.encoded()) == asked
    answered = sctp.answer(asked, b"web 10.0.0.1 40000\n")
    assert answered is not None
    read = sctp.decode(answered.encoded())
    assert read is not None
    assert (read.source_port, read.port, read.tag, read.kind) == (5060, 40000, 7, sctp.INIT_ACK)
    assert read.cookie == b"web 10.0.0.1 40000\n"
    assert read.initiate_tag != 0


def test_a_port_that_is_not_served_aborts() -> None:
    answered = sctp.answer(sctp.asking(40000, 5060, 7), None)
    assert answered == sctp.Packet(5060, 40000, 7, sctp.ABORT)


def test_only_an_init_is_answered() -> None:
    asked = sctp.asking(40000, 5060, 7)
    for kind in (sctp.INIT_ACK, sctp.ABORT, 0, 255):
        assert sctp.answer(replace(asked, kind=kind), b"") is None
    assert sctp.answer(replace(asked, body=b""), b"") is None
    assert sctp.answer(sctp.asking(40000, 5060, 0), b"") is None


def test_what_is_damaged_is_nothing() -> None:
    packet = sctp.asking(40000, 5060, 7).encoded()
    for place in range(len(packet)):
        assert sctp.decode(packet[:place]) is None
        assert (
            sctp.decode(packet[:place] + bytes([packet[place] ^ 1]) + packet[place + 1 :]) is None
        )


@pytest.mark.parametrize("length", [0, 1, 3, 4, 7, 0xFFFF])
def test_a_cookie_that_lies_about_its_length(length: int) -> None:
    answered = sctp.answer(sctp.asking(1, 2, 7), b"")
    assert answered is not None
    body = answered.body[:16] + b"\x00\x01" + length.to_bytes(2, "big") + bytes(5)
    assert replace(answered, body=body).cookie == b""


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (errno.ECONNREFUSED, "refused"),
        (errno.ENETUNREACH, "no-route"),
        (errno.EHOSTUNREACH, "no-route"),
        (errno.EACCES, "no-route"),
        (errno.EINVAL, "no-route"),
        (errno.EPERM, "dropped"),
        (errno.EMFILE, "failed"),
        (errno.EADDRNOTAVAIL, "failed"),
    ],
)
def test_errors_of_the_system(number: int, outcome: str) -> None:
    result = from_error(number)
    assert result.outcome == outcome
    assert result.detail


@pytest.mark.parametrize(
    ("notice", "outcome"),
    [
        (Notice(4, 3, 3, "10.0.0.2"), "refused"),
        (Notice(4, 3, 2, "10.0.0.2"), "refused"),
        (Notice(4, 3, 3, "10.0.0.1"), "no-route"),
        (Notice(4, 3, 13, "10.0.0.2"), "no-route"),
        (Notice(4, 3, 0, "10.0.0.1"), "no-route"),
        (Notice(4, 3, 3, ""), "no-route"),
    ],
)
def test_only_the_target_itself_can_refuse(notice: Notice, outcome: str) -> None:
    assert notice.measured("10.0.0.2").outcome == outcome


def test_an_address_may_be_written_in_two_ways() -> None:
    assert Notice(6, 1, 4, "fd00::2").measured("fd00:0::2").outcome == "refused"
    assert Notice(6, 4, 1, "fd00::2").measured("fd00::2").outcome == "refused"


class Stepping(asyncio.SelectorEventLoop):
    """A loop whose time passes when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def time(self) -> float:
        return self.seconds

    def step(self, seconds: float) -> None:
        """Let time pass, and everybody who waited for it have one turn."""
        self.seconds += seconds
        self.call_soon(self.stop)
        self.run_forever()


@pytest.fixture
def loop() -> Iterator[Stepping]:
    stepping = Stepping()
    yield stepping
    stepping.close()


def test_time_in_which_nobody_attended_does_not_count(loop: Stepping) -> None:
    clock = Attention(loop)
    heard: asyncio.Future[bool] = loop.create_future()
    clock.alarm(FLOOR, heard)
    loop.step(60)
    assert not heard.done()
    assert clock.now == pytest.approx(2 * TICK)
    assert clock.lateness == pytest.approx(60 - TICK)
    turns = 1
    while not heard.done():
        loop.step(60)
        turns += 1
    assert turns >= FLOOR / TICK / 2
    assert heard.result() is False


def test_an_answer_in_time_is_left_alone(loop: Stepping) -> None:
    clock = Attention(loop)
    heard: asyncio.Future[bool] = loop.create_future()
    clock.alarm(FLOOR, heard)
    loop.step(TICK)
    heard.set_result(True)
    for _ in range(100):
        loop.step(TICK)
    assert heard.result() is True
    # Nobody waits any more, so nobody looks.
    assert clock.now == pytest.approx(2 * TICK)


def test_waits_learn_from_answers_within_bounds(loop: Stepping) -> None:
    wait = Patience(1.0, Attention(loop))
    wait.answered(0.0001)
    assert wait.wait(last=False) == FLOOR
    wait.answered(0.05)
    wait.answered(0.0001)
    assert wait.wait(last=False) == pytest.approx(CAUTION * 0.05)
    assert wait.wait(last=True) == pytest.approx(LAST * CAUTION * 0.05)
    wait.answered(10.0)
    assert wait.wait(last=False) == 1.0


def test_so_many_at_once_and_the_rest_in_order(loop: Stepping) -> None:
    gate = Turnstile(loop, 3)
    through: list[int] = []

    async def pass_(number: int) -> None:
        await gate.passed()
        through.append(number)

    tasks = [loop.create_task(pass_(number)) for number in range(8)]
    tasks[4].cancel()
    seen = []
    while not all(task.done() for task in tasks):
        loop.step(0)
        seen.append(len(through))
    assert through == [0, 1, 2, 3, 5, 6, 7]
    assert max(b - a for a, b in pairwise([0, *seen])) == 3
