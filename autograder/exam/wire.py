"""Messages between the exam's processes: length-limited msgpack over a socket, and nothing else.

The receiver trusts neither the length nor the content: a frame that is too long, cut short or not a plain
dict ends the conversation with `Lost`.
"""

from __future__ import annotations

import array
import os
import select
import socket
import struct
import time
from typing import Any

import msgpack

_LENGTH = struct.Struct("!I")
_DEPTH = 32
_PIECE = 1 << 20
_ITEMS = 2_000_000


class Lost(Exception):
    """The other side is gone, or does not keep to the form; `late` when it merely took too long."""

    def __init__(self, why: str, late: bool = False):
        super().__init__(why)
        self.late = late


class Channel:
    """One end of a conversation in dicts; `limit` is the most bytes of one message."""

    def __init__(self, end: socket.socket, limit: int):
        self._end = end
        self._limit = limit
        self._end.setblocking(False)

    @classmethod
    def of(cls, descriptor: int, limit: int) -> Channel:
        """Return a channel over an inherited descriptor."""
        return cls(socket.socket(fileno=descriptor), limit)

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._end.fileno()

    def close(self) -> None:
        """End the conversation."""
        self._end.close()

    def send(self, message: dict[str, Any], seconds: float = 60.0, pass_on: tuple[int, ...] = ()) -> None:
        """Send one message, with descriptors if any; Lost when the other side does not take it in time."""
        body = msgpack.packb(message, use_bin_type=True)
        if len(body) > self._limit:
            raise Lost(f"a message of {len(body):,} bytes is longer than {self._limit:,}")
        data = memoryview(_LENGTH.pack(len(body)) + body)
        end = time.monotonic() + seconds
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", pass_on))] if pass_on else []
        try:
            while data:
                self._wait(end, writing=True)
                try:
                    sent = self._end.sendmsg([data[:_PIECE]], rights)
                except BlockingIOError:
                    continue
                rights = []
                data = data[sent:]
        except OSError as error:
            raise Lost(f"the other side is gone ({error.strerror})") from error

    def receive(self, seconds: float, descriptors: list[int] | None = None) -> dict[str, Any]:
        """Return the next message; descriptors that come with it are appended, or closed when not wanted."""
        end = time.monotonic() + seconds
        length = _LENGTH.unpack(self._read(_LENGTH.size, end, descriptors))[0]
        if length > self._limit:
            raise Lost(f"a message of {length:,} bytes was announced, more than {self._limit:,}")
        return unpack(self._read(length, end, descriptors))

    def _read(self, size: int, end: float, descriptors: list[int] | None) -> bytes:
        # One buffer: a sender who sends a byte at a time would make a million pieces.
        body = bytearray()
        while len(body) < size:
            self._wait(end, writing=False)
            try:
                room = socket.CMSG_SPACE(8 * array.array("i").itemsize) if descriptors is not None else 0
                piece, extra, _, _ = self._end.recvmsg(min(size - len(body), _PIECE), room)
            except BlockingIOError:
                continue
            except OSError as error:
                raise Lost(f"the other side is gone ({error.strerror})") from error
            for level, kind, data in extra:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    found = array.array("i")
                    found.frombytes(data[: len(data) - len(data) % found.itemsize])
                    descriptors.extend(found)
            if not piece:
                raise Lost("the other side is gone")
            body += piece
        return bytes(body)

    def _wait(self, end: float, writing: bool) -> None:
        left = end - time.monotonic()
        poll = select.poll()
        poll.register(self._end, select.POLLOUT if writing else select.POLLIN)
        if left <= 0 or not poll.poll(1000 * left):
            raise Lost("the other side took too long", late=True)


def unpack(body: bytes) -> dict[str, Any]:
    """Return the dict that a frame holds; Lost for anything else, msgpack's own extensions included."""
    left = _ITEMS

    def count(container: Any) -> Any:
        """Stop at more members than any honest message has: each takes far more memory than its bytes."""
        nonlocal left
        left -= 1 + len(container)
        if left < 0:
            raise ValueError("too many items")
        return container

    try:
        # max_buffer_size also bounds every length that the frame announces.
        unpacker = msgpack.Unpacker(
            raw=False,
            strict_map_key=True,
            max_buffer_size=max(len(body), 1),
            max_array_len=_ITEMS,
            max_map_len=_ITEMS,
            list_hook=count,
            object_hook=count,
            ext_hook=_no_extension,
            timestamp=0,
            use_list=True,
        )
        unpacker.feed(body)
        message = unpacker.unpack()
        if unpacker.tell() != len(body):
            raise ValueError("more than one value")
    except Exception as error:
        raise Lost(f"a message could not be read ({type(error).__name__})") from error
    if not isinstance(message, dict) or not _shallow(message):
        raise Lost("a message was not a plain dict")
    return message


def _no_extension(code: int, data: bytes) -> None:
    raise ValueError(f"extension {code}")


def _shallow(message: dict[str, Any]) -> bool:
    """Tell whether nothing in a message is nested deeper than any honest one, without recursion."""
    waiting: list[tuple[Any, int]] = [(message, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, (dict, list)):
            if depth >= _DEPTH:
                return False
            parts = value.values() if isinstance(value, dict) else value
            waiting.extend((part, depth + 1) for part in parts)
        elif isinstance(value, msgpack.Timestamp):
            return False
    return True


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends that a fork or a message can hand on."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def close_quietly(*descriptors: int) -> None:
    """Close descriptors, whether or not they are still open."""
    for descriptor in descriptors:
        try:
            os.close(descriptor)
        except OSError:
            continue
