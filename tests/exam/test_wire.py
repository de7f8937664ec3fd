"""Frames between processes: what arrives is a plain dict or the end of the conversation, nothing else."""

import os
import socket
import struct
import threading
import time

import msgpack
import pytest
from fuzz_wire import fuzz_frames

from autograder.exam.wire import Channel, Lost, pair, unpack


@pytest.fixture
def ends():
    ours, theirs = pair()
    yield Channel(ours, 10_000), theirs
    ours.close()
    theirs.close()


def frame(body, length=None):
    return struct.pack("!I", len(body) if length is None else length) + body


def test_what_is_sent_arrives(ends):
    channel, theirs = ends
    other = Channel(theirs, 10_000)
    other.send({"value": b"\x00\xff", "text": "\u00e9", "number": 2**60, "list": [1, None, True, 1.5]})
    assert channel.receive(1) == {
        "value": b"\x00\xff",
        "text": "\u00e9",
        "number": 2**60,
        "list": [1, None, True, 1.5],
    }


def test_a_message_longer_than_the_pipe_arrives_whole():
    ours, theirs = pair()
    one, other = Channel(ours, 1 << 26), Channel(theirs, 1 << 26)
    message = {"value": os.urandom(20_000_000)}
    thread = threading.Thread(target=one.send, args=(message,))
    thread.start()
    assert other.receive(20) == message
    thread.join()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (frame(b"x", length=2**32 - 1), "more than"),
        (frame(b"\xc1"), "could not be read"),
        (frame(b"\x93\x01\x02\x03"), "plain dict"),
        (frame(msgpack.packb({"a": 1}) * 2), "could not be read"),
        (frame(msgpack.packb({"a": msgpack.ExtType(5, b"boo")})), "could not be read"),
        (frame(msgpack.packb({"a": msgpack.Timestamp(1)})), "plain dict"),
        (frame(b"\xdf\xff\xff\xff\xff"), "could not be read"),
        (frame(b"\x81\xa1a" + b"\x91" * 2000 + b"\xc0"), "could not be read|plain dict"),
        (frame(b"\x81\xa1a\xa2\xff\xff"), "could not be read"),
        (frame(msgpack.packb({1: 2})), "could not be read"),
        (frame(msgpack.packb({"a": 1}))[:3], "gone"),
    ],
)
def test_a_frame_out_of_form_ends_the_conversation(ends, sent, why):
    channel, theirs = ends
    theirs.sendall(sent)
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(Lost, match=why):
        channel.receive(1)


def test_a_frame_that_drips_is_cut_off_by_our_own_clock(ends):
    channel, theirs = ends
    stop = threading.Event()

    def drip():
        theirs.sendall(struct.pack("!I", 5000))
        while not stop.wait(0.02):
            theirs.send(b"\xc0")

    thread = threading.Thread(target=drip)
    thread.start()
    start = time.monotonic()
    with pytest.raises(Lost) as lost:
        channel.receive(0.5)
    stop.set()
    thread.join()
    assert lost.value.late
    assert time.monotonic() - start < 2


def test_one_who_never_reads_does_not_hold_the_sender():
    ours, theirs = pair()
    channel = Channel(ours, 1 << 26)
    with pytest.raises(Lost) as lost:
        channel.send({"value": bytes(10_000_000)}, seconds=0.3)
    assert lost.value.late
    theirs.close()


def test_descriptors_that_were_not_asked_for_do_not_come_through(ends):
    channel, theirs = ends
    reading, writing = os.pipe()
    before = len(os.listdir("/proc/self/fd"))
    socket.send_fds(theirs, [frame(msgpack.packb({"a": 1}))], [reading, writing])
    assert channel.receive(1) == {"a": 1}
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(reading)
    os.close(writing)


def test_a_message_over_the_limit_is_not_sent(ends):
    with pytest.raises(Lost, match="longer than"):
        ends[0].send({"value": bytes(20_000)})


def test_random_and_mutated_frames_never_do_anything_else():
    assert fuzz_frames(5_000, seed=1) == 5_000


def test_deep_nesting_within_the_limit_is_refused():
    value = 1
    for _ in range(40):
        value = [value]
    with pytest.raises(Lost):
        unpack(msgpack.packb({"a": value}))
