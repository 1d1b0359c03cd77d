"""Distances in units of what is usual for a class."""

from __future__ import annotations

import numpy as np
import pytest

from models.scoring.class_scale import ClassScale

RNG = np.random.default_rng(3)
LABEL = np.repeat([0, 1], 2_000)
DETECTIONS = np.tile([1, 2, 4, 8, 20], 800)


def distances(label: np.ndarray, offset: float = 0.0, factor: float = 1.0) -> np.ndarray:
    """Rows at a mean of 5 from class 0 and of 9 from class 1, if they belong to it."""
    near = np.array([5.0, 9.0])[label] + offset + factor * RNG.normal(size=len(label))
    out = np.full((len(label), 2), 30.0)
    out[np.arange(len(label)), label] = near
    return out


def test_the_median_of_a_class_is_0_and_its_90th_percentile_1() -> None:
    training = distances(LABEL)
    scale = ClassScale.fit(training, LABEL, DETECTIONS, (training, LABEL, DETECTIONS))
    z = scale.apply(training, DETECTIONS)[np.arange(4_000), LABEL]
    for c in (0, 1):
        assert np.quantile(z[c == LABEL], (0.5, 0.9)) == pytest.approx([0, 1], abs=0.1)


def test_objects_apart_correct_what_training_makes_too_small() -> None:
    """They lie farther and scatter more than the training rows, and class 1 has none among them."""
    label = np.zeros(500, np.int64)
    apart = (distances(label, offset=2.0, factor=1.5), label, np.tile([1, 2, 4, 8, 20], 100))
    scale = ClassScale.fit(distances(LABEL), LABEL, DETECTIONS, apart)
    new = distances(LABEL, offset=2.0, factor=1.5)
    z = scale.apply(new, DETECTIONS)[np.arange(4_000), LABEL]
    for c in (0, 1):
        assert np.quantile(z[c == LABEL], (0.5, 0.9)) == pytest.approx([0, 1], abs=0.2)


def test_a_class_of_few_rows_takes_the_scale_of_all() -> None:
    label = np.r_[np.zeros(100, np.int64), 1, 1]
    near = distances(label)
    scale = ClassScale.fit(near, label, np.full(102, 4), (near, label, np.full(102, 4)))
    assert np.isfinite(scale.apply(near, np.full(102, 4))).all()
    assert scale.centre[2, 1] == pytest.approx(scale.centre[2, 0], abs=0.5)
