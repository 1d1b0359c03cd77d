"""``python docs/features/draw.py``: draw the pictures of docs/features.md from simulated light curves."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from features.catalogue import NAMES
from features.common_series import common_series
from features.gaussian_process import GaussianProcessFits, fit
from features.grid import GridFlux, predict_grid
from features.matrix import measure
from features.periodogram import CYCLES_PER_STEP, FREQUENCIES, powers
from features.transient_models import BAZIN, PLATEAU, SIGMOID, shapes
from schemas.light_curves import BANDS, LightCurves
from schemas.passbands import BAND_COLOURS, BAND_MARKERS

FOLDER = Path(__file__).resolve().parent
START_MJD = 61_000.0
LATE, EARLY = 110.0, 46.0
_G, _R, _I = (BANDS.index(band) for band in "gri")


def supernova(until_days: float = LATE, seed: int = 5) -> LightCurves:
    """A supernova of Bazin's form in g, r and i, seen every third night, that reddens."""
    rng = np.random.default_rng(seed)
    nights = np.arange(0.0, until_days, 3.0)
    time = (
        np.repeat(nights, 3) + np.tile([0.0, 0.02, 0.04], len(nights)) + np.repeat(rng.uniform(0, 0.3, len(nights)), 3)
    )
    band = np.tile([_G, _R, _I], len(nights))
    fall = np.array([0.0, 14.0, 22.0, 30.0])[band]
    x = time - 38.0
    flux = np.array([0.0, 9.0, 7.5, 6.0])[band] * 1e3 * np.exp(-x / fall) / (1 + np.exp(-x / 3.0))
    return light_curves(time, flux + 250 * rng.normal(size=len(time)), np.full(len(time), 250.0), band)


def light_curves(time: np.ndarray, flux: np.ndarray, error: np.ndarray, band: np.ndarray) -> LightCurves:
    """One light curve, a detection being 5 standard errors."""
    alerts: dict = {name: [0] for name in ("survey", "schema_id", "is_solar_system")}
    alerts |= {"alert_id": [1], "object_id": [1], "alert_mjd": [START_MJD + time.max()]}
    alerts |= {"ra_deg": [150.0], "dec_deg": [-30.0], "reliability": [1.0]}
    columns = {"time_mjd": START_MJD + time, "flux_njy": flux, "flux_err_njy": error, "band": band}
    columns["is_detection"] = flux > 5 * error
    return LightCurves.from_points(alert=np.zeros(len(time), int), columns=columns, alerts=alerts)


def measured(curves: LightCurves) -> tuple[dict[str, float], GaussianProcessFits, GridFlux]:
    """Features by name, the process and its grid."""
    fits = fit(curves)
    return dict(zip(NAMES, measure(fits)[0].tolist(), strict=True)), fits, predict_grid(fits)


def points(axes: Axes, curves: LightCurves, letters: str = "r", scale: float = 1e-3) -> None:
    """Points with error bars, filled where detected."""
    for letter in letters:
        for filled in (True, False):
            chosen = (curves.band == BANDS.index(letter)) & (curves.is_detection == filled)
            axes.errorbar(
                curves.time_mjd[chosen] - START_MJD,
                curves.flux_njy[chosen] * scale,
                curves.flux_err_njy[chosen] * scale,
                linestyle="none",
                marker=BAND_MARKERS[letter],
                markersize=4,
                color=BAND_COLOURS[letter],
                markerfacecolor=BAND_COLOURS[letter] if filled else "white",
                elinewidth=0.7,
            )
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.set_xlabel("time (d)")
    axes.set_ylabel("difference flux (µJy)")


