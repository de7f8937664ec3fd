"""Scenes: all of a picture that is not the person: pose, light, what is in the way, camera.

Distributions of `everyday` follow measurements on FER2013 photographs (framing, roll, brightness,
side light); the lobby sites differ from it, and from one another, the way rooms do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

OCCLUSIONS: tuple[str, ...] = ("none", "mask", "hand", "scarf")


@dataclass(frozen=True)
class Site:
    """Where pictures are taken; pairs are (mean, standard deviation).

    Angles in degrees, light direction -1..1, chances 0-1; `resolution` is (median pixels, log-sd).
    """

    description: str
    yaw: tuple[float, float] = (0.0, 13.0)
    pitch: tuple[float, float] = (0.0, 7.0)
    roll: tuple[float, float] = (0.0, 8.0)
    light_level: tuple[float, float] = (1.0, 0.22)
    light_x: tuple[float, float] = (0.0, 0.5)
    light_y: tuple[float, float] = (0.45, 0.28)
    ambient: tuple[float, float] = (0.45, 0.14)
    exposure: tuple[float, float] = (0.0, 0.38)
    contrast: tuple[float, float] = (1.0, 0.14)
    frame_scale: tuple[float, float] = (0.37, 0.042)
    resolution: tuple[float, float] = (52.0, 0.25)
    blur: float = 0.4
    noise: float = 1.8
    background: tuple[float, float] = (0.45, 0.25)
    background_texture: float = 0.5
    glasses: float = 0.1
    occluded: float = 0.04


SITES: dict[str, Site] = {
    "everyday": Site("photographs of all kinds: press, family, film"),
    "studio": Site(
        "frontal, sharp, evenly lit",
        yaw=(0.0, 2.0),
        pitch=(0.0, 2.0),
        roll=(0.0, 1.0),
        light_level=(1.0, 0.03),
        light_x=(0.0, 0.12),
        light_y=(0.5, 0.06),
        ambient=(0.5, 0.03),
        exposure=(0.0, 0.05),
        contrast=(1.0, 0.03),
        frame_scale=(0.37, 0.008),
        resolution=(64.0, 0.02),
        blur=0.25,
        noise=1.0,
        background=(0.6, 0.04),
        background_texture=0.05,
        glasses=0.0,
        occluded=0.0,
    ),
    "lobby_north": Site(
        "even daylight from tall north windows",
        light_x=(-0.25, 0.25),
        light_y=(0.3, 0.15),
        ambient=(0.55, 0.08),
        pitch=(4.0, 6.0),
        background=(0.6, 0.12),
    ),
    "lobby_south": Site(
        "hard low sun from one side",
        light_level=(1.3, 0.25),
        light_x=(0.65, 0.25),
        light_y=(0.25, 0.2),
        ambient=(0.26, 0.08),
        exposure=(0.1, 0.4),
        contrast=(1.1, 0.12),
        pitch=(4.0, 6.0),
        glasses=0.16,
    ),
    "atrium": Site(
        "light from a glass roof, which fills the eye sockets with shadow",
        light_x=(0.0, 0.2),
        light_y=(0.95, 0.12),
        ambient=(0.32, 0.08),
        pitch=(-2.0, 7.0),
        resolution=(38.0, 0.25),
        background=(0.5, 0.15),
    ),
    "entrance": Site(
        "people come in against the light, far off and moving",
        light_level=(0.7, 0.2),
        light_x=(0.0, 0.5),
        ambient=(0.38, 0.1),
        exposure=(-0.35, 0.4),
        resolution=(32.0, 0.3),
        blur=0.8,
        noise=7.0,
        background=(0.9, 0.12),
        glasses=0.12,
        occluded=0.1,
    ),
}


def sample_scenes(
    rng: np.random.Generator, n: int, site: str | Site = "everyday", **changes: object
) -> pd.DataFrame:
    """Return n scenes, one a row, with the scene columns described in `columns.COLUMNS`.

    Args:
        rng: source of randomness.
        n: number of scenes, 0 or more.
        site: a key of `SITES`, or a `Site` of your own.
        changes: fields of `Site` to replace, for example `noise=20.0`.

    Raises:
        ValueError: for an unknown site or field, or when n is negative or not a whole number.

    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"n is {n!r}; accepted is a whole number of scenes, 0 or more.")
    name = site if isinstance(site, str) else "custom"
    if isinstance(site, str):
        if site not in SITES:
            raise ValueError(f"site is {site!r}; accepted are {', '.join(SITES)}.")
        site = SITES[site]
    unknown = sorted(set(changes) - set(Site.__dataclass_fields__))
    if unknown:
        accepted = ", ".join(Site.__dataclass_fields__)
        raise ValueError(f"changes holds {unknown[0]!r}; accepted are {accepted}.")
    site = replace(site, **changes)

    def around(pair: tuple[float, float], low: float, high: float) -> np.ndarray:
        return np.clip(pair[0] + pair[1] * rng.standard_normal(n), low, high)

    occluded = rng.random(n) < site.occluded
    kinds = np.array(OCCLUSIONS[1:], dtype=object)[rng.integers(0, 3, n)]
    table = {
        "site": np.full(n, name, dtype=object),
        "yaw": around(site.yaw, -35.0, 35.0),
        "pitch": around(site.pitch, -25.0, 25.0),
        "roll": around(site.roll, -35.0, 35.0),
        "gaze_x": np.clip(0.25 * rng.standard_normal(n), -1.0, 1.0),
        "gaze_y": np.clip(0.2 * rng.standard_normal(n), -1.0, 1.0),
        "light_level": around(site.light_level, 0.1, 3.0),
        "light_x": around(site.light_x, -1.0, 1.0),
        "light_y": around(site.light_y, -1.0, 1.0),
        "ambient": around(site.ambient, 0.08, 0.9),
        "glasses": rng.random(n) < site.glasses,
        "occlusion": np.where(occluded, kinds, "none").astype(object),
        "resolution": np.clip(
            site.resolution[0] * np.exp(site.resolution[1] * rng.standard_normal(n)), 12.0, 96.0
        ),
        "blur": np.clip(site.blur * np.exp(0.5 * rng.standard_normal(n)), 0.0, 4.0),
        "noise": np.clip(site.noise * np.exp(0.6 * rng.standard_normal(n)), 0.0, 40.0),
        "exposure": around(site.exposure, -2.0, 2.0),
        "gamma": np.clip(np.exp(0.15 * rng.standard_normal(n)), 0.5, 2.0),
        "contrast": around(site.contrast, 0.3, 1.8),
        "frame_x": np.clip(0.022 * rng.standard_normal(n), -0.2, 0.2),
        "frame_y": np.clip(0.03 * rng.standard_normal(n), -0.2, 0.2),
        "frame_scale": around(site.frame_scale, 0.2, 0.5),
        "background": around(site.background, 0.02, 1.0),
        "background_texture": np.clip(
            site.background_texture * np.exp(0.5 * rng.standard_normal(n)), 0.0, 1.0
        ),
        "seed": rng.integers(0, 2**31, n),
    }
    return pd.DataFrame(table)
