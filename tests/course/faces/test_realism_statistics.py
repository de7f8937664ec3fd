"""Image statistics of generated faces beside those of photographs; the judge's answers are a benchmark."""

import numpy as np
import pytest

from benchmarks.realism import FACTS, image_statistics, spectrum_slope
from course.faces import render, sample_faces


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return render(sample_faces(np.random.default_rng(31), 600), size=48)


@pytest.mark.parametrize("name", FACTS["images"])
def test_the_median_lies_inside_the_quartiles_of_photographs(images, name):
    low, high = FACTS["images"][name]
    assert low <= image_statistics(images)[name].median() <= high


@pytest.mark.parametrize(
    "name", ["mean", "std", "laplacian_std_over_std", "lr_asymmetry", "light_gradient_x"]
)
def test_pictures_differ_from_one_another_as_photographs_do(images, name):
    low, high = FACTS["images"][name]
    ours = np.subtract(*image_statistics(images)[name].quantile([0.75, 0.25]))
    assert 0.6 < ours / (high - low) < 1.6


def test_the_spectrum_falls_as_steeply_as_that_of_photographs(images):
    assert spectrum_slope(images) == pytest.approx(FACTS["radial_power_slope"], abs=0.3)


def test_the_middle_of_the_mean_face_has_the_brightness_of_the_mean_photograph(images):
    ours = images[:, ::4, 20:28].mean(axis=(0, 2))
    assert np.abs(ours - FACTS["rows"])[1:-1].max() < 25
    assert np.corrcoef(ours, FACTS["rows"])[0, 1] > 0.8


def test_flat_noise_is_not_mistaken_for_photographs():
    noise = np.random.default_rng(0).integers(0, 256, (50, 48, 48)).astype(np.uint8)
    assert spectrum_slope(noise) == pytest.approx(0.0, abs=0.2)
    assert (
        image_statistics(noise)["laplacian_std_over_std"].median()
        > FACTS["images"]["laplacian_std_over_std"][1]
    )
