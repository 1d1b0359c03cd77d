"""Our optimum beside george's on many real light curves: the table in docs/gaussian-process.md.

Run it with ``python -m tests.reference.optimum_table [FOLDER] [--alerts N]``; minutes, for george's sake.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from features.gaussian_process import fit
from schemas.light_curves import LightCurves
from tests.reference.real_alerts import SOURCES, alerts, read

PORTION = 50
WORSE = 0.1


def shortfalls(light_curves: LightCurves, name: str) -> NDArray[np.float64]:
    """George's log-likelihood at its optimum minus ours at ours, for each alert."""
    gathered = []
    for start in track(range(0, len(light_curves), PORTION), description=name):
        portion = light_curves.select(np.arange(start, min(start + PORTION, len(light_curves))))
        gathered.append(fit(portion, backend="george").log_posterior - fit(portion).log_posterior)
    return np.concatenate(gathered)


def row(name: str, shortfall: NDArray[np.float64]) -> str:
    ours, theirs = (shortfall > WORSE).mean(), (shortfall < -WORSE).mean()
    return f"| {name} | {len(shortfall)} | {100 * ours:.2f} % | {shortfall.max():.3f} | {100 * theirs:.1f} % |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data"), help="the folder of real data")
    parser.add_argument("--alerts", type=int, default=400, help="of each source")
    asked = parser.parse_args()
    by_source = {name: shortfalls(alerts(read(name, asked.folder), asked.alerts), name) for name in SOURCES}
    print(f"| light curves | alerts | ours > {WORSE} below george's | most below | george's > {WORSE} below ours |")
    print("|---|---|---|---|---|")
    for name, shortfall in by_source.items():
        print(row(name, shortfall))
    print(row("all", np.concatenate(list(by_source.values()))))


if __name__ == "__main__":
    main()
