"""Vectors in compiled code: what they compute is what NumPy computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from numpy.typing import NDArray

from features.vectors import WIDTH, aligned, everywhere, exponential, if_negative, larger, load, smaller, store, total

Array = NDArray[np.float64]
numbers = st.lists(st.floats(-1e6, 1e6), min_size=2 * WIDTH, max_size=2 * WIDTH)


@njit
def exponentials(given: Array, out: Array) -> None:
    for k in range(0, len(given), WIDTH):
        store(out, k, exponential(load(given, k)))


@njit
def arithmetic(given: Array, out: Array) -> None:
    a, b = load(given, 0), load(given, WIDTH)
    store(out, 0, (a + b) * 2.0 - a / (3.0 + b * b) - everywhere(given[1]))


@njit
def choices(given: Array, out: Array) -> None:
    a, b = load(given, 0), load(given, WIDTH)
    store(out, 0, larger(a, b))
    store(out, WIDTH, smaller(a, b))
    store(out, 2 * WIDTH, if_negative(a, b, everywhere(7.0)))
    out[3 * WIDTH] = total(a)


def test_exponential_is_exact_to_two_units_in_the_last_place() -> None:
    x = np.concatenate([np.linspace(-700, 700, 200_000), np.linspace(-1, 1, 200_000)])
    out = np.empty_like(x)
    exponentials(x, out)
    assert np.abs(out / np.exp(x) - 1).max() < 5e-16


def test_exponential_at_the_ends() -> None:
    out = np.empty(WIDTH)
    exponentials(np.array([0.0, -np.inf, -1e9, np.nan]), out)
    assert out[0] == 1.0
    assert (out[1:3] < 1e-300).all()
    assert (out[1:3] >= 0).all()
    assert np.isnan(out[3])


@settings(max_examples=100, deadline=None)
@given(numbers)
def test_arithmetic_is_that_of_single_numbers(given: list[float]) -> None:
    values, out = np.array(given), np.empty(WIDTH)
    arithmetic(values, out)
    a, b = values[:WIDTH], values[WIDTH:]
    np.testing.assert_allclose(out, (a + b) * 2 - a / (3 + b * b) - values[1], rtol=1e-12, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(numbers)
def test_choices_and_sums_are_those_of_single_numbers(given: list[float]) -> None:
    values, out = np.array(given), np.empty(3 * WIDTH + 1)
    choices(values, out)
    a, b = values[:WIDTH], values[WIDTH:]
    np.testing.assert_array_equal(out[:WIDTH], np.maximum(a, b))
    np.testing.assert_array_equal(out[WIDTH : 2 * WIDTH], np.minimum(a, b))
    np.testing.assert_array_equal(out[2 * WIDTH : 3 * WIDTH], np.where(a < 0, b, 7.0))
    assert out[-1] == pytest.approx(a.sum(), rel=1e-12, abs=1e-9)


def test_aligned_arrays_begin_at_a_cache_line() -> None:
    for size in (1, 7, 400):
        array = aligned(size)
        assert array.shape == (size,)
        assert array.ctypes.data % 64 == 0
