"""From LightCurves to the feature matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features import gaussian_process
from features.blocks import BLOCKS, inputs_of
from features.catalogue import CATALOGUE, NAMES
from features.definition import finite_or_missing
from features.gaussian_process import GaussianProcessFits
from schemas.light_curves import LightCurves

CHUNK_ALERTS = 500
"""Alerts per chunk: the predicted grids of that many light curves fit into the processor's caches."""

_QUIET = np.errstate(over="ignore", divide="ignore", invalid="ignore")
"""No warnings for overflows or undefined values: they become missing."""

_MIN_POINTS = np.array([feature.min_points for feature in CATALOGUE])


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """``values`` (n, features) float64, finite also as float32, NaN where missing; ``names`` of its columns; the
    Gaussian process ``fits``."""

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

    Each row depends on its own light curve only, not on the rest of the batch. ``backend`` and ``start`` as in
    :func:`features.gaussian_process.fit`. Why a value is missing: :func:`features.missing.reasons`.

    >>> import numpy as np, features
    >>> from schemas.light_curves import LightCurves
    >>> night = np.arange(20)
    >>> points = {
    ...     "time_mjd": 61_000.0 + night, "flux_njy": 5_000 * np.exp(-(((night - 12) / 6) ** 2)),
    ...     "flux_err_njy": np.full(20, 50.0), "band": night % 2 + 1, "is_detection": night > 3,
    ... }
    >>> alerts = {
    ...     "alert_id": [1], "object_id": [1], "alert_mjd": [61_019.0], "ra_deg": [150.0], "dec_deg": [2.0],
    ...     "survey": [0], "schema_id": [0], "is_solar_system": [False], "reliability": [np.nan],
    ... }
    >>> curves = LightCurves.from_points(alert=np.zeros(20, int), columns=points, alerts=alerts)
    >>> matrix = features.extract(curves)
    >>> matrix.values.shape == (1, len(matrix.names))
    True
    >>> row = dict(zip(matrix.names, matrix.values[0].tolist()))
    >>> row["n_points"], round(row["days_since_peak"])
    (20.0, 7)
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
    inputs = inputs_of(fits)
    values = np.concatenate([block.measure(inputs) for block in BLOCKS], axis=1)
    values[inputs.curves.n_points[:, None] < _MIN_POINTS] = np.nan
    return finite_or_missing(values)
