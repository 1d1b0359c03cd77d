"""Shape features against the definitions of Boone 2019 (arXiv:1907.04690, table 2), worked out as the paper says: on a
fine even grid in time, from george's prediction."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import features
from features.gaussian_process import fit
from schemas.light_curves import BANDS, LightCurves
from tests.reference.real_alerts import alerts, read

R = BANDS.index("r")
STEP_DAYS = 0.1


def predicted(light_curves: LightCurves, row: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Time and flux in r of one alert, from 50 days before its first detection (or its first point) to the alert."""
    alert = light_curves.select([row])
    seen = alert.time_mjd[alert.is_detection]
    first = max(alert.time_mjd.min(), seen.min() - 50.0) if len(seen) else alert.time_mjd.min()
    time = np.linspace(first, alert.alert_mjd[0], max(int((alert.alert_mjd[0] - first) / STEP_DAYS), 2))
    return time, fit(alert, backend="george").predict_mean(time[None])[0, R]


def days_to(time: NDArray[np.float64], flux: NDArray[np.float64], part: float, direction: int) -> float:
    """``time_bwd_max`` and ``time_fwd_max``: from the peak to where the flux first falls below a part of it."""
    peak = int(np.argmax(flux))
    side = flux[peak::direction] < part * flux[peak]
    return float(abs(time[peak::direction][int(np.argmax(side))] - time[peak])) if side.any() else math.nan


def definitions(time: NDArray[np.float64], flux: NDArray[np.float64]) -> dict[str, float]:
    high, low = flux.max(), flux.min()
    positive = np.trapezoid(np.maximum(flux, 0.0), time) / high
    return {
        "peak_flux": math.asinh(high / 100.0),
        "days_since_peak": float(time[-1] - time[np.argmax(flux)]),
        "rise_days": days_to(time, flux, 0.5, -1),
        "decline_days": days_to(time, flux, 0.5, 1),
        "rise_days_20": days_to(time, flux, 0.2, -1),
        "decline_days_20": days_to(time, flux, 0.2, 1),
        "equivalent_width_days": positive,
        "balance": float((high + low) / (high - low)),
    }


@pytest.fixture(scope="module")
def compared(shared_data: Path) -> list[tuple[dict[str, float], dict[str, float]]]:
    """The paper's and our features of real supernovae, where the process is slower than the grid's first step."""
    light_curves = alerts(read("spcc", shared_data), 120)
    slow = np.flatnonzero(fit(light_curves).timescale_days > 10.0)
    light_curves = light_curves.select(slow[light_curves.n_points[slow] > 12][:40])
    ours = features.extract(light_curves)
    gathered = []
    for row in range(len(light_curves)):
        time, flux = predicted(light_curves, row)
        if flux.max() > 0:
            mine = dict(zip(ours.names, ours.values[row].tolist(), strict=True))
            gathered.append((definitions(time, flux), mine))
    return gathered


@pytest.mark.parametrize("name", ["peak_flux", "balance", "equivalent_width_days", "days_since_peak"])
def test_peak_and_width(compared: list, name: str) -> None:
    assert len(compared) > 25
    theirs, ours = np.array([[pair[0][name], pair[1][name]] for pair in compared]).T
    scale = 1.0 if name in ("peak_flux", "balance") else 20.0  # days: a step of our grid in the past is two
    assert np.median(np.abs(ours - theirs)) < 0.01 * scale
    assert (np.abs(ours - theirs) < 0.05 * scale).mean() > 0.9


@pytest.mark.parametrize("name", ["rise_days", "decline_days", "rise_days_20", "decline_days_20"])
def test_times_from_the_peak(compared: list, name: str) -> None:
    theirs, ours = np.array([[pair[0][name], pair[1][name]] for pair in compared]).T
    assert (np.isfinite(theirs) == np.isfinite(ours)).mean() > 0.95
    both = np.isfinite(theirs) & np.isfinite(ours)
    assert both.sum() > 3
    assert np.median((np.abs(ours - theirs) / theirs)[both]) < 0.03  # our grid is coarse far back
    assert (np.abs(ours - theirs)[both] < 0.05 * theirs[both] + 0.5).mean() > 0.9
