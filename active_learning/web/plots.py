"""What the page draws of a light curve: points and the Gaussian process, per band, in flux and magnitude."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.web.wording import utc_of
from features import gaussian_process
from schemas.light_curves import BANDS, LightCurves
from schemas.passbands import BAND_COLOURS, BAND_LINE_STYLES, BAND_MARKERS
from schemas.photometry import MAGNITUDE_SIGNAL_TO_NOISE, magnitude_of_flux

DARK_COLOURS = {"u": "#3eb7ff", "g": "#30c39f", "r": "#ff7e00", "i": "#2af5ff", "z": "#a7f9c1", "y": "#fdc900"}
"""The bands' colours on a dark background (RTN-045)."""

SYMBOLS = {"o": "circle", "^": "triangle-up", "v": "triangle-down", "s": "square", "*": "star", "p": "pentagon"}
DASHES = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}

MAGNITUDE_ERROR = 2.5 / np.log(10)
GRID_POINTS = 240
_QUIET_DAYS = 60.0
_MARGIN = 0.12


def figure(light_curves: LightCurves) -> dict[str, Any]:
    """Plain JSON values of the one light curve given; the page's script makes traces of them.

    Per band: points (``detection`` says filled or open) with flux ± error (nJy), magnitude ± error (AB,
    null below 3 σ) and 3 σ limit; and the process' mean with its 68 % band in both. ``window_mjd``: the
    recent activity, ``extent_mjd``: everything.
    """
    curve = light_curves.select([0])
    window, extent = _windows(curve)
    grid = _grid(window, extent)
    with_process = len(curve.time_mjd) > 0
    mean, std = _process(curve, grid) if with_process else (None, None)
    bands = [
        _band(curve, band, grid, None if mean is None else mean[band], None if std is None else std[band])
        for band in sorted(set(curve.band.tolist()))
    ]
    return {
        "alert_mjd": float(curve.alert_mjd[0]),
        "alert_utc": utc_of(float(curve.alert_mjd[0])),
        "window_mjd": window,
        "extent_mjd": extent,
        "bands": bands,
        "n_points": len(curve.time_mjd),
        "n_detections": int(curve.is_detection.sum()),
    }


def _windows(curve: LightCurves) -> tuple[list[float], list[float]]:
    """The last stretch of detections without a gap of 60 days, and the whole history, each with margins."""
    end = float(curve.alert_mjd[0])
    start = float(curve.time_mjd.min()) if len(curve.time_mjd) else end - 10
    seen = np.sort(curve.time_mjd[curve.is_detection])
    begins = start
    if len(seen):
        gaps = np.flatnonzero(np.diff(seen) > _QUIET_DAYS)
        begins = float(seen[gaps[-1] + 1] if len(gaps) else seen[0])
        begins = max(start, begins - max(10.0, 0.3 * (end - begins)))
    return _padded(begins, end), _padded(start, end)


def _padded(start: float, end: float) -> list[float]:
    pad = max(1.0, _MARGIN * (end - start))
    return [start - 0.5 * pad, end + pad]


def _grid(window: list[float], extent: list[float]) -> NDArray[np.float64]:
    """Fine over the recent activity, coarser over the rest; nothing after the window."""
    fine = np.linspace(window[0], window[1], GRID_POINTS)
    coarse = np.linspace(extent[0], window[0], GRID_POINTS) if extent[0] < window[0] else np.empty(0)
    return np.unique(np.concatenate([coarse, fine]))


def _process(curve: LightCurves, grid: NDArray) -> tuple[NDArray | None, NDArray | None]:
    fits = gaussian_process.fit(curve)
    if not fits.converged[0]:
        return None, None
    mean, std = fits.predict(grid[None, :])
    return mean[0], std[0]


def _band(curve: LightCurves, band: int, grid: NDArray, mean: NDArray | None, std: NDArray | None) -> dict[str, Any]:
    name, here = BANDS[band], curve.band == band
    style = BAND_LINE_STYLES[name]
    return {
        "band": name,
        "colour": BAND_COLOURS[name],
        "dark_colour": DARK_COLOURS[name],
        "symbol": SYMBOLS[BAND_MARKERS[name]],
        "dash": DASHES[style] if isinstance(style, str) else ",".join(f"{2 * length}px" for length in style[1]),
        "points": _points(curve, here),
        "process": None if mean is None or std is None else _curve(grid, mean, std),
    }


def _points(curve: LightCurves, here: NDArray[np.bool_]) -> dict[str, list[Any]]:
    flux, error = curve.flux_njy[here], curve.flux_err_njy[here]
    bright = flux >= MAGNITUDE_SIGNAL_TO_NOISE * error
    magnitude = np.where(bright, magnitude_of_flux(flux), np.nan)
    return {
        "mjd": curve.time_mjd[here].tolist(),
        "utc": [utc_of(time) for time in curve.time_mjd[here].tolist()],
        "flux": flux.tolist(),
        "flux_error": error.tolist(),
        "magnitude": _nullable(magnitude),
        "magnitude_error": _nullable(np.where(bright, MAGNITUDE_ERROR * error / np.where(bright, flux, 1), np.nan)),
        "limit": _nullable(np.where(bright, np.nan, magnitude_of_flux(MAGNITUDE_SIGNAL_TO_NOISE * error))),
        "detection": curve.is_detection[here].tolist(),
    }


def _curve(grid: NDArray, mean: NDArray, std: NDArray) -> dict[str, list[Any]]:
    return {
        "mjd": grid.tolist(),
        "flux": mean.tolist(),
        "flux_low": (mean - std).tolist(),
        "flux_high": (mean + std).tolist(),
        "magnitude": _nullable(magnitude_of_flux(mean)),
        "magnitude_faint": _nullable(
            magnitude_of_flux(np.where(mean > 0, np.maximum(mean - std, 0.02 * mean), np.nan))
        ),
        "magnitude_bright": _nullable(magnitude_of_flux(np.where(mean > 0, mean + std, np.nan))),
    }


def _nullable(values: NDArray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
