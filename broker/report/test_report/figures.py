"""The pictures of a report, from the predictions of a trial."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from broker.report.light_curve_plot import draw
from models import evaluation
from models.datasets.labelled import Labelled
from models.evaluation.ranking import roc_curve
from models.suites import scores
from models.suites.moments import WHOLE, trigger_mjd
from models.suites.scores import Interval
from models.suites.trial import Predictions, Trial

MISTAKES = 20
_LOST = "accuracy_lost_"
_OF_A_DAY = re.compile(r"_day[0-9.]+$")
_COLUMNS = 3


def moments_of(trial: Trial) -> list[float]:
    """The days after the first detection that a trial looks at, the whole light curve last."""
    return [*trial.days, WHOLE]


def moment_name(days: float) -> str:
    """``day 5``, or the whole light curve."""
    return f"day {days:g}" if np.isfinite(days) else "whole"


def confusion(trial: Trial, predictions: Predictions, days: float) -> Figure:
    """True classes down, predicted across: the fraction of each true class, with the number of objects."""
    rows = predictions.at(days)
    counts = evaluation.confusion_matrix(predictions.p[rows], predictions.label[rows], np.ones(len(rows)))
    part = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    k = len(trial.classes)
    figure = Figure(figsize=(1.6 + 0.62 * k, 1.3 + 0.5 * k), layout="constrained")
    axes = figure.subplots()
    axes.imshow(part, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    for i, j in np.ndindex(k, k):
        if counts[i, j]:
            colour = "white" if part[i, j] > 0.6 else "black"
            text = f"{part[i, j]:.2f}\n{counts[i, j]:,.0f}"
            axes.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(k), trial.classes.names, rotation=40, ha="right", fontsize=8)
    axes.set_yticks(range(k), trial.classes.names, fontsize=8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(moment_name(days), fontsize=10)
    return figure


def reliability(trial: Trial, predictions: Predictions) -> Figure:
    """A panel for each moment: how often the most probable class is right, against its probability."""
    days = moments_of(trial)
    figure = Figure(figsize=(2.5 * len(days), 2.9), layout="constrained")
    for axes, day in zip(np.atleast_1d(figure.subplots(1, len(days), sharey=True)), days, strict=True):
        rows = predictions.at(day)
        p, y, one = predictions.p[rows], predictions.label[rows], np.ones(len(rows))
        bins = evaluation.reliability(p.max(axis=1), p.argmax(axis=1) == y, one)
        spread = np.sqrt(np.maximum(bins.predicted * (1 - bins.predicted), 1e-4) / bins.weight)
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.9)
        axes.errorbar(bins.predicted, bins.observed, spread, fmt="o", markersize=3.5, linewidth=0.9, color="#1f5fa8")
        axes.set_title(f"{moment_name(day)}: ECE {bins.error:.3f}", fontsize=9)
        axes.set_xlabel("probability", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
    figure.axes[0].set_ylabel("fraction right", fontsize=8)
    return figure


def against_time(trials: list[tuple[Trial, Predictions]]) -> Figure:
    """Macro-F1 and accuracy of each trial against the days after the first detection."""
    figure = Figure(figsize=(9.5, 3.4), layout="constrained")
    for axes, (name, of) in zip(
        figure.subplots(1, 2), (("macro-F1", evaluation.macro_f1), ("accuracy", evaluation.accuracy)), strict=True
    ):
        for trial, predictions in trials:
            values = []
            for days in moments_of(trial):
                rows = predictions.at(days)
                values.append(of(predictions.p[rows], predictions.label[rows], np.ones(len(rows))))
            axes.plot(range(len(values)), values, "o-", markersize=4, linewidth=1.2, label=trial.title)
        names = [moment_name(days) for days in moments_of(trials[0][0])]
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.set_ylabel(name)
        axes.grid(axis="y", color="0.9")
    figure.axes[0].legend(fontsize=7, frameon=False)
    return figure


def roc(trial: Trial, predictions: Predictions) -> Figure | None:
    """Type Ia against the rest at each moment; None where the trial has no such class."""
    if scores.IA not in trial.classes.class_ids:
        return None
    ia = trial.classes.class_ids.index(scores.IA)
    figure = Figure(figsize=(5.2, 4.4), layout="constrained")
    axes = figure.subplots()
    for number, days in enumerate(moments_of(trial)):
        rows = predictions.at(days)
        p, is_ia = predictions.p[rows, ia], predictions.label[rows] == ia
        colour = f"C{number}"
        label = f"{moment_name(days)}: {evaluation.auc(p, is_ia):.3f}"
        axes.plot(*roc_curve(p, is_ia), linewidth=1.3, color=colour, label=label)
    axes.plot([0, 1], [0, 1], color="0.8", linewidth=0.8)
    axes.set_xlabel("others taken for Ia")
    axes.set_ylabel("Ia found")
    axes.legend(title="area", fontsize=8, frameon=False)
    return figure


def mistakes(labelled: Labelled, trial: Trial, predictions: Predictions) -> Figure | None:
    """The objects whose true class was given least at the end, worst first; None where all are right."""
    rows = predictions.at(WHOLE)
    wrong = rows[predictions.p[rows].argmax(axis=1) != predictions.label[rows]]
    given = predictions.p[wrong, predictions.label[wrong]]
    wrong = wrong[np.argsort(given, kind="stable")][:MISTAKES]
    if not len(wrong):
        return None
    lines = -(-len(wrong) // _COLUMNS)
    figure = Figure(figsize=(4.6 * _COLUMNS, 3.2 * lines), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.12)  # type: ignore[union-attr, call-arg]
    panels = figure.subplots(lines, _COLUMNS, squeeze=False).ravel()
    curves = labelled.light_curves.select(predictions.object_row[wrong])
    first = trigger_mjd(curves)
    for panel, row in zip(panels, range(len(wrong)), strict=False):
        draw(panel, curves, row)
        panel.set_title(_said(trial, predictions, int(wrong[row])), fontsize=8)
        _around(panel, float(first[row]), float(curves.alert_mjd[row]))
    for panel in panels[len(wrong) :]:
        panel.set_axis_off()
    return figure


def losses(metrics: dict[str, Interval]) -> Figure | None:
    """What each change of the light curves costs in accuracy at the end, and how overconfident the probabilities are
    then; None where nothing was changed."""
    names = [name.removeprefix(_LOST) for name in metrics if name.startswith(_LOST) and not _OF_A_DAY.search(name)]
    if not names:
        return None
    names.sort(key=lambda name: metrics[_LOST + name][0])
    figure = Figure(figsize=(9.5, 0.6 + 0.27 * len(names)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, prefix, title in zip(
        panels, (_LOST, "overconfidence_"), ("accuracy lost", "overconfidence"), strict=True
    ):
        value, low, high = np.array([metrics[prefix + name] for name in names]).T
        error = np.maximum([value - low, high - value], 0)
        axes.errorbar(value, range(len(names)), xerr=error, fmt="o", markersize=4, linewidth=1.0, color="#1f5fa8")
        axes.axvline(0, color="0.7", linewidth=0.8)
        axes.set_title(title, fontsize=10)
        axes.tick_params(labelsize=8)
        axes.grid(axis="x", color="0.92")
    panels[0].set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    return figure


def _said(trial: Trial, predictions: Predictions, row: int) -> str:
    p, true = predictions.p[row], int(predictions.label[row])
    top, names = int(p.argmax()), trial.classes.names
    return f"{names[true]} (p = {p[true]:.3f}), taken for {names[top]} ({p[top]:.2f})"


def _around(axes: Axes, first_mjd: float, last_mjd: float) -> None:
    """From a month before the first detection to 200 days after it at most: years of noise tell nothing."""
    axes.set_xlim(first_mjd - 30.0, min(last_mjd + 5.0, first_mjd + 200.0))
    axes.tick_params(labelsize=6)
    axes.set_ylabel(axes.get_ylabel(), fontsize=7)
