"""The same Gaussian process through george (Ambikasaran et al. 2015, arXiv:1403.6015) and SciPy's L-BFGS-B: the reference.

Slow, one light curve after the other, and written by other people: what the compiled backends are checked against. It is also
the place to try another kernel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features import search as searching
from features.kernel import WAVELENGTH_LENGTH_NM, wavelengths_nm

Array = NDArray[np.float64]
_START_DAYS = 20.0


def process(x: float, y: float, time: Array, variance: Array, band: NDArray[np.int8], survey: int) -> Any:
    """A george.GP at log amplitude² ``x`` (nJy²) and log timescale² ``y`` (days²), its matrix factored."""
    import george
    from george import kernels

    kernel = (
        math.exp(x)
        * kernels.Matern32Kernel(math.exp(y), ndim=2, axes=0)
        * kernels.Matern32Kernel(WAVELENGTH_LENGTH_NM**2, ndim=2, axes=1)
    )
    kernel.freeze_parameter("k2:metric:log_M_0_0")
    gp = george.GP(kernel)
    gp.compute(np.stack([time, wavelengths_nm()[survey, band]], axis=1), np.sqrt(variance))
    return gp


def fit(
    offsets: NDArray[np.int64], time: Array, flux: Array, variance: Array, band: NDArray[np.int8], survey: NDArray[np.int8],
    start: Array, x: Array, y: Array, value: Array, converged: NDArray[np.bool_], alpha: Array,
) -> None:  # fmt: skip
    """Fit every light curve; arguments and results as in :func:`features.state_space.fit`, but ``survey`` (n,) for the correlations."""
    x[:], y[:], value[:], converged[:], alpha[:] = np.nan, np.nan, np.nan, False, np.nan
    for i in range(len(offsets) - 1):
        points = slice(offsets[i], offsets[i + 1])
        if offsets[i] == offsets[i + 1]:
            continue
        t, f, v, b = time[points], flux[points], variance[points], band[points]
        try:
            found, place = maximise(t, f, v, b, int(survey[i]), start[i])
            gp = process(*place, t, v, b, int(survey[i]))
            x[i], y[i], value[i], alpha[points] = *place, gp.log_likelihood(f), gp.apply_inverse(f)
            converged[i] = found and math.isfinite(value[i])
        except (np.linalg.LinAlgError, ValueError, FloatingPointError):  # george gave up on the matrix
            x[i], y[i], value[i] = np.nan, np.nan, np.nan


def maximise(
    time: Array, flux: Array, variance: Array, band: NDArray[np.int8], survey: int, start: Array
) -> tuple[bool, tuple[float, float]]:
    """L-BFGS-B within the bounds of :mod:`features.search`: whether it succeeded, and where it ended."""
    from scipy.optimize import minimize

    search = np.empty(searching.SIZE)
    searching.begin(search, flux, variance, start[0], start[1])
    if search[searching.STATUS] == searching.FAILED:
        return False, (math.nan, math.nan)
    bounds = [tuple(search[[searching.X_LOW, searching.X_HIGH]]), tuple(search[[searching.Y_LOW, searching.Y_HIGH]])]
    first_y = start[1] if search[searching.SCAN] == 0.0 else 2.0 * math.log(_START_DAYS)
    first = np.clip([search[searching.X], first_y], *np.transpose(bounds))
    gp = process(*first, time, variance, band, survey)
    to_constant = gp.get_parameter_vector()[0] - first[0]  # george's constant is summed over its dimensions

    def loss(place: Array) -> tuple[float, Array]:
        gp.set_parameter_vector([place[0] + to_constant, place[1]])
        return -gp.log_likelihood(flux, quiet=True), -gp.grad_log_likelihood(flux, quiet=True)

    result = minimize(loss, first, jac=True, bounds=bounds, method="L-BFGS-B")
    return bool(result.success), (float(result.x[0]), float(result.x[1]))


def predict(
    offsets: NDArray[np.int64], time: Array, flux: Array, variance: Array, band: NDArray[np.int8], survey: NDArray[np.int8],
    x: Array, y: Array, wanted: Array, out_mean: Array, out_std: Array,
) -> None:  # fmt: skip
    """Mean and standard deviation at the wanted times; arguments as in :func:`features.smoother.predict`, but ``survey`` (n,)."""
    for i in range(len(offsets) - 1):
        points = slice(offsets[i], offsets[i + 1])
        if not np.isfinite(x[i] + y[i]) or offsets[i] == offsets[i + 1]:
            out_mean[i], out_std[i] = np.nan, np.nan
            continue
        gp = process(x[i], y[i], time[points], variance[points], band[points], int(survey[i]))
        for p, wavelength in enumerate(wavelengths_nm()[survey[i]]):
            places = np.stack([wanted[i], np.full(wanted.shape[1], wavelength)], axis=1)
            out_mean[i, p], square = gp.predict(flux[points], places, return_var=True)
            out_std[i, p] = np.sqrt(np.maximum(square, 0.0))
