"""The same Gaussian process through celerite2 (Foreman-Mackey et al. 2017, arXiv:1703.09710): a peer of linear cost.

celerite2 factors every covariance Σ_k U_ik V_jk exp(-c_k (t_i - t_j)), t_i ≥ t_j. Matérn-3/2 in time is of that form,
exactly: with s = √3 t / timescale it is (1 + s_i - s_j) exp(-(s_i - s_j)). Its product with any correlation of the
bands, L Lᵀ, has two columns for each band that has points (Gordon et al. 2020, arXiv:2007.05799, write several
wavelengths so). So the kernel is that of :mod:`features.kernel`,
to rounding; celerite2's own ``Matern32Term`` approximates it, for one band. Amplitude and timescale are fitted within
the same bounds by SciPy's L-BFGS-B, the gradient from differences: celerite2's reverse mode takes longer than the two
likelihoods more.
"""

from __future__ import annotations

import math

import numpy as np
from celerite2 import driver
from numpy.typing import NDArray

from features import noise, outliers, robust
from features.george_backend import Loss, maximise
from features.kernel import ERROR_FLOOR_FRACTION, LOG_2_PI, SQRT3
from features.points import Curve, curve_of, points_of
from schemas.light_curves import LightCurves

Array = NDArray[np.float64]
_GRADIENT_STEP = 1e-5  # log amplitude² and log timescale²


class Process:
    """The process of one light curve of at least one point."""

    def __init__(self, curve: Curve) -> None:
        self.curve, self.time = curve, curve.time - curve.time[0]
        with_points = np.unique(curve.band)
        root = np.linalg.cholesky(curve.correlation[np.ix_(with_points, with_points)])
        self.root_of_band = np.linalg.solve(root, curve.correlation[with_points]).T  # (6, bands with points)
        self.root = self.root_of_band[curve.band]
        n, self.rank = self.root.shape
        self.decay, self.spread = np.empty(2 * self.rank), np.empty(n)
        self.left, self.right, self.weight = np.empty((3, n, 2 * self.rank))
        self.white, self.flux = np.empty((n, 1)), curve.flux[:, None]

    def log_likelihood(self, x: float, y: float) -> float:
        """Natural log of the likelihood at log amplitude² ``x`` (nJy²) and log timescale² ``y`` (days²)."""
        square, rate, rank = math.exp(x), SQRT3 * math.exp(-0.5 * y), self.rank
        s = (rate * self.time)[:, None]
        self.decay[:] = rate
        self.left[:, :rank], self.left[:, rank:] = (1.0 + s) * self.root, self.root
        self.right[:, :rank], self.right[:, rank:] = square * self.root, -square * s * self.root
        self.weight[:] = self.right
        diagonal = self.curve.variance + square
        driver.factor(self.time, self.decay, diagonal, self.left, self.right, self.spread, self.weight)
        driver.solve_lower(self.time, self.decay, self.left, self.weight, self.flux, self.white)
        self.misfit = float((self.white[:, 0] ** 2 / self.spread).sum())
        return -0.5 * float(self.misfit + np.log(self.spread).sum() + len(self.spread) * LOG_2_PI)

    def log_posterior(self, x: float, y: float) -> float:
        """The same at the best noise factor f, with its prior (:mod:`features.noise`); ``x``: log (amplitude / f)²."""
        raw = self.log_likelihood(x, y)
        return raw + 0.5 * (self.misfit - noise.loss(self.misfit, len(self.spread), self.curve.factor_ceiling))

    def loss_from(self, first: Array) -> Loss:
        """The same loss wherever a search begins."""
        return self.loss

    def loss(self, place: Array) -> tuple[float, Array]:
        """The negative of :meth:`log_posterior` and its gradient at log (amplitude / f)² and log timescale² (2,)."""
        x, y = float(place[0]), float(place[1])
        here = self.log_posterior(x, y)
        rise = [self.log_posterior(x + _GRADIENT_STEP, y) - here, self.log_posterior(x, y + _GRADIENT_STEP) - here]
        return -here, -np.array(rise) / _GRADIENT_STEP

    def predict(self, x: float, y: float, time_mjd: Array) -> tuple[Array, Array]:
        """Mean (6, m), nJy, at ``time_mjd`` (m,), ascending, and standard deviation (6,), nJy, at the last of them."""
        self.log_likelihood(x, y)
        square, rate, time = math.exp(x), self.decay[0], self.time
        scaled = self.white / self.spread[:, None]
        alpha = driver.solve_upper(time, self.decay, self.left, self.weight, scaled, np.empty_like(scaled))
        wanted, decay = time_mjd - self.curve.time[0], self.decay[:2]
        left, right = (np.stack([1.0 + rate * t, np.ones(len(t))], axis=1) for t in (wanted, time))
        left_of, right_of = (np.stack([np.ones(len(t)), -rate * t], axis=1) for t in (wanted, time))
        mean = np.zeros((len(wanted), self.rank))
        driver.general_matmul_lower(wanted, time, decay, left, right_of, alpha * self.root, mean)
        driver.general_matmul_upper(wanted, time, decay, left_of, right, alpha * self.root, mean)
        distance = rate * np.abs(wanted[-1] - time)[:, None]
        shared = square * (1.0 + distance) * np.exp(-distance) * (self.root @ self.root_of_band.T)
        white = driver.solve_lower(time, self.decay, self.left, self.weight, shared, np.empty_like(shared))
        std = np.sqrt(np.maximum(square - (white**2 / self.spread[:, None]).sum(axis=0), 0.0))
        return square * self.root_of_band @ mean.T, std


def fit_and_predict(light_curves: LightCurves, time_mjd: Array) -> Array:
    """Fit each light curve and predict it at its row of ``time_mjd`` (n, m), MJD, ascending; the log-likelihoods with
    the prior of the noise factor (n,).

    The points that stand alone are left out as before our first fit. NaN for a light curve without points.
    """
    points, nothing = points_of(light_curves, ERROR_FLOOR_FRACTION), np.full(2, np.nan)
    is_out = np.zeros(len(points.time), np.bool_)
    outliers.take_out(points, is_out, points.factor_ceiling)
    believed, _ = robust.believed(points, is_out, np.arange(len(light_curves)))
    log_posterior = np.full(len(light_curves), np.nan)
    for i in np.flatnonzero(light_curves.n_points).tolist():
        curve = curve_of(believed, i)
        process = Process(curve)
        _, x, y = maximise(curve, nothing, process.loss_from)
        log_posterior[i] = process.log_posterior(x, y)
        process.predict(x, y, time_mjd[i])
    return log_posterior
