"""The search for the greatest likelihood, on surfaces whose summit is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from features import search

FLUX_NJY, VARIANCE_NJY2 = np.array([100.0, -50.0, 300.0]), np.array([400.0, 400.0, 400.0])


def climb(height, start=(math.nan, math.nan)):  # type: ignore[no-untyped-def]
    """Run the search on ``height(x, y)``; the search's array."""
    state, x, y = np.empty(search.SIZE), np.empty(search.TRIALS), np.empty(search.TRIALS)
    search.begin(state, FLUX_NJY, VARIANCE_NJY2, *start)
    while state[search.STATUS] == search.RUNNING:
        search.propose(state, x, y)
        search.advance(state, x, y, height(x, y))
    return state


@pytest.mark.parametrize("summit", [(9.0, 4.0), (11.5, 10.0), (8.0, 0.0)])
def test_finds_the_summit_of_a_hill(summit: tuple[float, float]) -> None:
    def height(x, y):  # type: ignore[no-untyped-def]
        u, v = x - summit[0], y - summit[1]
        return -np.log(1 + u * u - u * v + v * v) * 20

    state = climb(height)
    assert state[search.STATUS] == search.CONVERGED
    assert (state[search.X], state[search.Y]) == pytest.approx(summit, abs=0.05)


def test_stops_at_the_bound_when_the_summit_lies_beyond() -> None:
    state = climb(lambda x, y: 3 * y - (x - 9) ** 2)
    assert state[search.STATUS] == search.CONVERGED
    assert state[search.Y] == state[search.Y_HIGH]
    assert state[search.X] == pytest.approx(9.0, abs=0.05)


def test_a_flat_surface_is_a_maximum() -> None:
    assert climb(lambda x, y: np.zeros(search.TRIALS))[search.STATUS] == search.CONVERGED


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_likelihood_that_cannot_be_computed_fails(value: float) -> None:
    assert climb(lambda x, y: np.full(search.TRIALS, value))[search.STATUS] == search.FAILED


def test_a_summit_that_runs_away_fails_after_a_bounded_number_of_rounds() -> None:
    rng = np.random.default_rng(1)
    best = [0.0]

    def height(x, y):  # type: ignore[no-untyped-def]
        best[0] += 1.0
        return best[0] + rng.normal(size=search.TRIALS)

    state = climb(height)
    assert state[search.ROUNDS] <= search.MAX_ROUNDS + 1
    assert state[search.STATUS] in (search.FAILED, search.CONVERGED)


def test_a_start_outside_the_bounds_is_moved_inside() -> None:
    state = np.empty(search.SIZE)
    search.begin(state, FLUX_NJY, VARIANCE_NJY2, 1e3, -1e3)
    assert state[search.X] == state[search.X_HIGH]
    assert state[search.Y] == state[search.Y_LOW]


coefficient = st.floats(-5, 5)


@given(coefficient, coefficient, coefficient, coefficient, coefficient)
def test_highest_point_in_a_box_is_no_lower_than_any_other(
    gx: float, gy: float, hxx: float, hyy: float, hxy: float
) -> None:
    assume(abs(4 * hxx * hyy - hxy * hxy) > 1e-6 or hxx >= 0)
    surface = np.array([0.0, gx, gy, hxx, hyy, hxy])
    low_x, high_x, low_y, high_y = -1.0, 2.0, -2.5, 0.5
    x, y = search.highest(surface, low_x, high_x, low_y, high_y)
    assert low_x <= x <= high_x
    assert low_y <= y <= high_y

    def height(x, y):  # type: ignore[no-untyped-def]
        return gx * x + gy * y + hxx * x * x + hyy * y * y + hxy * x * y

    every_x, every_y = np.meshgrid(np.linspace(low_x, high_x, 41), np.linspace(low_y, high_y, 41))
    assert height(x, y) >= height(every_x, every_y).max() - 1e-6
