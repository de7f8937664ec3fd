"""The format: scalars as msgpack has them, everything else a msgpack array `[tag, field, ...]`.

Maps and extension types do not occur. A run of items is two fields: whether all are scalars, and the items.
The other modules enter their types into `WRITERS` or `NAMED` and their tags into `READERS`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgpack


class NotPlain(Exception):
    """A value that cannot cross as plain data; the message is one sentence for the learner."""


@dataclass(frozen=True)
class Limits:
    """What a value may cost.

    size: bytes when encoded.   items: members of all containers together, an array or a column of numbers
    counting as one.   depth: containers within containers; a table takes up to six of them.
    """

    size: int = 64 * 2**20
    items: int = 2_000_000
    depth: int = 32


SCALARS = {type(None), bool, int, float, str, bytes}
WRITERS: dict[type, Callable[[Writer, Any], list]] = {}
NAMED: dict[str, Callable[[Writer, Any], list]] = {}
"""Writers of types whose library may not be loaded, by "module.name"."""
READERS: dict[str, tuple[int, Callable[[Reader], Any]]] = {}
"""Tag -> (number of fields, reader)."""

DEFAULT = Limits()
DAMAGED = "The value did not arrive whole: its data are not in the agreed format."


def writes(*kinds: type) -> Callable:
    """Enter a function as the writer of some types and their subclasses."""

    def enter(function: Callable) -> Callable:
        WRITERS.update(dict.fromkeys(kinds, function))
        return function

    return enter


def reads(tag: str, fields: int) -> Callable:
    """Enter a function as the reader of a tag with so many fields."""

    def enter(function: Callable) -> Callable:
        READERS[tag] = fields, function
        return function

    return enter


def write(value: Any, limits: Limits) -> bytes:
    """Return the value as bytes; see `encode`."""
    try:
        tree = Writer(limits).node(value)
        data = msgpack.packb(tree, use_bin_type=True, strict_types=True)
    except NotPlain:
        raise
    except UnicodeEncodeError:
        raise NotPlain("A text can't be handed in: it holds half a character (a lone surrogate).") from None
    except KeyboardInterrupt:  # someone else's: a time limit, a person
        raise
    except BaseException as error:
        raised = type_name(error)
        raise NotPlain(f"{a_thing(value)} can't be handed in: reading it raised {raised}.") from None
    check(len(data) <= limits.size, too_large(limits))
    return data


def read(data: bytes, limits: Limits, recipes: bool) -> Any:
    """Return the value in the bytes; see `decode`."""
    check(type(data) is bytes)
    check(len(data) <= limits.size, too_large(limits))
    try:
        reader = Reader(data, limits, recipes)
        value = reader.node()
        check(reader.unpacker.tell() == len(data))
        return value
    except NotPlain:
        raise
    except Exception:
        raise NotPlain(DAMAGED) from None


def check(holds: bool, message: str = DAMAGED) -> None:
    """Raise NotPlain unless the condition holds."""
    if not holds:
        raise NotPlain(message)


def too_large(limits: Limits) -> str:
    """Say how much a value may hold."""
    return f"The value is too large to hand in: at most {limits.size >> 20} MB and {limits.items:,} items."


def type_name(value: Any) -> str:
    """Return the name of a value's type, whatever its class says of itself."""
    name = type.__dict__["__name__"].__get__(type(value))
    return re.sub(r"\W", "", str.__str__(name))[:60] or "value"


def a_thing(value: Any) -> str:
    """Return "A generator", "An Axes", ..."""
    name = type_name(value)
    return f"{'An' if name[0] in 'aeioAEIO' else 'A'} {name}"


def lineage(kind: type) -> Iterable[type]:
    """Return a class and its bases, most special first, whatever its metaclass says."""
    return type.__dict__["__mro__"].__get__(kind)


