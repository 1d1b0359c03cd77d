"""``python docs/features/cost.py``: the CPU time of each block of features, for features/blocks.py.

500 alerts as the benchmarks have them, the best of nine rounds. Let nothing else run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from broker.bench.alerts import simulated
from features.blocks import BLOCKS, inputs_of
from features.gaussian_process import fit

ALERTS, ROUNDS = 500, 9


def main() -> None:
    """Print a line for each block."""
    curves = simulated(ALERTS)
    inputs = inputs_of(fit(curves))
    for block in BLOCKS:
        seconds = min(_seconds(lambda block=block: block.measure(inputs)) for _ in range(ROUNDS))
        print(f"{block.name}: {seconds / ALERTS * 1e6:.1f}")


def _seconds(measured: Callable[[], object]) -> float:
    begin = time.process_time()
    measured()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
