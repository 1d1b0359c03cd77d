"""The Gaussian process of alerts, and the features of its shape, ready to be drawn over their light curves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.gaussian_process import fit
from features.grid import BEFORE_FIRST_DETECTION_DAYS, predict_grid
from features.matrix import measure
from schemas.light_curves import BANDS, LightCurves

TIMES = 300
_R = BANDS.index("r")


@dataclass(frozen=True, slots=True)
class ProcessPrediction:
    """The process of one alert: ``time_mjd`` (m,) up to the alert, ``mean_njy`` and ``std_njy`` (6, m), and its
    ``features`` by name; the peak in r is at ``peak_mjd``, ``peak_njy``."""

    time_mjd: NDArray[np.float64]
    mean_njy: NDArray[np.float64]
    std_njy: NDArray[np.float64]
    features: dict[str, float]
    peak_mjd: float
    peak_njy: float

    def mark(self, axes: Axes, scale: float) -> None:
        """Mark peak, rise, decline and the slope now, in r, in an axis whose unit is 1 / ``scale`` nJy."""
        found, high = self.features, self.peak_njy * scale
        axes.plot(self.peak_mjd, high, "k*", markersize=8, zorder=5)
        if math.isfinite(found["rise_days"]):
            _span(axes, self.peak_mjd - found["rise_days"], self.peak_mjd, 0.5 * high, f"{found['rise_days']:.1f} d")
        if math.isfinite(found["decline_days"]):
            _span(
                axes, self.peak_mjd, self.peak_mjd + found["decline_days"], 0.5 * high, f"{found['decline_days']:.1f} d"
            )
        if math.isfinite(found["slope_now"]):
            now, shown = self.time_mjd[-1], 0.08 * float(np.ptp(self.time_mjd))
            largest = abs(self.mean_njy[_R]).max() * scale
            end = self.mean_njy[_R, -1] * scale
            ends = np.array([-shown, 0.4 * shown])
            axes.plot(now + ends, end + found["slope_now"] * largest * ends, "k--", linewidth=1.2, zorder=5)


def _span(axes: Axes, left: float, right: float, height: float, text: str) -> None:
    arrow = {"arrowstyle": "<->", "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (left, height), (right, height), arrowprops=arrow, zorder=5)
    axes.annotate(
        text, ((left + right) / 2, height), (0, 2), textcoords="offset points", ha="center", fontsize=6.5, zorder=5
    )


def predictions_of(light_curves: LightCurves) -> list[ProcessPrediction | None]:
    """A prediction for each alert; None where the process has no points or did not converge."""
    fits = fit(light_curves)
    grid, values = predict_grid(fits), measure(fits)
    first = np.fmax(grid.time_mjd[:, 0], light_curves.alert_mjd - 400.0 - BEFORE_FIRST_DETECTION_DAYS)
    wanted = np.linspace(first, light_curves.alert_mjd, TIMES, axis=1)
    mean, std = fits.predict(wanted)
    found: list[ProcessPrediction | None] = []
    for row in range(len(light_curves)):
        if not fits.converged[row]:
            found.append(None)
            continue
        peak = int(np.argmax(grid.mean_njy[row, _R]))
        features = dict(zip(NAMES, values[row].tolist(), strict=True))
        place = float(grid.time_mjd[row, peak]), float(grid.mean_njy[row, _R, peak])
        found.append(ProcessPrediction(wanted[row], mean[row], std[row], features, *place))
    return found
