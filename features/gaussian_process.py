"""Fit a Gaussian process in time and wavelength to every light curve of a batch, and predict the flux.

The kernel, its constants and its bounds are in :mod:`features.kernel`. Three backends give the same answer:

- ``state_space``: exact in linear time, compiled; the broker uses this one;
- ``dense``: Cholesky factorisation, compiled, cubic time;
- ``george``: the george package and SciPy's optimiser, the reference; it also takes other kernels of george.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features import dense, george_backend, mean_flux, smoother, state_space
from features.kernel import ERROR_FLOOR_FRACTION, N_BANDS, SQRT3
from features.points import points_of, unsolved
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
    - ``converged``: the search ended at a maximum. If not, or without points, do not use the other values.
    - ``weights_per_njy``: (points,) the inverse covariance of the points (signal and noise) times their fluxes, 1/nJy.
    - ``error_floor``: standard error added in quadrature to every point, a fraction of its flux.
    - ``explained``: (n, 6, 3) state of the filter for each band after the last point (``points.Solutions``); without
      it :meth:`predict_std_now` takes longer.
    - ``kernel``: the requested george kernel, or None for that of :mod:`features.kernel`.

    All but ``converged`` are NaN for a light curve without points.
    """

    light_curves: LightCurves
    backend: str
    amplitude_njy: Array
    timescale_days: Array
    log_likelihood: Array
    converged: NDArray[np.bool_]
    weights_per_njy: Array
    error_floor: float = ERROR_FLOOR_FRACTION
    explained: Array | None = None
    kernel: Any = None

    def __len__(self) -> int:
        return len(self.converged)

    def select(self, which: ArrayLike) -> GaussianProcessFits:
        """The fits of the chosen light curves: row numbers or a boolean mask of shape (n,)."""
        rows = np.arange(len(self))[np.asarray(which)]
        chosen = self.light_curves.select(rows)
        shift = self.light_curves.offsets[rows] - chosen.offsets[:-1]
        points = np.repeat(shift, chosen.n_points) + np.arange(len(chosen.time_mjd))
        return GaussianProcessFits(
            light_curves=chosen,
            backend=self.backend,
            amplitude_njy=self.amplitude_njy[rows],
            timescale_days=self.timescale_days[rows],
            log_likelihood=self.log_likelihood[rows],
            converged=self.converged[rows],
            weights_per_njy=self.weights_per_njy[points],
            error_floor=self.error_floor,
            explained=None if self.explained is None else self.explained[rows],
            kernel=self.kernel,
        )

    def predict(self, time_mjd: ArrayLike) -> tuple[Array, Array]:
        """Mean and standard deviation of the flux, two arrays (n, 6, m), nJy, at ``time_mjd`` (n, m), MJD TAI.

        The standard deviation is that of the noiseless flux. NaN for light curves without points.
        """
        wanted, order = self._ascending(time_mjd)
        mean = np.empty((len(self), N_BANDS, wanted.shape[1]))
        std = np.empty_like(mean)
        points, places = points_of(self.light_curves, self.error_floor), self._logarithms()
        if self.backend == "george":
            george_backend.predict(points, self.light_curves.survey, *places, wanted, mean, std, self.kernel)
        else:
            solver = dense if self.backend == "dense" else smoother
            solver.predict(points, *places, wanted, mean, std)
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
        points = points_of(self.light_curves, self.error_floor)
        given = self.weights_per_njy, *self._logarithms(), wanted, out
        if self.kernel is None:
            mean_flux.predict_mean(points, *given)
        else:
            george_backend.predict_mean(points, self.light_curves.survey, *given, self.kernel)
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
    """Fit amplitude and timescale of every light curve by maximum likelihood.

    ``start`` (n, 2), amplitude in nJy and timescale in days: earlier values of the same objects where the search
    begins (NaN for none). This saves part of the work; without it the result depends on the light curve alone.
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
    n = len(light_curves)
    given = np.full((n, 2), np.nan) if start is None else np.array(start, np.float64)
    if given.shape != (n, 2):
        raise ValueError(f"start must have shape ({n}, 2), amplitude in nJy and timescale in days, found {given.shape}")
    given[~(np.isfinite(given) & (given > 0)).all(axis=1)] = np.nan
    given = 2 * np.log(given)
    points = points_of(light_curves, error_floor)
    solutions = unsolved(points)
    if backend == "george":
        george_backend.fit(points, light_curves.survey, given, solutions, kernel)
    else:
        solver = dense if backend == "dense" else state_space
        solver.fit(points, given, solutions)
    amplitude, timescale = np.exp(0.5 * solutions.x), np.exp(0.5 * solutions.y)
    return GaussianProcessFits(
        light_curves,
        backend,
        amplitude,
        timescale,
        solutions.value,
        solutions.converged,
        solutions.alpha,
        error_floor,
        solutions.explained if backend == "state_space" else None,
        kernel,
    )


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