def span(axes: Axes, left: float, right: float, height: float, name: str, *, beside: bool = False) -> None:
    """A double arrow from left to right, its name above it or, where it is short, on its left."""
    arrow = {"arrowstyle": "<->", "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (left, height), (right, height), arrowprops=arrow)
    place, offset, side = (
        ((left, height), (-3, -2), "right") if beside else (((left + right) / 2, height), (0, 3), "center")
    )
    axes.annotate(name, place, offset, textcoords="offset points", ha=side, fontsize=7)


def draw_shape() -> Figure:
    """Peak, rise, decline, width, slope and fixed times from the peak."""
    figure = Figure(figsize=(8.5, 4.2), layout="constrained")
    axes, now_axes = figure.subplots(1, 2, width_ratios=[1.6, 1])
    curves = supernova()
    features, _, grid = measured(curves)
    time, flux = grid.time_mjd[0] - START_MJD, grid.mean_njy[0, _R] * 1e-3
    peak, high = time[flux.argmax()], flux.max()
    points(axes, curves)
    axes.plot(time, flux, color=BAND_COLOURS["r"])
    for part, suffix in ((0.5, ""), (0.2, "_20")):
        axes.axhline(part * high, color="0.85", linewidth=0.8, zorder=0)
        span(axes, peak - features[f"rise_days{suffix}"], peak, part * high, f"rise_days{suffix}", beside=True)
        span(axes, peak, peak + features[f"decline_days{suffix}"], part * high, f"decline_days{suffix}")
    axes.plot(peak, high, "k*", markersize=9)
    axes.annotate("peak_flux", (peak, high), (6, 3), textcoords="offset points", fontsize=8)
    for days in (10, 20, 40):
        value = features[f"flux_{days}_days_after_peak"] * high
        axes.plot(peak + days, value, "kD", markersize=4)
        axes.annotate(
            f"flux_{days}_days_after_peak", (peak + days, value), (7, 4), textcoords="offset points", fontsize=7
        )
    span(axes, peak, time[-1], -0.13 * high, "days_since_peak")
    axes.set_title("whole light curve, r", fontsize=9)
    _draw_now(now_axes)
    return figure


def _draw_now(axes: Axes) -> None:
    early = supernova(EARLY)
    features, fits, grid = measured(early)
    time, flux = grid.time_mjd[0] - START_MJD, grid.mean_njy[0, _R] * 1e-3
    mean, std = (values[0, _R] * 1e-3 for values in fits.predict(np.linspace(START_MJD, early.alert_mjd[0], 150)[None]))
    axes.fill_between(np.linspace(0, time[-1], 150), mean - std, mean + std, color=BAND_COLOURS["r"], alpha=0.15)
    points(axes, early)
    axes.plot(time, flux, color=BAND_COLOURS["r"])
    largest, now = np.abs(flux).max(), time[-1]
    ahead = np.array([now - 5, now + 3])
    axes.plot(ahead, flux[-1] + features["slope_now"] * largest * (ahead - now), "k--", linewidth=1)
    text = "\n".join(
        f"{name} = {features[name]:.3g}" for name in ("slope_now", "curvature_now", "now_over_peak", "uncertainty_now")
    )
    axes.text(0.04, 0.95, text, transform=axes.transAxes, va="top", fontsize=8)
    axes.axvline(now, color="0.75", linewidth=0.8)
    axes.set_title("the same, at an early alert", fontsize=9)


def draw_colour() -> Figure:
    """Colour at the peak, now, and its course."""
    figure = Figure(figsize=(8.5, 3.6), layout="constrained")
    axes, below = figure.subplots(1, 2)
    curves = supernova(75.0)
    features, _, grid = measured(curves)
    time, flux = grid.time_mjd[0] - START_MJD, grid.mean_njy[0]
    points(axes, curves, "gri")
    for letter in "gri":
        axes.plot(time, flux[BANDS.index(letter)] * 1e-3, color=BAND_COLOURS[letter], label=letter)
    axes.legend(frameon=False, fontsize=8)
    softening = 2 * 250.0
    course = -2.5 / math.log(10) * (np.arcsinh(flux[_G] / softening) - np.arcsinh(flux[_R] / softening))
    bright = flux[_R] > 0.2 * flux[_R].max()
    below.plot(time, course, color="0.6")
    below.plot(time[bright], course[bright], color="k", linewidth=2)
    peak = time[flux[_R].argmax()]
    marks = {
        "g_r_peak": peak,
        "g_r_now": time[-1],
        "g_r_10_days_after_peak": peak + 10,
        "g_r_20_days_after_peak": peak + 20,
    }
    marks["g_r_rise"] = peak - features["rise_days"]
    for name, when in marks.items():
        below.plot(when, features[name], "o", color=BAND_COLOURS["r"])
        left = name == "g_r_now"
        offset = (-5, 5) if left else (6, -9)
        below.annotate(
            name, (when, features[name]), offset, textcoords="offset points", fontsize=8, ha="right" if left else "left"
        )
    figures = (("g_r_change", "mag"), ("g_r_rate", "mag/d"), ("g_r_range", "mag (bold)"))
    text = "\n".join(f"{name} = {features[name]:.2g} {unit}" for name, unit in figures)
    below.text(0.97, 0.04, text, transform=below.transAxes, fontsize=8, ha="right")
    below.set_xlim(peak - 15, time[-1] + 12)
    below.set_ylim(course[time > peak - 15].min() - 0.4, course[time > peak - 15].max() + 0.3)
    below.set_xlabel("time (d)")
    below.set_ylabel("g - r of the process (mag)")
    return figure


def draw_parametric() -> Figure:
    """The models on one light curve."""
    figure = Figure(figsize=(8.5, 3.8), layout="constrained")
    axes = figure.subplots()
    curves = supernova()
    features, _, grid = measured(curves)
    peak = grid.time_mjd[0, grid.mean_njy[0, _R].argmax()]
    points(axes, curves)
    time = np.linspace(-30, 75, 400)
    styles = {SIGMOID: ("sigmoid", ":"), BAZIN: ("bazin", "-"), PLATEAU: ("spm", "--")}
    chosen = curves.band == _R
    for model, (name, style) in styles.items():
        theta = [features[f"{name}_t0"], features[f"{name}_rise"] * math.log(10)]
        if model != SIGMOID:
            theta.append(features[f"{name}_fall"] * math.log(10))
        if model == PLATEAU:
            theta += [features["spm_gamma"] * math.log(10), features["spm_beta"]]
        drawn = time[time < 0] if model == SIGMOID else time
        used = chosen & ((curves.time_mjd <= peak) | (model != SIGMOID))
        at_points = _shape(model, theta, curves.time_mjd[used] - peak)
        amplitude = (at_points @ curves.flux_njy[used]) / (at_points @ at_points)
        label = f"{name}: rise {10 ** features[f'{name}_rise']:.1f} d, log10 reduced χ² {features[f'{name}_chi2']:.2f}"
        axes.plot(
            drawn + peak - START_MJD, amplitude * _shape(model, theta, drawn) * 1e-3, style, color="k", label=label
        )
    after = chosen & (curves.time_mjd >= peak)
    rate = features["decline_rate"] / (2.5 / math.log(10))
    decay = np.exp(-rate * (curves.time_mjd[after] - peak))
    amplitude = (decay @ curves.flux_njy[after]) / (decay @ decay)
    label = f"exponential decline: {features['decline_rate']:.3f} mag/d"
    axes.plot(
        time[time > 0] + peak - START_MJD,
        amplitude * np.exp(-rate * time[time > 0]) * 1e-3,
        "-.",
        color="tab:blue",
        label=label,
    )
    axes.legend(frameon=False, fontsize=8)
    axes.set_title("one shape for g, r and i together; here r", fontsize=9)
    return figure


def _shape(model: int, theta: list[float], time: np.ndarray) -> np.ndarray:
    by_fours = np.concatenate([time, np.zeros(-len(time) % 4)])
    shape, slopes = np.empty(len(by_fours)), np.empty((len(theta), len(by_fours)))
    shapes(model, by_fours, np.array(theta), shape, slopes)
    return shape[: len(time)]


def draw_state() -> Figure:
    """Counts and times of an early alert; residuals of the process."""
    figure = Figure(figsize=(8.5, 3.8), layout="constrained")
    axes, right = figure.subplots(1, 2)
    curves = supernova(EARLY)
    features, _, _ = measured(curves)
    points(axes, curves, "gri")
    top, now = curves.flux_njy.max() * 1e-3, curves.alert_mjd[0] - START_MJD
    first = now - features["days_since_first_detection"]
    span(axes, first, now, 1.05 * top, "days_since_first_detection", beside=True)
    span(axes, first - features["days_limit_to_detection"], first, 0.75 * top, "days_limit_to_detection", beside=True)
    span(
        axes,
        0.0,
        now,
        -0.18 * top,
        f"duration ({features['n_points']:.0f} points, {features['n_detections']:.0f} detections)",
    )
    axes.set_ylim(-0.3 * top, 1.2 * top)
    _draw_residuals(right)
    return figure


def _draw_residuals(right: Axes) -> None:
    curves = supernova()
    features, fits, _ = measured(curves)
    variance = curves.flux_err_njy**2 + (0.01 * curves.flux_njy) ** 2
    residual = fits.weights_per_njy * np.sqrt(variance)
    for letter in "gri":
        chosen = curves.band == BANDS.index(letter)
        right.plot(
            curves.time_mjd[chosen] - START_MJD,
            residual[chosen],
            BAND_MARKERS[letter],
            color=BAND_COLOURS[letter],
            markersize=4,
        )
    for level in (-2, 0, 2):
        right.axhline(level, color="0.8", linewidth=0.8, zorder=0)
    names = ("misfit", "residual_largest", "residual_outliers", "residual_memory", "residual_chromatic")
    right.set_title(
        ", ".join(f"{name} {features[name]:.2f}" for name in names[:3])
        + "\n"
        + ", ".join(f"{n} {features[n]:.2f}" for n in names[3:]),
        fontsize=8,
    )
    right.set_xlabel("time (d)")
    right.set_ylabel("residual of the process (errors)")


def draw_variability() -> Figure:
    """A pulsating star: its common series, its periodogram, the folded series."""
    figure = Figure(figsize=(8.5, 5.2), layout="constrained")
    (axes, common), (below, folded) = figure.subplots(2, 2)
    rng = np.random.default_rng(3)
    time = np.sort(rng.uniform(0, 120, 90))
    band = rng.choice([_G, _R, _I], 90)
    wave = np.sin(2 * np.pi * time / 7.3) + 0.4 * np.sin(4 * np.pi * time / 7.3 + 1)
    flux = np.array([0, 4.0, 2.5, 1.5])[band] * 1e3 * wave
    curves = light_curves(time, flux + 250 * rng.normal(size=90), np.full(90, 250.0), band)
    features, _, _ = measured(curves)
    points(axes, curves, "gri")
    axes.set_title(
        ", ".join(f"{name} {features[name]:.2f}" for name in ("log_chi2", "stetson_j", "stetson_k")),
        fontsize=8,
    )
    _draw_series(common, below, folded, curves, features)
    return figure


def _draw_series(common: Axes, below: Axes, folded: Axes, curves: LightCurves, features: dict[str, float]) -> None:
    series, power = common_series(curves), np.empty(FREQUENCIES)
    duration = series.time.max()
    powers(series.time / duration, series.value, series.error, power)
    below.plot(np.arange(FREQUENCIES) * CYCLES_PER_STEP / duration, power, color="k", linewidth=0.9)
    below.plot(10 ** -features["period"], features["period_power"], "o", color=BAND_COLOURS["r"])
    below.annotate(
        f"period {10 ** features['period']:.2f} d, period_power {features['period_power']:.2f}",
        (10 ** -features["period"], features["period_power"]),
        (8, -4),
        textcoords="offset points",
        fontsize=8,
    )
    below.set_xlabel("frequency (1/d)")
    below.set_ylabel("power")
    phase = series.time / 10 ** features["period"] % 1
    for letter in "gri":
        chosen = series.band == BANDS.index(letter)
        look = {"color": BAND_COLOURS[letter], "markersize": 4, "linestyle": "none", "marker": BAND_MARKERS[letter]}
        common.plot(series.time[chosen], series.value[chosen], **look)
        folded.plot(phase[chosen], series.value[chosen], **look)
    common.set_title(
        ", ".join(f"{name} {features[name]:.2f}" for name in ("kurtosis", "log_eta_e", "band_correlation")),
        fontsize=8,
    )
    folded.set_title(
        f"walk_timescale {10 ** features['walk_timescale']:.1f} d, structure_slope {features['structure_slope']:.2f}",
        fontsize=8,
    )
    for panel, label in ((common, "time (d)"), (folded, "phase")):
        panel.set_xlabel(label)
        panel.set_ylabel("common series")


PICTURES = {
    "shape": draw_shape,
    "colour": draw_colour,
    "parametric": draw_parametric,
    "detections-process": draw_state,
    "variability": draw_variability,
}

if __name__ == "__main__":
    for picture, draw in PICTURES.items():
        draw().savefig(FOLDER / f"{picture}.png", dpi=100)
