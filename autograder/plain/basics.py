"""Python's own types. Each is taken apart by its own C function: overrides in a subclass are not asked."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable
from typing import Any

from autograder.plain.core import READERS, WRITERS, Reader, Writer, check, reads, too_large, writes

LARGEST_INT = 512  # bytes


@writes(int)
def _write_int(writer: Writer, value: int) -> Any:
    number = int.__index__(value)
    if -(2**63) <= number < 2**64:
        return number
    size = int.bit_length(number) // 8 + 1
    check(size <= LARGEST_INT, f"An int of more than {LARGEST_INT * 8} bits can't be handed in.")
    return ["int", writer.blob(int.to_bytes(number, size, "little", signed=True))]


@reads("int", 1)
def _read_int(reader: Reader) -> int:
    digits = reader.field(bytes)
    check(len(digits) <= LARGEST_INT)
    return int.from_bytes(digits, "little", signed=True)


WRITERS[float] = lambda writer, value: float.__pos__(value)
WRITERS[str] = lambda writer, value: writer.node(str.__str__(value))
WRITERS[bytes] = lambda writer, value: writer.node(bytes.__bytes__(value))
WRITERS[bytearray] = lambda writer, value: writer.node(bytes(memoryview(value)))
WRITERS[type(...)] = lambda writer, value: ["..."]
READERS["..."] = 0, lambda reader: ...


@writes(complex)
def _write_complex(writer: Writer, value: complex) -> list:
    number = complex.__pos__(value)
    return ["complex", number.real, number.imag]


@reads("complex", 2)
def _read_complex(reader: Reader) -> complex:
    return complex(reader.field(float), reader.field(float))


for _kind, _tag in ((list, "list"), (tuple, "tuple"), (set, "set"), (frozenset, "frozenset")):
    WRITERS[_kind] = lambda writer, value, kind=_kind, tag=_tag: [
        tag,
        *writer.run(list(kind.__iter__(value))),
    ]
READERS["list"] = 2, lambda reader: reader.run()
READERS["tuple"] = 2, lambda reader: tuple(reader.run())


@reads("set", 2)
def _read_set(reader: Reader) -> set:
    members = reader.run()
    distinct = set(members)
    check(len(distinct) == len(members))
    return distinct


READERS["frozenset"] = 2, lambda reader: frozenset(_read_set(reader))


@writes(dict)
def _write_dict(writer: Writer, value: dict) -> list:
    pairs = list(dict.items(value))
    return ["dict", *writer.run([key for key, _ in pairs]), *writer.run([item for _, item in pairs])]


@reads("dict", 4)
def _read_dict(reader: Reader) -> dict:
    keys, values = reader.run(), reader.run()
    together = dict(zip(keys, values, strict=True))
    check(len(together) == len(keys))  # of two equal keys, which one counts?
    return together


@writes(range)
def _write_range(writer: Writer, value: range) -> list:
    check(len(value) <= writer.limits.items, too_large(writer.limits))
    return ["range", *map(writer.node, (value.start, value.stop, value.step))]


@reads("range", 3)
def _read_range(reader: Reader) -> range:
    values = range(*(reader.instance(int) for _ in range(3)))
    check(len(values) <= reader.limits.items, too_large(reader.limits))
    return values


@writes(slice)
def _write_slice(writer: Writer, value: slice) -> list:
    return ["slice", *map(writer.node, (value.start, value.stop, value.step))]


@reads("slice", 3)
def _read_slice(reader: Reader) -> slice:
    return slice(*(reader.instance(int, str, dt.date, type(None)) for _ in range(3)))


def _fields(kind: type, names: str) -> Callable[[Any], list[int]]:
    getters = [kind.__dict__[name] for name in names.split()]
    return lambda value: [getter.__get__(value) for getter in getters]


_DATE = _fields(dt.date, "year month day")
_CLOCK = _fields(dt.datetime, "hour minute second microsecond fold")
_SPAN = _fields(dt.timedelta, "days seconds microseconds")


@writes(dt.datetime)
def _write_datetime(writer: Writer, value: dt.datetime) -> list:
    return ["datetime", *_DATE(value), *_CLOCK(value), zone_text(dt.datetime.tzinfo.__get__(value))]


@reads("datetime", 9)
def _read_datetime(reader: Reader) -> dt.datetime:
    *moment, fold = (reader.field(int) for _ in range(8))
    return dt.datetime(*moment, fold=fold, tzinfo=read_zone(reader))


WRITERS[dt.date] = lambda writer, value: ["date", *_DATE(value)]
READERS["date"] = 3, lambda reader: dt.date(*(reader.field(int) for _ in range(3)))
WRITERS[dt.timedelta] = lambda writer, value: ["timedelta", *_SPAN(value)]
READERS["timedelta"] = 3, lambda reader: dt.timedelta(*(reader.field(int) for _ in range(3)))


def zone_text(zone: dt.tzinfo | None) -> str | int | None:
    """Return a time zone as its name, or as its distance from UTC in seconds; None for none."""
    if zone is None:
        return None
    if isinstance(zone, zoneinfo.ZoneInfo) and zone.key:
        return str(zone.key)
    check(type(zone) is dt.timezone, "Use a time zone's name, such as 'UTC' or 'Europe/Berlin'.")
    distance = zone.utcoffset(None)
    return "UTC" if zone is dt.UTC else int(distance.total_seconds())


def read_zone(reader: Reader) -> dt.tzinfo | None:
    """Read what `zone_text` wrote."""
    zone = reader.node()
    if zone is None or zone == "UTC":
        return zone and dt.UTC
    if type(zone) is int:
        return dt.timezone(dt.timedelta(seconds=zone))
    check(type(zone) is str and re.fullmatch(r"[A-Za-z][\w+/-]{0,60}", zone, re.ASCII) is not None)
    return zoneinfo.ZoneInfo(zone)
