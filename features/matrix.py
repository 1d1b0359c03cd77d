"""LightCurves in, feature matrix out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features import (
    colour,
    context,
    detections,
    gaussian_process,
    parametric,
    process,
    shape,
    statistics,
    timescales,
    variability,
)
from features.catalogue import CATALOGUE, NAMES
from features.common_series import common_series
from features.definition import finite_or_missing
from features.gaussian_process import GaussianProcessFits
from features.grid import predict_grid
from schemas.light_curves import LightCurves

CHUNK_ALERTS = 500
"""Alerts measured at a time: the predicted grids of that many light curves fit in the processor's cache hierarchy."""

_QUIET = np.errstate(over="ignore", divide="ignore", invalid="ignore")
"""What overflows or is undefined is no warning: it becomes missing."""

_MIN_POINTS = np.array([feature.min_points for feature in CATALOGUE])


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """``values`` (n, features) float64, finite also as float32 or NaN = missing; ``names`` of its columns; the Gaussian
    process ``fits``."""

    values: NDArray[np.float64]
    names: tuple[str, ...]
    fits: GaussianProcessFits

    def __len__(self) -> int:
        return len(self.values)


@_QUIET
def extract(
    light_curves: LightCurves, *, backend: str = "state_space", start: NDArray[np.float64] | None = None
) -> FeatureMatrix:
    """Measure every feature of every alert; never raises for valid light curves.

    Each row depends on its own light curve alone, whatever else is in the batch. ``backend`` and ``start`` as in
    :func:`features.gaussian_process.fit`. Why a value is missing: :func:`features.missing.reasons`.
    """
    fits = gaussian_process.fit(light_curves, backend=backend, start=start)
    values = np.empty((len(light_curves), len(NAMES)))
    for begin in range(0, len(light_curves), CHUNK_ALERTS):
        chunk = np.arange(begin, min(begin + CHUNK_ALERTS, len(light_curves)))
        values[chunk] = measure(fits.select(chunk))
    return FeatureMatrix(values, NAMES, fits)


@_QUIET
def measure(fits: GaussianProcessFits) -> NDArray[np.float64]:
    """The feature matrix (n, features) of fitted light curves."""
    curves, grid = fits.light_curves, predict_grid(fits)
    series = common_series(curves)
    values = np.concatenate(
        [
            detections.columns(curves, grid),
            process.columns(curves, fits, grid),
            shape.columns(curves, grid),
            colour.columns(curves, grid),
            parametric.columns(curves, grid),
            variability.columns(curves, grid),
            statistics.columns(series),
            timescales.columns(series),
            context.columns(curves, grid),
        ],
        axis=1,
    )
    values[curves.n_points[:, None] < _MIN_POINTS] = np.nan
    return finite_or_missing(values)
