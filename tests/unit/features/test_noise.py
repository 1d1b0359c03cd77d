"""The noise factor: closed form against a search by numbers, and its prior."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import invgamma

from features import noise


@given(st.floats(0.0, 1e6), st.integers(1, 2_000))
def test_the_closed_form_is_the_minimum(misfit: float, n: int) -> None:
    def loss(u: float) -> float:
        return misfit * math.exp(-u) + n * u - 2.0 * float(noise.log_prior(math.exp(0.5 * u)))

    low, high = (2 * math.log(bound) for bound in noise.FACTOR_BOUNDS)
    by_search = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    ours = noise.log_factor2(misfit, n, math.inf)
    assert low <= ours <= high
    assert loss(ours) <= by_search.fun + 1e-6 * (1 + abs(by_search.fun))
    assert noise.loss(misfit, n, math.inf) == pytest.approx(loss(ours), rel=1e-9, abs=1e-9)


def test_with_a_ceiling_of_one_it_is_one() -> None:
    assert noise.log_factor2(1e5, 10, 1.0) == 0.0
    assert noise.loss(123.0, 10, 1.0) == pytest.approx(123.0)


def test_the_prior_is_an_inverse_gamma_of_the_variance() -> None:
    """In log f², up to a constant: that of PRIOR_POINTS points that scatter as stated."""
    factor = np.array([1.0, 1.5, 2.0, 5.0])
    variance = factor**2
    density = invgamma(noise.PRIOR_POINTS / 2, scale=noise.PRIOR_POINTS / 2).logpdf(variance) + np.log(variance)
    assert noise.log_prior(factor) == pytest.approx(density - density[0])
