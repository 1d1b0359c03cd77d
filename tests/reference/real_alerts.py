"""Real alerts, short enough for george, whose time grows with the cube of the number of points."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.datasets import bts, plasticc, snana
from models.datasets.labelled import alerts_at, triggers
from schemas import packets
from schemas.light_curves import LightCurves

SOURCES = ("plasticc", "spcc", "bts", "packets")
MOST_POINTS = 100


def read(source: str, folder: Path) -> LightCurves:
    """The light curves of a source in the folder of real data."""
    if source == "packets":
        return packets.read(packets.read_files(sorted(folder.rglob("rubin/*.avro")))[0])[0]
    if source == "plasticc":
        return plasticc.load().light_curves
    return (bts if source == "bts" else snana).load(folder / source).light_curves


def alerts(light_curves: LightCurves, n: int) -> LightCurves:
    """``n`` alerts drawn at random, or as many as there are, each with the history it had."""
    all_triggers = triggers(light_curves)
    chosen = np.sort(np.random.default_rng(8).choice(len(all_triggers), min(4 * n, len(all_triggers)), replace=False))
    drawn = alerts_at(light_curves, all_triggers.select(chosen))
    few = np.flatnonzero((drawn.n_points > 0) & (drawn.n_points <= MOST_POINTS))[:n]
    return drawn.select(few)
