"""Fit a Gaussian process in time and wavelength to every light curve of a batch, and predict flux from it.

The kernel, its constants and its bounds are in :mod:`features.kernel`. Three backends give the same answer:

- ``state_space``: exact in linear time, compiled; the one the broker uses;
- ``dense``: Cholesky factorisation, compiled, cubic time;
- ``george``: the george package and SciPy's optimiser, the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features import dense, george_backend, mean_flux, smoother, state_space
from features.kernel import N_BANDS, band_correlations, floored_variance
from schemas.light_curves import LightCurves

Backend = Literal["state_space", "dense", "george"]
BACKENDS: tuple[str, ...] = get_args(Backend)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GaussianProcessFits:
    """One Gaussian process for each light curve; arrays of shape (n,).

    - ``amplitude_njy``: standard deviation of the process, nJy, greater than 0.
    - ``timescale_days``: its correlation length in time, days, within ``kernel.TIMESCALE_BOUNDS_DAYS``.
    - ``log_likelihood``: natural log of the probability density of the fluxes (nJy) at these values.
    - ``converged``: the search ended at a maximum. Without points, or where it did not, nothing else should be used.
    - ``weights_per_njy``: (points,) the inverse covariance of the points (signal and noise) times their fluxes, 1/nJy.

    All but ``converged`` are NaN for a light curve without points.
    """

    light_curves: LightCurves
    backend: str
    amplitude_njy: Array
    timescale_days: Array
    log_likelihood: Array
    converged: NDArray[np.bool_]
    weights_per_njy: Array

    def __len__(self) -> int:
        return len(self.converged)

    def select(self, which: ArrayLike) -> GaussianProcessFits:
        """The fits of the chosen light curves: row numbers or a boolean mask of shape (n,)."""
        rows = np.arange(len(self))[np.asarray(which)]
        points = np.concatenate(
            [np.arange(*self.light_curves.offsets[[row, row + 1]]) for row in rows] or [np.empty(0, int)]
        )
        chosen = [
            getattr(self, name)[rows] for name in ("amplitude_njy", "timescale_days", "log_likelihood", "converged")
        ]
        return GaussianProcessFits(self.light_curves.select(rows), self.backend, *chosen, self.weights_per_njy[points])

    def predict(self, time_mjd: ArrayLike) -> tuple[Array, Array]:
        """Mean and standard deviation of the flux at ``time_mjd`` (n, m), MJD TAI in any order: two arrays (n, 6, m), nJy.

        The standard deviation is that of the noiseless flux. NaN for light curves without points.
        """
        wanted, order = self._ascending(time_mjd)
        mean = np.empty((len(self), N_BANDS, wanted.shape[1]))
        std = np.empty_like(mean)
        curves = self.light_curves
        points = (curves.offsets, curves.time_mjd, curves.flux_njy, self._variance(), curves.band)
        if self.backend == "george":
            george_backend.predict(*points, curves.survey, *self._logarithms(), wanted, mean, std)
        else:
            solver = dense if self.backend == "dense" else smoother
            solver.predict(*points, band_correlations()[curves.survey], *self._logarithms(), wanted, mean, std)
        return _restored(mean, order), _restored(std, order)

    def predict_mean(self, time_mjd: ArrayLike) -> Array:
        """The mean of :meth:`predict` alone, (n, 6, m), nJy: much cheaper."""
        wanted, order = self._ascending(time_mjd)
        mean = np.empty((len(self), N_BANDS, wanted.shape[1]))
        curves = self.light_curves
        mean_flux.predict_mean(
            curves.offsets, curves.time_mjd, curves.band, self.weights_per_njy,
            band_correlations()[curves.survey], *self._logarithms(), wanted, mean,
        )  # fmt: skip
        return _restored(mean, order)

    def _ascending(self, time_mjd: ArrayLike) -> tuple[Array, NDArray[np.int64] | None]:
        wanted = np.ascontiguousarray(time_mjd, np.float64)
        if wanted.ndim != 2 or len(wanted) != len(self):
            raise ValueError(
                f"time_mjd must have shape ({len(self)}, m), one row of times per light curve, found {wanted.shape}"
            )
        if (wanted[:, 1:] >= wanted[:, :-1]).all():
            return wanted, None
        order = np.argsort(wanted, axis=1, kind="stable")
        return np.take_along_axis(wanted, order, axis=1), order

    def _variance(self) -> Array:
        return floored_variance(self.light_curves.flux_njy, self.light_curves.flux_err_njy)

    def _logarithms(self) -> tuple[Array, Array]:
        return 2 * np.log(self.amplitude_njy), 2 * np.log(self.timescale_days)


def fit(
    light_curves: LightCurves, *, backend: str = "state_space", start: ArrayLike | None = None
) -> GaussianProcessFits:
    """Fit amplitude and timescale of every light curve by maximum likelihood.

    ``start`` (n, 2), amplitude in nJy and timescale in days, begins the search at earlier values of the same objects (NaN: none
    known) and saves part of the work; without it the search is a function of the light curve alone. Never raises for valid
    light curves. Raises ValueError for an unknown backend or a start of another shape.
    """
    if backend not in BACKENDS:
        raise ValueError(f"the backend must be one of {', '.join(BACKENDS)}, found {backend!r}")
    n = len(light_curves)
    given = np.full((n, 2), np.nan) if start is None else np.array(start, np.float64)
    if given.shape != (n, 2):
        raise ValueError(f"start must have shape ({n}, 2), amplitude in nJy and timescale in days, found {given.shape}")
    given[~(np.isfinite(given) & (given > 0)).all(axis=1)] = np.nan
    given = 2 * np.log(given)
    x, y, value = np.empty(n), np.empty(n), np.empty(n)
    converged, weights = np.empty(n, np.bool_), np.empty(len(light_curves.time_mjd))
    results = (given, x, y, value, converged, weights)
    variance = floored_variance(light_curves.flux_njy, light_curves.flux_err_njy)
    points = (light_curves.offsets, light_curves.time_mjd, light_curves.flux_njy, variance, light_curves.band)
    if backend == "george":
        george_backend.fit(*points, light_curves.survey, *results)
    else:
        solver = dense if backend == "dense" else state_space
        solver.fit(*points, band_correlations()[light_curves.survey], *results)
    return GaussianProcessFits(light_curves, backend, np.exp(0.5 * x), np.exp(0.5 * y), value, converged, weights)


def _restored(values: Array, order: NDArray[np.int64] | None) -> Array:
    if order is None:
        return values
    result = np.empty_like(values)
    np.put_along_axis(result, np.broadcast_to(order[:, None, :], values.shape), values, axis=2)
    return result
