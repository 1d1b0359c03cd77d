"""Light curves drawn: fluxes with error bars, each band with its own colour and marker, TAI below and UTC above."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, num2date
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from schemas.counts import counted
from schemas.identifiers import object_name
from schemas.light_curves import ALERT_COLUMNS, BANDS, POINT_COLUMNS, LightCurves
from schemas.night import UNIX_EPOCH_MJD
from schemas.passbands import BAND_COLOURS, BAND_LINE_STYLES, BAND_MARKERS, SURVEYS
from schemas.photometry import tai_ahead_of_utc_s

MAX_PANELS = 36
UNITS = ((10_000_000.0, "mJy", 1e-6), (10_000.0, "µJy", 1e-3), (0.0, "nJy", 1.0))
"""From which largest flux (nJy) on a unit is used, its name, and its size in nJy, inverted."""

SHORT_DAYS = 4.0
"""Time spans below this have hours on their UTC axis."""

_SECONDS_PER_DAY = 86400.0


class Prediction(Protocol):
    """A model of one light curve: ``time_mjd`` (m,), ``mean_njy`` and ``std_njy`` (6, m) in the order of BANDS."""

    @property
    def time_mjd(self) -> NDArray[np.float64]: ...

    @property
    def mean_njy(self) -> NDArray[np.float64]: ...

    @property
    def std_njy(self) -> NDArray[np.float64]: ...


@runtime_checkable
class Marked(Protocol):
    """A prediction that has more to show than its mean and uncertainty."""

    @property
    def closer_mjd(self) -> tuple[float, float] | None:
        """Where it has to be looked at more closely, because it changes faster than the whole curve can show."""

    def mark(self, axes: Axes, scale: float) -> None:
        """Mark what is measured from it, in an axis whose unit is 1 / ``scale`` nJy."""

    def handles(self) -> list[Line2D]:
        """What the legend says of the marks."""


def figure_of(
    light_curves: LightCurves, predictions: Sequence[Prediction | None] | None = None, names: Sequence[str] = ()
) -> Figure:
    """A figure with a panel for each alert, the first :data:`MAX_PANELS` of them; ValueError where there is none."""
    n = min(len(light_curves), MAX_PANELS)
    if n == 0:
        raise ValueError("there is no light curve to draw: no alert was read")
    closer = predictions[0].closer_mjd if n == 1 and predictions and isinstance(predictions[0], Marked) else None
    if closer is not None and predictions:
        return _night_beside_whole(light_curves, predictions[0], closer)
    columns = int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    width, height = (8.5, 5.2) if n == 1 else (4.4 * columns, 3.4 * rows + 0.5)
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for row, axes in enumerate(panels):
        if row < n:
            draw(axes, light_curves, row, predictions[row] if predictions else None)
            if names and names[row]:
                axes.set_title(f"{names[row]}  {axes.get_title()}", fontsize=10)
            axes.set_xlabel("Time (MJD, TAI)" if row >= n - columns else "")
        else:
            axes.set_axis_off()
    _legend_below(figure, light_curves.select(np.arange(n)), predictions or (), 5 if n == 1 else 10)
    if len(light_curves) > n:
        figure.suptitle(f"the first {n} of {len(light_curves):,} alerts")
    return figure


def _night_beside_whole(light_curves: LightCurves, prediction: Prediction | None, night: tuple[float, float]) -> Figure:
    """The points of one alert at left, and at right the prediction in the night where it is best known."""
    figure = Figure(figsize=(12.5, 5.2), layout="constrained")
    whole, near = figure.subplots(1, 2, width_ratios=(1, 1.2))
    draw(whole, light_curves, 0)
    whole.axvspan(*night, color="0.9", zorder=-1)
    draw(near, _within(light_curves.select([0]), *night), 0, prediction)
    near.set_title("in the night with most points", fontsize=10)
    for axes in (whole, near):
        axes.set_xlabel("Time (MJD, TAI)")
    _legend_below(figure, light_curves.select([0]), [prediction], 10)
    return figure


def _within(light_curves: LightCurves, first_mjd: float, last_mjd: float) -> LightCurves:
    chosen = (light_curves.time_mjd >= first_mjd) & (light_curves.time_mjd <= last_mjd)
    return LightCurves.from_points(
        alert=light_curves.alert_of_point[chosen],
        columns={name: getattr(light_curves, name)[chosen] for name in POINT_COLUMNS},
        alerts={name: getattr(light_curves, name) for name in ALERT_COLUMNS},
    )


def _legend_below(
    figure: Figure, light_curves: LightCurves, predictions: Sequence[Prediction | None], most: int
) -> None:
    handles = _legend(light_curves)
    for one in predictions:
        if isinstance(one, Marked):
            handles += one.handles()
            break
    figure.legend(handles=handles, loc="outside lower center", ncols=max(min(len(handles), most), 1), frameon=False)


def draw(axes: Axes, light_curves: LightCurves, row: int, prediction: Prediction | None = None) -> None:
    """Draw alert ``row`` into ``axes``: detections filled, forced photometry open, the alert's time as a grey line.

    Limits follow the bulk of the points, so that a few with huge errors do not flatten the rest; how many lie outside
    is written in the corner. Fluxes are in nJy, or µJy where they are large.
    """
    span = slice(int(light_curves.offsets[row]), int(light_curves.offsets[row + 1]))
    time, flux, error = light_curves.time_mjd[span], light_curves.flux_njy[span], light_curves.flux_err_njy[span]
    band, detected = light_curves.band[span], light_curves.is_detection[span]
    unit, scale = _unit(flux)
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.axvline(light_curves.alert_mjd[row], color="0.75", linewidth=0.8, zorder=0)
    for letter in range(len(BANDS)):
        for filled in (False, True):
            chosen = (band == letter) & (detected == filled)
            if chosen.any():
                _points(axes, time[chosen], flux[chosen] * scale, error[chosen] * scale, letter, filled, len(time))
        if prediction is not None and (band == letter).any():
            _prediction(axes, prediction, letter, scale)
    if isinstance(prediction, Marked) and len(time):
        prediction.mark(axes, scale)
    axes.set_ylabel(f"Difference flux ({unit})")
    axes.set_title(_title(light_curves, row), fontsize=10)
    _limits(axes, time, flux * scale, error * scale, detected)
    _utc_above(axes)


def _points(axes: Axes, time: NDArray, flux: NDArray, error: NDArray, letter: int, filled: bool, n_points: int) -> None:
    colour = BAND_COLOURS[BANDS[letter]]
    crowding = float(np.clip(np.log10(max(n_points, 1)) / 3, 0, 1))
    axes.errorbar(
        time,
        flux,
        error,
        linestyle="none",
        marker=BAND_MARKERS[BANDS[letter]],
        markersize=(7.5 if BAND_MARKERS[BANDS[letter]] == "*" else 6) - 3 * crowding,
        color=colour,
        markerfacecolor=colour if filled else "white",
        markeredgewidth=0.9 - 0.4 * crowding,
        elinewidth=1.0 - 0.5 * crowding,
        alpha=1.0 - 0.3 * crowding,
        zorder=3 if filled else 2,
    )


def _prediction(axes: Axes, prediction: Prediction, letter: int, scale: float) -> None:
    name = BANDS[letter]
    mean, std = prediction.mean_njy[letter] * scale, prediction.std_njy[letter] * scale
    axes.plot(prediction.time_mjd, mean, color=BAND_COLOURS[name], linestyle=BAND_LINE_STYLES[name], linewidth=1.3)
    axes.fill_between(
        prediction.time_mjd, mean - std, mean + std, color=BAND_COLOURS[name], alpha=0.1, linewidth=0, zorder=1
    )


def _unit(flux_njy: NDArray) -> tuple[str, float]:
    largest = np.max(np.abs(flux_njy), initial=0.0)
    return next((name, scale) for least, name, scale in UNITS if largest >= least)


def _title(light_curves: LightCurves, row: int) -> str:
    survey = int(light_curves.survey[row])
    name = object_name(survey, int(light_curves.object_id[row])) or f"alert {light_curves.alert_id[row]}"
    detections = int(light_curves.is_detection[light_curves.offsets[row] : light_curves.offsets[row + 1]].sum())
    forced = int(light_curves.n_points[row]) - detections
    counts = counted(detections, "detection") + (f", {forced} forced" if forced else "")
    return f"{SURVEYS[survey]}  {name}\n{counts}"


def _limits(axes: Axes, time: NDArray, flux: NDArray, error: NDArray, detected: NDArray) -> None:
    if not len(time):
        return
    bar = np.where(error <= 5 * np.median(error), error, 0.0)
    low, high = _bulk(flux - bar, flux + bar, detected)
    margin = 0.06 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    beside = 0.05 * float(np.ptp(time)) or 0.03  # a lone point gets three quarters of an hour
    axes.set_xlim(time.min() - beside, time.max() + beside)
    outside = int(((flux < low - margin) | (flux > high + margin)).sum())
    if outside:
        axes.text(
            0.99, 0.02, f"{outside} outside", transform=axes.transAxes, ha="right", va="bottom", fontsize=7, color="0.4"
        )


def _bulk(low: NDArray, high: NDArray, detected: NDArray) -> tuple[float, float]:
    """Limits that hold zero, nearly all detections, and the forced points that do not stray far from the bulk."""
    tail = 2.5 if len(low) > 20 else 0.0
    inner = np.percentile(low, tail), np.percentile(high, 100 - tail)
    reach = inner[1] - inner[0]
    limits = [(0.0, 0.0), (max(low.min(), inner[0] - reach), min(high.max(), inner[1] + reach))]
    if detected.any():
        tail = 0.5 if detected.sum() > 100 else 0.0
        limits.append((np.percentile(low[detected], tail), np.percentile(high[detected], 100 - tail)))
    return float(min(pair[0] for pair in limits)), float(max(pair[1] for pair in limits))


def _utc_above(axes: Axes) -> None:
    """A second time axis with UTC dates; TAI is ahead of UTC by whole seconds, 37 since 2017."""
    first, last = axes.get_xlim()
    middle, days = (first + last) / 2, last - first
    shift = UNIX_EPOCH_MJD + tai_ahead_of_utc_s(middle) / _SECONDS_PER_DAY
    above = axes.secondary_xaxis("top", functions=(partial(np.add, -shift), partial(np.add, shift)))
    date = num2date(middle - shift)
    look, label = ("%Y-%m-%d", "UTC") if days >= SHORT_DAYS else ("%m-%d %H:%M", f"UTC, {date.year}")
    if days < 1:
        look, label = "%H:%M", f"UTC, {date:%Y-%m-%d}"
    above.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=5))
    above.xaxis.set_major_formatter(DateFormatter(look))
    above.set_xlabel(label, fontsize=8, labelpad=4)
    above.tick_params(labelsize=7)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.ticklabel_format(axis="x", useOffset=False, style="plain")
    axes.tick_params(labelsize=8)


def _legend(light_curves: LightCurves) -> list[Line2D]:
    handles = []
    for band in sorted({int(band) for band in light_curves.band}):
        name = BANDS[band]
        handles.append(
            Line2D([], [], linestyle="none", label=name, color=BAND_COLOURS[name], marker=BAND_MARKERS[name])
        )
    for label, face, wanted in (("detection", "0.3", True), ("forced photometry", "white", False)):
        if (light_curves.is_detection == wanted).any():
            handles.append(Line2D([], [], color="0.3", marker="o", linestyle="none", markerfacecolor=face, label=label))
    return handles
