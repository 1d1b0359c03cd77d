"""The same Gaussian process through george (Ambikasaran et al. 2015, arXiv:1403.6015) and SciPy's L-BFGS-B: the
reference.

Slow, one light curve after the other, and written by other people: what the compiled backends are checked against.
It is also the place to try another kernel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features import search as searching
from features.kernel import WAVELENGTH_LENGTH_NM, wavelengths_nm
from features.points import Curve, Points, Solutions, curve_of

Array = NDArray[np.float64]
_START_DAYS = 20.0


def process(x: float, y: float, curve: Curve, survey: int) -> Any:
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
    gp.compute(np.stack([curve.time, wavelengths_nm()[survey, curve.band]], axis=1), np.sqrt(curve.variance))
    return gp


def fit(points: Points, survey: NDArray[np.int8], start: Array, solutions: Solutions) -> None:
    """Fit every light curve; ``survey`` (n,), ``start`` (n, 2) log amplitude² and log timescale² to begin at, or
    NaN."""
    for i in range(len(survey)):
        own = slice(points.offsets[i], points.offsets[i + 1])
        if own.start == own.stop:
            continue
        curve = curve_of(points, i)
        try:
            found, x, y = maximise(curve, int(survey[i]), start[i])
            if not math.isfinite(x + y):
                continue
            gp = process(x, y, curve, int(survey[i]))
            solutions.value[i], solutions.alpha[own] = gp.log_likelihood(curve.flux), gp.apply_inverse(curve.flux)
            solutions.x[i], solutions.y[i] = x, y
            solutions.converged[i] = found and math.isfinite(solutions.value[i])
        except (np.linalg.LinAlgError, ValueError, OverflowError):
            solutions.value[i] = np.nan  # george gave up on the matrix: not converged


def maximise(curve: Curve, survey: int, start: Array) -> tuple[bool, float, float]:
    """L-BFGS-B within the bounds of :mod:`features.search`: whether it succeeded, and where it ended."""
    from scipy.optimize import minimize

    search = np.empty(searching.SIZE)
    searching.begin(search, curve.flux, curve.variance, start[0], start[1])
    if search[searching.STATUS] == searching.FAILED:
        return False, math.nan, math.nan
    bounds = [tuple(search[[searching.X_LOW, searching.X_HIGH]]), tuple(search[[searching.Y_LOW, searching.Y_HIGH]])]
    cold = search[searching.SCAN] > 0.0
    first = np.array([search[searching.X], 2.0 * math.log(_START_DAYS) if cold else search[searching.Y]])
    first = np.clip(first, *np.transpose(bounds))
    gp = process(first[0], first[1], curve, survey)
    to_constant = gp.get_parameter_vector()[0] - first[0]  # george's constant is summed over its dimensions

    def loss(place: Array) -> tuple[float, Array]:
        gp.set_parameter_vector([place[0] + to_constant, place[1]])
        return -gp.log_likelihood(curve.flux, quiet=True), -gp.grad_log_likelihood(curve.flux, quiet=True)

    result = minimize(loss, first, jac=True, bounds=bounds, method="L-BFGS-B")
    return bool(result.success), float(result.x[0]), float(result.x[1])


def predict(
    points: Points, survey: NDArray[np.int8], x: Array, y: Array, wanted: Array, out_mean: Array, out_std: Array
) -> None:
    """Mean and standard deviation at the wanted times; arguments as in :func:`features.smoother.predict`."""
    for i in range(len(survey)):
        curve = curve_of(points, i)
        if not np.isfinite(x[i] + y[i]) or len(curve.time) == 0:
            out_mean[i], out_std[i] = np.nan, np.nan
            continue
        gp = process(x[i], y[i], curve, int(survey[i]))
        for p, wavelength in enumerate(wavelengths_nm()[survey[i]]):
            places = np.stack([wanted[i], np.full(wanted.shape[1], wavelength)], axis=1)
            out_mean[i, p], square = gp.predict(curve.flux, places, return_var=True)
            out_std[i, p] = np.sqrt(np.maximum(square, 0.0))
