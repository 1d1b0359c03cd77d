"""The same Gaussian process through george (Ambikasaran et al. 2015, arXiv:1403.6015) and SciPy's L-BFGS-B: the
reference.

It is slow, treats one light curve after the other, and is independent code, so the compiled backends are checked
against it. It also accepts any other kernel of george, over (time / timescale, wavelength in nm). Amplitude and
timescale are fitted as usual; the parameters of the kernel stay as given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features import noise
from features import search as searching
from features.kernel import N_BANDS, WAVELENGTH_LENGTH_NM, wavelengths_nm
from features.points import Curve, Points, Solutions, curve_of

Array = NDArray[np.float64]
_START_DAYS = 20.0
_GRADIENT_STEP = 1e-4  # of log amplitude² and log timescale²: the likelihood is accurate to ten digits
Loss = Callable[[Array], tuple[float, Array]]


def process(x: float, y: float, curve: Curve, survey: int, kernel: Any = None) -> Any:
    """A george.GP at log amplitude² ``x`` (nJy²) and log timescale² ``y`` (days²), its matrix factored, with
    the default kernel or another."""
    import george
    from george import kernels

    if kernel is not None:
        gp = george.GP(math.exp(x) * kernel)
        time = curve.time * math.exp(-0.5 * y)
    else:
        house = (
            math.exp(x)
            * kernels.Matern32Kernel(math.exp(y), ndim=2, axes=0)
            * kernels.Matern32Kernel(WAVELENGTH_LENGTH_NM**2, ndim=2, axes=1)
        )
        house.freeze_parameter("k2:metric:log_M_0_0")
        gp, time = george.GP(house), curve.time
    gp.compute(np.stack([time, wavelengths_nm()[survey, curve.band]], axis=1), np.sqrt(curve.variance))
    return gp


def fit(points: Points, start: Array, solutions: Solutions, kernel: Any = None) -> None:
    """Fit every light curve; ``start`` (n, 2): log (amplitude / f)², log timescale² where the search begins, or NaN."""
    survey = points.survey
    for i in range(len(survey)):
        of_alert = slice(points.offsets[i], points.offsets[i + 1])
        if of_alert.start == of_alert.stop:
            continue
        curve = curve_of(points, i)
        try:
            ended, x, y = maximise(curve, start[i], partial(_loss, curve, int(survey[i]), kernel=kernel))
            if not math.isfinite(x + y):
                continue
            gp = process(x, y, curve, int(survey[i]), kernel)
            u = _log_factor2(gp, curve)
            shrunk = curve.flux * math.exp(-0.5 * u)
            solutions.value[i] = gp.log_likelihood(shrunk) - 0.5 * len(shrunk) * u
            solutions.alpha[of_alert] = gp.apply_inverse(curve.flux) * math.exp(-u)
            solutions.x[i], solutions.y[i], solutions.noise_factor[i] = x + u, y, math.exp(0.5 * u)
            solutions.converged[i] = ended and math.isfinite(solutions.value[i])
        except (np.linalg.LinAlgError, ValueError, OverflowError):
            solutions.value[i] = np.nan  # george could not factor the matrix: not converged


def maximise(curve: Curve, start: Array, loss_from: Callable[[Array], Loss]) -> tuple[bool, float, float]:
    """L-BFGS-B within the bounds of :mod:`features.search`; returns whether it succeeded, and its end.

    ``loss_from`` gets the start (2,) of the search, log amplitude² and log timescale², and returns the function for the
    negative log-likelihood and its gradient.
    """
    from scipy.optimize import minimize

    search = np.empty(searching.SIZE)
    searching.begin(search, curve.flux, curve.variance, start[0], start[1])
    if search[searching.STATUS] == searching.FAILED:
        return False, math.nan, math.nan
    bounds = [tuple(search[[searching.X_LOW, searching.X_HIGH]]), tuple(search[[searching.Y_LOW, searching.Y_HIGH]])]
    cold = search[searching.SCAN] > 0.0
    first = np.array([search[searching.X], 2.0 * math.log(_START_DAYS) if cold else search[searching.Y]])
    first = np.clip(first, *np.transpose(bounds))
    result = minimize(loss_from(first), first, jac=True, bounds=bounds, method="L-BFGS-B")
    return bool(result.success), float(result.x[0]), float(result.x[1])


def _loss(curve: Curve, survey: int, first: Array, kernel: Any = None) -> Loss:
    """The negative log-likelihood and its gradient, for the default kernel with george's gradient."""
    if kernel is not None:
        return _loss_of_any(curve, survey, kernel)
    gp = process(first[0], first[1], curve, survey)
    to_constant = gp.get_parameter_vector()[0] - first[0]  # george's constant is summed over its dimensions

    def loss(place: Array) -> tuple[float, Array]:
        gp.set_parameter_vector([place[0] + to_constant, place[1]])
        if not math.isfinite(gp.log_likelihood(curve.flux, quiet=True)):
            return math.inf, np.zeros(2)
        # At the best f its own derivative is 0: what is left is the gradient at fluxes f times smaller.
        shrunk = curve.flux * math.exp(-0.5 * _log_factor2(gp, curve))
        return -_height(gp, curve), -gp.grad_log_likelihood(shrunk, quiet=True)

    return loss


