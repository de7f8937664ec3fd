"""torch's tensors and networks, by their numbers; scikit-learn's estimators, by their recipe."""

from __future__ import annotations

import importlib
import inspect
import math
import re
import sys
from dataclasses import dataclass
from typing import Any

from autograder.plain.arrays import blob, from_blob
from autograder.plain.core import NAMED, Reader, Writer, check, reads, type_name, writes

_DTYPES = {
    "bool": "|b1",
    "uint8": "|u1",
    "int8": "|i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "float16": "<f2",
    "float32": "<f4",
    "float64": "<f8",
    "complex64": "<c8",
    "complex128": "<c16",
    "bfloat16": "<i2",  # numpy has none: its bits travel as integers
}
_SAFETENSORS = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "BF16": "bfloat16",
}


@dataclass(frozen=True)
class Weights:
    """What a network is handed in as: its state dict, name -> torch tensor."""

    tensors: dict[str, Any]


def _settled(tensor: Any) -> Any:
    """Return a tensor's values on their own: detached, on the CPU, contiguous, nothing left to compute."""
    import torch

    plain = torch.Tensor.detach(tensor).as_subclass(torch.Tensor)
    return plain.cpu().resolve_conj().resolve_neg().contiguous()


def _write_tensor(writer: Writer, value: Any) -> list:
    torch = sys.modules["torch"]
    tensor = _settled(value)
    name = str(tensor.dtype).removeprefix("torch.")
    check(name in _DTYPES, f"A tensor of {name[:20]} can't be handed in: convert it first.")
    numbers = tensor.view(torch.int16) if name == "bfloat16" else tensor
    return ["tensor", name, list(tensor.shape), writer.blob(blob(numbers.numpy()))]


def _tensor(data: bytes, name: str, shape: tuple[int, ...]) -> Any:
    import torch

    check(name in _DTYPES)
    tensor = torch.from_numpy(from_blob(data, _DTYPES[name], shape))
    return tensor.view(torch.bfloat16) if name == "bfloat16" else tensor


@reads("tensor", 3)
def _read_tensor(reader: Reader) -> Any:
    name, shape = reader.field(str), reader.shape()
    return _tensor(reader.field(bytes), name, shape)


def _write_network(writer: Writer, value: Any) -> list:
    return _write_weights(writer, Weights(sys.modules["torch"].nn.Module.state_dict(value)))


@writes(Weights)
def _write_weights(writer: Writer, value: Weights) -> list:
    from safetensors.torch import save

    # A copy each: tied weights are one tensor under two names, which the format does not allow.
    tensors = {str(name): _settled(tensor).clone() for name, tensor in value.tensors.items()}
    return ["weights", writer.blob(save(tensors))]


@reads("weights", 1)
def _read_weights(reader: Reader) -> Weights:
    from safetensors import deserialize

    tensors = {}
    for name, part in deserialize(reader.field(bytes)):
        shape = tuple(part["shape"])
        check(len(shape) <= 32 and math.prod(max(side, 1) for side in shape) <= reader.limits.size)
        tensors[name] = _tensor(bytes(part["data"]), _SAFETENSORS[part["dtype"]], shape)
    return Weights(tensors)


def _write_estimator(writer: Writer, value: Any) -> list:
    kind = type(value)
    check(
        kind.__module__.startswith("sklearn."),
        f"A model of your own class ({type_name(value)}) can't be handed in: return what it predicts.",
    )
    # What was left at its default need not travel; some defaults, such as types, could not.
    defaults = inspect.signature(kind).parameters
    parameters = {
        name: parameter
        for name, parameter in kind.get_params(value, deep=False).items()
        if parameter is not defaults[name].default
    }
    return ["estimator", kind.__module__, kind.__name__, writer.node(parameters)]


@reads("estimator", 3)
def _read_estimator(reader: Reader) -> Any:
    check(
        reader.recipes, "A fitted model can't be handed in: return what it predicts, as numbers or an array."
    )
    from sklearn.base import BaseEstimator

    module, name = reader.field(str), reader.field(str)
    check(re.fullmatch(r"sklearn(\.\w+)+", module, re.ASCII) is not None and name.isidentifier())
    kind = getattr(importlib.import_module(module), name)
    check(isinstance(kind, type) and issubclass(kind, BaseEstimator) and kind.__module__ == module)
    return kind(**reader.instance(dict))


NAMED["torch.Tensor"] = _write_tensor
NAMED["torch.nn.modules.module.Module"] = _write_network
NAMED["sklearn.base.BaseEstimator"] = _write_estimator
