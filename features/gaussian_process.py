"""Fit a Gaussian process in time and wavelength to every light curve of a batch, and predict the flux.

The kernel, its constants and its bounds are in :mod:`features.kernel`. Three backends give the same answer:

- ``state_space``: exact in linear time, compiled; the broker uses this one;
- ``dense``: Cholesky factorisation, compiled, cubic time;
- ``george``: the george package and SciPy's optimiser, the reference; it also takes other kernels of george.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features import dense, george_backend, mean_flux, robust, smoother, state_space
from features.kernel import ERROR_FLOOR_FRACTION, N_BANDS, SQRT3
from features.noise import log_prior
from features.points import Points, points_of
from schemas.light_curves import POINT_COLUMNS, LightCurves

Backend = Literal["state_space", "dense", "george"]
BACKENDS: tuple[str, ...] = get_args(Backend)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GaussianProcessFits:
    """One Gaussian process for each light curve; arrays of shape (n,).

    - ``given``: the light curves as they were given.
    - ``light_curves``: as they are believed: without the points that were set aside (:mod:`features.outliers`), the
      stated errors times the noise factor. Features are measured of these.
    - ``variance_njy2``: (points of ``light_curves``,) the variance that the process was fitted with: that of the errors
      and of the error floor, times the noise factor squared.
    - ``set_aside``: (points of ``given``,) how far a point that was set aside is from the process, in standard
      deviations, with its sign; NaN for a point that is believed.
    - ``noise_factor``: what the stated errors were multiplied with, within ``noise.FACTOR_BOUNDS``.
    - ``amplitude_njy``: standard deviation of the process, nJy, greater than 0.
    - ``timescale_days``: its correlation length in time, days, within ``kernel.TIMESCALE_BOUNDS_DAYS``.
    - ``log_likelihood``: natural log of the probability density of the fluxes (nJy) at these values.
    - ``converged``: the search ended at a maximum. If not, or without points, do not use the other values.
    - ``weights_per_njy``: (points of ``light_curves``,) the inverse covariance of the points (signal and noise) times
      their fluxes, 1/nJy.
    - ``error_floor``: standard error added in quadrature to every point, a fraction of its flux.
    - ``explained``: (n, 6, 3) state of the filter for each band after the last point (``points.Solutions``); without
      it :meth:`predict_std_now` takes longer.
    - ``kernel``: the requested george kernel, or None for that of :mod:`features.kernel`.

    All but ``converged`` are NaN for a light curve without points.
    """

    given: LightCurves
    light_curves: LightCurves
    set_aside: Array
    backend: str
    noise_factor: Array
    amplitude_njy: Array
    timescale_days: Array
    log_likelihood: Array
    converged: NDArray[np.bool_]
    weights_per_njy: Array
    variance_njy2: Array
    error_floor: float = ERROR_FLOOR_FRACTION
    explained: Array | None = None
    kernel: Any = None

    def __len__(self) -> int:
        return len(self.converged)

    def select(self, which: ArrayLike) -> GaussianProcessFits:
        """The fits of the chosen light curves: row numbers or a boolean mask of shape (n,)."""
        rows = np.arange(len(self))[np.asarray(which)]
        given, curves = self.given.select(rows), self.light_curves.select(rows)
        believed = _places(self.light_curves, rows, curves)
        return GaussianProcessFits(
            given=given,
            light_curves=curves,
            set_aside=self.set_aside[_places(self.given, rows, given)],
            backend=self.backend,
            noise_factor=self.noise_factor[rows],
            amplitude_njy=self.amplitude_njy[rows],
            timescale_days=self.timescale_days[rows],
            log_likelihood=self.log_likelihood[rows],
            converged=self.converged[rows],
            weights_per_njy=self.weights_per_njy[believed],
            variance_njy2=self.variance_njy2[believed],
            error_floor=self.error_floor,
            explained=None if self.explained is None else self.explained[rows],
            kernel=self.kernel,
        )

    @property
    def points(self) -> Points:
        """The points that are believed, with the variance that the process was fitted with."""
        return points_of(self.light_curves)._replace(variance=self.variance_njy2)

    @property
    def n_points_set_aside(self) -> NDArray[np.int64]:
        """How many points of each light curve were set aside, (n,)."""
        return self.given.n_points - self.light_curves.n_points

    @property
    def log_posterior(self) -> Array:
        """What the search makes as great as it can: the log-likelihood and the log prior of the noise factor, (n,)."""
        return self.log_likelihood + log_prior(self.noise_factor)

    @property
    def start(self) -> Array:
        """What a later fit of the same objects may begin at, (n, 3)."""
        return np.stack([self.amplitude_njy, self.timescale_days, self.noise_factor], axis=1)

    def predict(self, time_mjd: ArrayLike) -> tuple[Array, Array]:
        """Mean and standard deviation of the flux, two arrays (n, 6, m), nJy, at ``time_mjd`` (n, m), MJD TAI.

        The standard deviation is that of the noiseless flux. NaN for light curves without points.
        """
        wanted, order = self._ascending(time_mjd)
        mean = np.empty((len(self), N_BANDS, wanted.shape[1]))
        std = np.empty_like(mean)
        _solver(self.backend, self.kernel)[1](self.points, *self._logarithms(), wanted, mean, std)
        return _restored(mean, order), _restored(std, order)

    def predict_std_now(self, time_mjd: ArrayLike) -> Array:
        """The standard deviation of :meth:`predict` at one time for each light curve, (n, 6), nJy.

        It costs almost nothing if ``time_mjd`` (n,), MJD TAI, is at or after the last point. There the explained part
        of the covariance only decays: over s = √3 × days / timescale known[f, f] becomes
        e⁻²ˢ (known[f, f] + 2 s known[f, g] + s² known[g, g]) (:mod:`features.state_space`).
        """
        now = np.asarray(time_mjd, np.float64)
        if now.shape != (len(self),):
            raise ValueError(f"time_mjd must have shape ({len(self)},), one time per light curve, found {now.shape}")
        curves = self.light_curves
        some, last = curves.n_points > 0, np.full(len(self), np.nan)
        last[some] = curves.time_mjd[curves.offsets[1:][some] - 1]
        if self.explained is None or (now < last).any():
            return self.predict(now[:, None])[1][:, :, 0]
        s = (SQRT3 * (now - last) / self.timescale_days)[:, None]
        ff, fg, gg = np.moveaxis(self.explained, 2, 0)
        explained_fraction = np.exp(-2 * s) * (ff + s * (2 * fg + s * gg))
        return self.amplitude_njy[:, None] * np.sqrt(np.maximum(1 - explained_fraction, 0.0))

    def predict_mean(self, time_mjd: ArrayLike) -> Array:
        """Only the mean of :meth:`predict`, (n, 6, m), nJy: much cheaper."""
        wanted, order = self._ascending(time_mjd)
        out = np.empty((len(self), N_BANDS, wanted.shape[1]))
        points = self.points
        given = self.weights_per_njy, *self._logarithms(), wanted, out
        if self.kernel is None:
            mean_flux.predict_mean(points, *given)
        else:
            george_backend.predict_mean(points, *given, self.kernel)
        return _restored(out, order)

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

    def _logarithms(self) -> tuple[Array, Array]:
        with np.errstate(divide="ignore"):  # amplitude zero: the squared errors are too small for a double
            return 2 * np.log(self.amplitude_njy), 2 * np.log(self.timescale_days)


def fit(
    light_curves: LightCurves,
    *,
    backend: str = "state_space",
    start: ArrayLike | None = None,
    error_floor: float = ERROR_FLOOR_FRACTION,
    kernel: Any = None,
) -> GaussianProcessFits:
    """Fit amplitude, timescale and noise factor of every light curve by maximum likelihood.

    Points that stand alone are set aside (:mod:`features.outliers`, :mod:`features.robust`). The noise factor has a
    prior and bounds (:mod:`features.noise`).

    ``start`` (n, 3), amplitude in nJy, timescale in days and noise factor: earlier values of the same objects where the
    search begins (NaN for none). This saves part of the work; without it the result depends on the light curve alone.
    ``error_floor``: standard error added in quadrature to every point, as a fraction of its flux, for the uncertainty
    of calibration and model. Without it every solver loses digits at a raw S/N above 1,000.

    ``kernel``, for the backend george only: a george kernel of two dimensions, time over the timescale and wavelength
    in nm. The covariance is amplitude² × kernel; the parameters of the kernel stay as given, and the timescale is in
    units of its length. Never raises for valid light curves. Raises ValueError for an unknown backend, a kernel that
    the backend does not accept, a start of another shape or an error floor outside 0 to 1.
    """
    _require(backend, kernel)
    if not 0.0 <= error_floor < 1.0:
        raise ValueError(f"the error floor must be a fraction of the flux, 0 to 1, found {error_floor}")
    points = points_of(light_curves, error_floor)
    solutions, set_aside = robust.solve(points, _start(start, len(light_curves)), *_solver(backend, kernel))
    kept = np.isnan(set_aside)
    factor = np.where(np.isfinite(solutions.noise_factor), solutions.noise_factor, 1.0)[light_curves.alert_of_point]
    return GaussianProcessFits(
        given=light_curves,
        light_curves=_believed(light_curves, kept, factor),
        set_aside=set_aside,
        backend=backend,
        noise_factor=solutions.noise_factor,
        amplitude_njy=np.exp(0.5 * solutions.x),
        timescale_days=np.exp(0.5 * solutions.y),
        log_likelihood=solutions.value,
        converged=solutions.converged,
        weights_per_njy=solutions.alpha[kept],
        variance_njy2=(points.variance * factor**2)[kept],
        error_floor=error_floor,
        explained=solutions.explained if backend == "state_space" else None,
        kernel=kernel,
    )


def _start(start: ArrayLike | None, n: int) -> Array:
    """Log (amplitude / noise factor)² and log timescale² to begin at, (n, 2); NaN for none."""
    given = np.full((n, 3), np.nan) if start is None else np.array(start, np.float64)
    if given.shape != (n, 3):
        raise ValueError(
            f"start must have shape ({n}, 3), amplitude in nJy, timescale in days and noise factor, found {given.shape}"
        )
    given[~(np.isfinite(given) & (given > 0)).all(axis=1)] = np.nan
    amplitude, timescale, factor = np.log(given).T
    return 2 * np.stack([amplitude - factor, timescale], axis=1)


def _solver(backend: str, kernel: Any) -> tuple[robust.Fit, robust.Predict]:
    if backend == "george":
        return partial(george_backend.fit, kernel=kernel), partial(george_backend.predict, kernel=kernel)
    return (dense.fit, dense.predict) if backend == "dense" else (state_space.fit, smoother.predict)


def _believed(given: LightCurves, kept: NDArray[np.bool_], factor: Array) -> LightCurves:
    """The light curves without the points that are not ``kept``, the errors times ``factor``; both (points,)."""
    columns = {name: getattr(given, name)[kept] for name in POINT_COLUMNS if name != "flux_err_njy"}
    offsets = np.concatenate([[0], np.cumsum(kept)])[given.offsets]
    return replace(given, offsets=offsets, flux_err_njy=(given.flux_err_njy * factor)[kept], **columns)


def _places(whole: LightCurves, rows: NDArray[np.int64], chosen: LightCurves) -> NDArray[np.int64]:
    """Where the points of the ``chosen`` rows stand in the ``whole``."""
    shift = whole.offsets[rows] - chosen.offsets[:-1]
    return np.repeat(shift, chosen.n_points) + np.arange(len(chosen.time_mjd))


def _require(backend: str, kernel: Any) -> None:
    if backend not in BACKENDS:
        raise ValueError(f"the backend must be one of {', '.join(BACKENDS)}, found {backend!r}")
    if kernel is not None and (backend != "george" or getattr(kernel, "ndim", None) != 2):
        raise ValueError(
            f"a kernel must be one of george's with ndim=2, (time / timescale, wavelength in nm), for the backend "
            f"george; found {type(kernel).__name__} with ndim={getattr(kernel, 'ndim', None)} for the backend {backend}"
        )


def _restored(values: Array, order: NDArray[np.int64] | None) -> Array:
    if order is None:
        return values
    result = np.empty_like(values)
    np.put_along_axis(result, np.broadcast_to(order[:, None, :], values.shape), values, axis=2)
    return result
