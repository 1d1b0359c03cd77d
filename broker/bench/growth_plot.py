"""The growth of cost and rate as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw(figures: dict[str, dict[str, Any]], file: Path) -> None:
    """Four panels: cost by points, rate by size of a batch, by master, by partitions; PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2), layout="constrained")
    cost, batch, masters, partitions = figure.subplots(1, 4)
    points = {int(name): value for name, value in figures["us_by_points"].items()}
    cost.loglog(list(points), list(points.values()), "o-", color="#1600EA")
    cost.set(xlabel="points of an alert", ylabel="CPU time an alert, µs")
    sizes = {int(name): value for name, value in figures["rate_by_batch"].items()}
    batch.semilogx(list(sizes), list(sizes.values()), "^-", color="#B52626")
    batch.set(xlabel="alerts a micro-batch", ylabel="alerts/s", ylim=(0, None))
    for axes, by, title in (
        (masters, figures["rate_by_master"], "Spark master"),
        (partitions, figures["rate_by_partitions"], "partitions of the input topic"),
    ):
        axes.bar(range(len(by)), list(by.values()), color="#61A2B3", width=0.6)
        names = [name.replace("local-cluster[2,1,1536]", "2 executors\nof 1 core") for name in by]
        axes.set_xticks(range(len(by)), names)
        axes.set(xlabel=title, ylabel="alerts/s")
    for axes in (cost, batch, masters, partitions):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)
