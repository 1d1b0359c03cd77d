"""The pictures of the novelty suite's report."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.suites.novelty import NoveltyOutcome
from models.suites.novelty_sky import LEVELS
from models.suites.novelty_streams import PHASES

SHOWN = {
    "": ("each night, by object", "#1f5fa8"),
    "static": ("each alert, at once", "0.55"),
    "oracle": ("knows the class", "#c2571a"),
}
"""Methods of the curves: name and colour."""

WIDE, NOVEL_IN_CURVE = (9.5, 3.6), (10, 20, 40, 80)


def power(outcome: NoveltyOutcome) -> Figure:
    """Part of the novel objects that is selected, and part of the selection that is wrong, by the rate asked for."""
    figure = Figure(figsize=WIDE, layout="constrained")
    left, right = figure.subplots(1, 2)
    for method, (name, colour) in SHOWN.items():
        left.plot(LEVELS, outcome.curves[f"power_{method}"], "o-", markersize=3.5, color=colour, label=name)
        right.plot(LEVELS, outcome.curves[f"fdr_{method}"], "o-", markersize=3.5, color=colour)
    right.plot([0, max(LEVELS)], [0, max(LEVELS)], color="0.8", linewidth=0.9)
    left.set_ylabel("novel objects selected")
    right.set_ylabel("realised false-discovery rate")
    for axes in (left, right):
        axes.set_xlabel("false-discovery rate asked for")
        axes.set_ylim(bottom=0)
        axes.grid(color="0.92")
    left.legend(fontsize=8, frameon=False)
    return figure


def p_values(outcome: NoveltyOutcome) -> Figure:
    """Histograms of the p-values of novel and ordinary objects, by the static and by the nightly score."""
    figure = Figure(figsize=WIDE, layout="constrained")
    for axes, method in zip(figure.subplots(1, 2, sharey=True), ("static", ""), strict=True):
        for kind, colour in (("ordinary", "0.75"), ("novel", "#1f5fa8")):
            counts = outcome.curves[f"p_{method}_{kind}"]
            axes.stairs(
                counts / max(counts.sum(), 1e-9), np.linspace(0, 1, 21), fill=True, alpha=0.7, color=colour, label=kind
            )
        axes.axhline(1 / 20, color="0.4", linewidth=0.8, linestyle=":")
        axes.set_title(SHOWN[method][0], fontsize=10)
        axes.set_xlabel("p-value")
    figure.axes[0].set_ylabel("part of the objects")
    figure.axes[0].legend(fontsize=8, frameon=False)
    return figure


def classes(outcome: NoveltyOutcome) -> Figure:
    """Power of each hidden class beside that of the oracle."""
    pattern = re.compile(r"power_oracle_fdr10_(.+)")
    ends = [match[1] for name in outcome.metrics if (match := pattern.fullmatch(name))]
    ends.sort(key=lambda end: -outcome.metrics[f"power_fdr10_{end}"][0])
    figure = Figure(figsize=(9.5, 0.34 * len(ends) + 1.2), layout="constrained")
    axes = figure.subplots()
    for row, end in enumerate(ends):
        axes.plot(outcome.metrics[f"power_oracle_fdr10_{end}"][0], row, "d", color=SHOWN["oracle"][1])
        value, low, high = outcome.metrics[f"power_fdr10_{end}"]
        axes.errorbar(value, row, xerr=[[value - low], [high - value]], fmt="o", color=SHOWN[""][1])
    axes.set_yticks(range(len(ends)), [end.replace("_", " ") for end in ends], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("power at a false-discovery rate of 0.1 (diamonds: with the class known)")
    axes.grid(axis="x", color="0.92")
    return figure


def crowds(outcome: NoveltyOutcome) -> Figure:
    """What decides: the number of novel objects, of detections, of answers."""
    figure = Figure(figsize=(9.5, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _against(left, outcome, [(str(number), f"power_fdr10_{number}_novel") for number in NOVEL_IN_CURVE], "power at 0.1")
    left.set_xlabel("novel objects in the stream")
    names = [(phase.replace("_", " "), f"auroc_{phase}_detections") for phase in PHASES]
    _against(middle, outcome, names, "AUROC")
    middle.set_xlabel("detections")
    if "found" in outcome.curves:
        reviewed = outcome.curves["found"]
        right.plot(np.arange(1, len(reviewed) + 1), reviewed, color=SHOWN[""][1])
        right.plot([0, len(reviewed)], [0, len(reviewed)], color="0.8", linewidth=0.9)
    right.set_xlabel("objects reviewed")
    right.set_ylabel("truly novel")
    return figure


def _against(axes: Axes, outcome: NoveltyOutcome, names: list[tuple[str, str]], label: str) -> None:
    there = [(text, outcome.metrics[name][0]) for text, name in names if name in outcome.metrics]
    axes.plot(range(len(there)), [value for _, value in there], "o-", markersize=4, color=SHOWN[""][1])
    axes.set_xticks(range(len(there)), [text for text, _ in there], fontsize=7)
    axes.set_ylabel(label)
    axes.set_ylim(0, 1)