def _log_factor2(gp: Any, curve: Curve) -> float:
    return noise.log_factor2(_misfit(gp, curve), len(curve.flux), curve.factor_ceiling)


def _misfit(gp: Any, curve: Curve) -> float:
    return float(curve.flux @ gp.apply_inverse(curve.flux))


def _height(gp: Any, curve: Curve) -> float:
    """The log-likelihood at the best noise factor, with its prior (:mod:`features.noise`)."""
    misfit = _misfit(gp, curve)
    loss = noise.loss(misfit, len(curve.flux), curve.factor_ceiling)
    return float(gp.log_likelihood(curve.flux, quiet=True) + 0.5 * (misfit - loss))


def _loss_of_any(curve: Curve, survey: int, kernel: Any) -> Loss:
    """The same for any kernel, with the gradient from finite differences."""

    def height(x: float, y: float) -> float:
        return _height(process(x, y, curve, survey, kernel), curve)

    def loss(place: Array) -> tuple[float, Array]:
        x, y, step = float(place[0]), float(place[1]), _GRADIENT_STEP
        rise = np.array([height(x + step, y) - height(x - step, y), height(x, y + step) - height(x, y - step)])
        return -height(x, y), -rise / (2.0 * step)

    return loss


def predict(
    points: Points,
    x: Array,
    y: Array,
    wanted: Array,
    out_mean: Array,
    out_std: Array,
    kernel: Any = None,
) -> None:
    """Mean and standard deviation at the wanted times; arguments as in :func:`features.smoother.predict`."""
    for i, survey in enumerate(points.survey.tolist()):
        curve = curve_of(points, i)
        if not np.isfinite(x[i] + y[i]) or len(curve.time) == 0:
            out_mean[i], out_std[i] = np.nan, np.nan
            continue
        gp = process(x[i], y[i], curve, survey, kernel)
        time = wanted[i] if kernel is None else wanted[i] * math.exp(-0.5 * y[i])
        for p, wavelength in enumerate(wavelengths_nm()[survey]):
            places = np.stack([time, np.full(len(time), wavelength)], axis=1)
            out_mean[i, p], square = gp.predict(curve.flux, places, return_var=True)
            out_std[i, p] = np.sqrt(np.maximum(square, 0.0))


def predict_mean(
    points: Points,
    alpha: Array,
    x: Array,
    y: Array,
    wanted: Array,
    out: Array,
    kernel: Any,
) -> None:
    """The mean under any kernel; arguments as in :func:`features.mean_flux.predict_mean`."""
    for i, survey in enumerate(points.survey.tolist()):
        of_alert = slice(points.offsets[i], points.offsets[i + 1])
        if not np.isfinite(x[i] + y[i]) or of_alert.start == of_alert.stop:
            out[i] = np.nan
            continue
        rate, wavelengths = math.exp(-0.5 * y[i]), wavelengths_nm()[survey]
        seen = np.stack([points.time[of_alert] * rate, wavelengths[points.band[of_alert]]], axis=1)
        time, weight = wanted[i] * rate, math.exp(x[i]) * alpha[of_alert]
        for p in range(N_BANDS):
            out[i, p] = _covariance(kernel, time, wavelengths[p], seen) @ weight


def _covariance(kernel: Any, time: Array, wavelength: float, seen: Array) -> Any:
    """The kernel between ``time`` (m,), in timescales, at one wavelength, and the points ``seen`` (k, 2): (m, k)."""
    return kernel.get_value(np.stack([time, np.full(len(time), wavelength)], axis=1), seen)
