"""Mahalanobis distances against their closed form and scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import multivariate_normal

from models.scoring.class_gaussians import RIDGE, SHRINKAGE, ClassGaussians
from tests.unit.models.scoring.made_evidence import standard


def test_the_distance_to_a_standard_normal_is_the_length() -> None:
    x = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0], [1.0, 2.0, 2.0]])
    assert standard(3).distances(x)[:, 0] == pytest.approx([5, 0, 3], abs=1e-6)
    assert standard(3).log_distances(x)[1, 0] == pytest.approx(np.log(1e-6))


def test_distances_are_those_of_the_shrunk_covariances() -> None:
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(2, 4, 4))
    label = np.repeat([0, 1], [300, 700])
    x = np.einsum("nij,nj->ni", mixing[label], rng.normal(size=(1000, 4))) + 2 * label[:, None]
    gaussians = ClassGaussians.fit(x, label, np.ones(1000), 2)
    covariances = [np.cov(x[label == c], rowvar=False, bias=True) for c in (0, 1)]
    for c, size in enumerate((300, 700)):
        share = size / (size + SHRINKAGE)
        covariance = share * covariances[c] + (1 - share) * np.mean(covariances, axis=0) + RIDGE * np.eye(4)
        of_scipy = [mahalanobis(row, x[label == c].mean(axis=0), np.linalg.inv(covariance)) for row in x[:20]]
        assert gaussians.distances(x[:20])[:, c] == pytest.approx(of_scipy, rel=1e-4)


def test_a_row_of_weight_two_counts_as_two_rows_for_the_mean_and_the_scatter() -> None:
    rng = np.random.default_rng(2)
    x, zeros = rng.normal(size=(50, 3)), np.zeros(50, np.int64)
    weighted = ClassGaussians.fit(x, zeros, np.r_[2.0, np.ones(49)], 1)
    repeated = ClassGaussians.fit(np.r_[x[:1], x], np.zeros(51, np.int64), np.ones(51), 1)
    assert weighted.mean == pytest.approx(repeated.mean, abs=1e-6)
    assert weighted.whitening == pytest.approx(repeated.whitening, abs=1e-4)


def test_densities_differ_from_those_of_scipy_by_one_constant() -> None:
    rng = np.random.default_rng(4)
    label = np.repeat([0, 1], 200)
    x = rng.normal(size=(400, 3)) * np.array([1.0, 2.0])[label][:, None] + label[:, None]
    gaussians = ClassGaussians.fit(x, label, np.ones(400), 2, shrinkage=0.0)
    expected = [
        multivariate_normal(x[label == c].mean(axis=0), np.cov(x[label == c].T, bias=True) + RIDGE * np.eye(3)).logpdf(
            x
        )
        for c in (0, 1)
    ]
    difference = gaussians.log_densities(x) - np.stack(expected, axis=1)
    assert difference == pytest.approx(np.full((400, 2), 1.5 * np.log(2 * np.pi)), abs=1e-3)
