"""The Gaussian process of alerts, and the features of its shape, ready to be drawn over their light curves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.gaussian_process import fit
from features.grid import BEFORE_FIRST_DETECTION_DAYS, predict_grid
from features.matrix import measure
from schemas.light_curves import BANDS, LightCurves

TIMES = 600
KNOWN = 0.4
"""The process is drawn where its standard deviation is below this part of its amplitude, and of the range that nearly
all points lie in (one wild point makes the amplitude large): elsewhere it knows next to nothing."""

FAST_DAYS = 1.0
"""With a shorter timescale, and nights that it does not span, the process is drawn for one night only."""

GAP_DAYS = 0.3
"""Points further apart are of different nights."""

_R = BANDS.index("r")
_CROSS: dict[str, Any] = {"color": "k", "markersize": 9, "markeredgewidth": 1.6, "zorder": 7}


@dataclass(frozen=True, slots=True)
class ProcessPrediction:
    """The process of one alert: ``time_mjd`` (m,) up to the alert, ``mean_njy`` and ``std_njy`` (6, m), and its
    ``features`` by name; the peak in r is at ``peak_mjd``, ``peak_njy``; ``now_njy`` and ``largest_njy`` are its flux
    at the alert and its largest absolute flux there. Where the process is not known, mean and std are NaN. A fast one
    is seen in the night ``closer_mjd`` (first and last time). ``set_aside`` (2, k): time and flux of the points that it
    was not fitted to."""

    time_mjd: NDArray[np.float64]
    mean_njy: NDArray[np.float64]
    std_njy: NDArray[np.float64]
    features: dict[str, float]
    peak_mjd: float
    peak_njy: float
    now_njy: float
    largest_njy: float
    closer_mjd: tuple[float, float] | None
    set_aside: NDArray[np.float64]

    def mark(self, axes: Axes, scale: float) -> None:
        """Mark peak, rise, decline and the slope now, in r, in an axis whose unit is 1 / ``scale`` nJy."""
        features, high, length = self.features, self.peak_njy * scale, float(np.ptp(self.time_mjd))
        axes.plot(self.set_aside[0], self.set_aside[1] * scale, "x", **_CROSS)
        if self.closer_mjd is not None:
            return
        axes.plot(self.peak_mjd, high, "*", color="white", markeredgecolor="k", markersize=13, zorder=6)
        for name, sign in (("rise_days", -1.0), ("decline_days", 1.0)):
            if math.isfinite(features[name]):
                _span(axes, self.peak_mjd, self.peak_mjd + sign * features[name], 0.5 * high, f"{features[name]:.1f} d")
        if math.isfinite(features["slope_now"]):
            ends = np.array([-0.08, 0.03]) * length
            axes.plot(
                self.time_mjd[-1] + ends,
                (self.now_njy + features["slope_now"] * self.largest_njy * ends) * scale,
                "k-",
                linewidth=2.0,
                zorder=6,
            )

    def handles(self) -> list[Line2D]:
        """What the legend says of the process and its marks."""
        line = Line2D([], [], color="0.3", linewidth=1.4, label="Gaussian process, ±1σ")
        if self.set_aside.size:
            cross = Line2D([], [], linestyle="none", marker="x", label="point set aside", **_CROSS)
            return [line, cross, *self._star()]
        return [line, *self._star()]

    def _star(self) -> list[Line2D]:
        if self.closer_mjd is not None:
            return []
        star = Line2D([], [], linestyle="none", marker="*", color="white", markeredgecolor="k", markersize=11)
        star.set_label("peak of the process in r")
        return [star]


def _span(axes: Axes, left: float, right: float, height: float, text: str) -> None:
    arrow = {"arrowstyle": "<->", "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (left, height), (right, height), arrowprops=arrow, zorder=6)
    label = axes.annotate(
        text, ((left + right) / 2, height), (0, 5), textcoords="offset points", ha="center", fontsize=9, zorder=7
    )
    label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0})


def predictions_of(light_curves: LightCurves) -> list[ProcessPrediction | None]:
    """A prediction for each alert; None where the process has no points or did not converge."""
    fits = fit(light_curves)
    grid, values = predict_grid(fits), measure(fits)
    first = np.fmax(grid.time_mjd[:, 0], light_curves.alert_mjd - 400.0 - BEFORE_FIRST_DETECTION_DAYS)
    fast = fits.converged & (fits.timescale_days < FAST_DAYS)
    night = [_best_night(light_curves, row) if fast[row] else None for row in range(len(first))]
    wanted = np.stack([_times(light_curves, row, float(first[row]), night[row]) for row in range(len(first))])
    mean, std = fits.predict(wanted)
    unknown = std > KNOWN * np.fmin(fits.amplitude_njy, _ranges_njy(light_curves))[:, None, None]
    mean[unknown], std[unknown] = np.nan, np.nan
    predictions: list[ProcessPrediction | None] = []
    for row in range(len(light_curves)):
        if not fits.converged[row]:
            predictions.append(None)
            continue
        flux = grid.mean_njy[row, _R]
        peak = int(np.argmax(flux))
        features = dict(zip(NAMES, values[row].tolist(), strict=True))
        marks = float(grid.time_mjd[row, peak]), float(flux[peak]), float(flux[-1]), float(np.abs(flux).max())
        of_alert = slice(light_curves.offsets[row], light_curves.offsets[row + 1])
        aside = np.isfinite(fits.set_aside[of_alert])
        points = np.stack([light_curves.time_mjd[of_alert][aside], light_curves.flux_njy[of_alert][aside]])
        predictions.append(ProcessPrediction(wanted[row], mean[row], std[row], features, *marks, night[row], points))
    return predictions


def _ranges_njy(light_curves: LightCurves) -> NDArray[np.float64]:
    """The range of each alert's points, without the highest and lowest fortieth; NaN where there are none."""
    points = np.split(light_curves.flux_njy, light_curves.offsets[1:-1])
    return np.array([np.ptp(np.percentile(flux, (2.5, 97.5))) if len(flux) > 1 else np.nan for flux in points])


def _best_night(light_curves: LightCurves, row: int) -> tuple[float, float] | None:
    """The first and last time of the night with most points; None where there is one night only."""
    time_mjd = light_curves.time_mjd[light_curves.offsets[row] : light_curves.offsets[row + 1]]
    nights = np.split(time_mjd, np.flatnonzero(np.diff(time_mjd) > GAP_DAYS) + 1)
    longest = max(nights, key=len)
    return (float(longest[0]), float(longest[-1])) if len(nights) > 1 and len(longest) > 1 else None


def _times(light_curves: LightCurves, row: int, first: float, night: tuple[float, float] | None) -> NDArray[np.float64]:
    """Half of the times evenly from ``first`` to the alert, half in the night or where the points lie."""
    last = float(light_curves.alert_mjd[row])
    even = np.linspace(first, last, TIMES // 2)
    if night is not None:
        return np.sort(np.concatenate([even, np.linspace(*night, TIMES - len(even))]))
    curve_mjd = light_curves.time_mjd[light_curves.offsets[row] : light_curves.offsets[row + 1]]
    curve_mjd = curve_mjd[curve_mjd >= first]
    if not len(curve_mjd):
        return np.linspace(first, last, TIMES)
    dense = np.interp(np.linspace(0, len(curve_mjd) - 1, TIMES - len(even)), np.arange(len(curve_mjd)), curve_mjd)
    return np.sort(np.concatenate([even, dense]))
