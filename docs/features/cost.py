"""``python docs/features/cost.py``: the CPU time of each block of features, for BLOCK_COST_US in features/catalogue.py.

500 alerts as the benchmarks have them, the best of nine rounds. Let nothing else run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from broker.bench.alerts import simulated
from features import (
    colour,
    context,
    detections,
    parametric,
    process,
    shape,
    statistics,
    timescales,
    variability,
)
from features.common_series import common_series
from features.gaussian_process import fit
from features.grid import predict_grid

ALERTS, ROUNDS = 500, 9


def main() -> None:
    """Print a line for each block."""
    curves = simulated(ALERTS)
    fits = fit(curves)
    grid, series = predict_grid(fits), common_series(curves)
    blocks: dict[str, Callable[[], object]] = {
        "detections": lambda: detections.columns(curves, grid),
        "process": lambda: process.columns(curves, fits, grid),
        "shape": lambda: shape.columns(curves, grid),
        "colour": lambda: colour.columns(curves, grid),
        "parametric": lambda: parametric.columns(curves, grid),
        "variability": lambda: variability.columns(curves, grid),
        "statistics": lambda: statistics.columns(series),
        "timescales": lambda: timescales.columns(series),
        "context": lambda: context.columns(curves, grid),
    }
    for name, columns in blocks.items():
        print(f'    "{name}": {min(_seconds(columns) for _ in range(ROUNDS)) / ALERTS * 1e6:.1f},')


def _seconds(measured: Callable[[], object]) -> float:
    begin = time.process_time()
    measured()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