class Writer:
    """Turns one value into nested lists of scalars that msgpack takes."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.items_left = limits.items
        self.bytes_left = limits.size
        self.within: set[int] = set()

    def node(self, value: Any) -> Any:
        """Return the value as a scalar or as `[tag, field, ...]`."""
        if type(value) in SCALARS and self._scalars([value]):
            return value
        for kind in lineage(type(value)):
            writer = WRITERS.get(kind) or NAMED.get(f"{kind.__module__}.{kind.__qualname__}")
            if writer is not None:
                break
        else:
            raise NotPlain(
                f"{a_thing(value)} can't be handed in: return numbers, texts, lists, dicts, arrays or tables."
            )
        if id(value) in self.within:
            raise NotPlain(f"{a_thing(value)} that contains itself can't be handed in.")
        if len(self.within) >= self.limits.depth:
            raise NotPlain(f"The value is nested too deep to hand in: at most {self.limits.depth} levels.")
        self.within.add(id(value))
        node = writer(self, value)
        self.within.discard(id(value))
        return node

    def run(self, values: list) -> tuple[bool, list]:
        """Return the two fields of a run of items."""
        self.items_left -= len(values)
        if self.items_left < 0:
            raise NotPlain(too_large(self.limits))
        if self._scalars(values):
            return True, values
        return False, [self.node(value) for value in values]

    def blob(self, view: memoryview | bytes) -> memoryview | bytes:
        """Return the bytes, counted."""
        self._count(len(view))
        return view

    def _scalars(self, values: list) -> bool:
        """Say whether msgpack takes all of these as they are; count the bytes of their texts."""
        kinds = set(map(type, values))
        if not kinds <= SCALARS:
            return False
        if int in kinds:
            numbers = values if len(kinds) == 1 else [value for value in values if type(value) is int]
            if min(numbers) < -(2**63) or max(numbers) >= 2**64:
                return False
        if str in kinds or bytes in kinds:
            texts = values if len(kinds) == 1 else (v for v in values if type(v) is str or type(v) is bytes)
            self._count(sum(map(len, texts)))
        return True

    def _count(self, size: int) -> None:
        # A small list can hold one large value a million times.
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise NotPlain(too_large(self.limits))


class Reader:
    """Reads one value from untrusted bytes, field by field: nothing is made before its size is checked.

    The unpacker is only ever asked for scalars and the lengths of arrays; arrays and maps it refuses.
    """

    def __init__(self, data: bytes, limits: Limits, recipes: bool):
        self.data = data
        self.limits = limits
        self.recipes = recipes
        self.items_left = limits.items
        self.depth = 0
        self.unpacker = msgpack.Unpacker(
            max_buffer_size=max(len(data), 1), max_array_len=0, max_map_len=0, max_ext_len=0
        )
        self.unpacker.feed(data)

    def node(self) -> Any:
        """Return the next value."""
        first = self.data[self.unpacker.tell()]
        if not 0x90 <= first <= 0x9F:  # not a msgpack array of up to 15
            value = self.unpacker.unpack()
            check(type(value) in SCALARS)
            return value
        self.depth += 1
        check(self.depth <= self.limits.depth)
        count = self.unpacker.read_array_header()
        fields, reader = READERS[self.field(str)]
        check(count == fields + 1)
        value = reader(self)
        self.depth -= 1
        return value

    def field(self, kind: type) -> Any:
        """Return the next scalar, which is exactly of this kind."""
        value = self.unpacker.unpack()
        check(type(value) is kind)
        return value

    def run(self) -> list:
        """Return a run of items (two fields)."""
        scalars = self.field(bool)
        count = self.unpacker.read_array_header()
        self.items_left -= count
        if self.items_left < 0:
            raise NotPlain(too_large(self.limits))
        if not scalars:
            return [self.node() for _ in range(count)]
        values = list(islice(self.unpacker, count))
        check(len(values) == count and set(map(type, values)) <= SCALARS)
        return values

    def shape(self) -> tuple[int, ...]:
        """Return an array's shape: small enough to be worked with, even where one side is zero."""
        count = self.unpacker.read_array_header()
        check(count <= 32)
        shape = tuple(self.field(int) for _ in range(count))
        check(all(side >= 0 for side in shape))
        check(math.prod(max(side, 1) for side in shape) <= self.limits.size, too_large(self.limits))
        return shape

    def instance(self, *kinds: type) -> Any:
        """Return the next value, which is of one of these kinds."""
        value = self.node()
        check(isinstance(value, kinds))
        return value
