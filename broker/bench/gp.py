"""A Gaussian process for each light curve: fitted and predicted on a grid, by our backends and by two peers.

george, whose cost grows with the cube of the number of points, and celerite2, whose cost is linear as ours is.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from broker.bench import alerts
from broker.bench.contest import Contestant, Progress, Timing, growth_slope, side_by_side
from features import gaussian_process
from features.grid import predict_grid
from schemas.light_curves import LightCurves

N_ALERTS = 400
PEER_ALERTS = 40

POINTS = (50, 100, 200, 500, 1_000, 2_000, 5_000)
GROWTH_POINTS, GROWTH_ROUNDS = 10_000, 5  # in all light curves of one length together, and how often

OURS, WARM, DENSE = "state space", "state space, warm-started", "dense Cholesky"
PEER, LINEAR_PEER = "george and L-BFGS-B", "celerite2 and L-BFGS-B"
WORSE_BY = 0.1
"""A log-likelihood lower than a peer's optimum by more than this counts as a worse fit."""


def contest(progress: Progress) -> tuple[dict[str, Timing], dict[str, float], dict[str, Any]]:
    """CPU time of a fit and a prediction in six bands at 100 times; how the fits compare; and what was fitted."""
    from broker.bench.celerite_peer import fit_and_predict

    curves = alerts.simulated(N_ALERTS)
    few = curves.select(np.linspace(0, len(curves) - 1, PEER_ALERTS).astype(int))
    before = gaussian_process.fit(without_last_night(curves))
    start = before.start

    def work(light_curves: LightCurves, backend: str, given: Any = None) -> None:
        predict_grid(gaussian_process.fit(light_curves, backend=backend, start=given))

    times_of_few = predict_grid(gaussian_process.fit(few)).time_mjd
    timings = side_by_side(
        [
            Contestant(OURS, lambda: work(curves, "state_space"), len(curves)),
            Contestant(WARM, lambda: work(curves, "state_space", start), len(curves)),
            Contestant(DENSE, lambda: work(few, "dense"), len(few)),
            Contestant(PEER, lambda: work(few, "george"), len(few)),
            Contestant(LINEAR_PEER, lambda: fit_and_predict(few, times_of_few), len(few)),
        ],
        progress,
    )
    warm = gaussian_process.fit(curves, start=start).log_posterior
    short_warm = gaussian_process.fit(curves).log_posterior - warm
    quality = compared(few, times_of_few) | {"worse_warm_started": float(np.mean(short_warm > WORSE_BY))}
    table, quality["growth_slope"] = growth()
    points = curves.n_points
    facts = {
        **peers(),
        "points_median": float(np.median(points)),
        "points_highest": int(points.max()),
        "growth": {f"{row['points']:,} points": f"{row['us']:,} µs" for row in table},
    }
    return timings, quality, facts


def compared(curves: LightCurves, times_mjd: NDArray[np.float64]) -> dict[str, float]:
    """The fraction of light curves whose fit is worse and better than that of each peer."""
    from broker.bench.celerite_peer import fit_and_predict

    ours, george = (
        gaussian_process.fit(curves, backend=backend).log_posterior for backend in ("state_space", "george")
    )
    quality = {}
    for suffix, theirs in (("", george), ("_linear", fit_and_predict(curves, times_mjd))):
        quality[f"worse_fits{suffix}"] = float(np.mean(theirs - ours > WORSE_BY))
        quality[f"better_fits{suffix}"] = float(np.mean(ours - theirs > WORSE_BY))
    return quality


def peers() -> dict[str, str]:
    """What each peer is, and how it differs."""
    return {
        "peer": f"george {version('george')}, same kernel and grid, SciPy's L-BFGS-B with gradients; cubic cost",
        "peer_linear": (
            f"celerite2 {version('celerite2')}, same kernel and grid (its solver on columns made here for the product "
            "kernel, which its own terms lack), SciPy's L-BFGS-B with gradients from differences; linear cost"
        ),
    }


def growth() -> tuple[list[dict[str, float]], float]:
    """CPU time of a fit and a prediction against the number of points, µs, the least of a few rounds; and the slope of
    a straight line through their logarithms: 1 where the cost is linear."""
    table = []
    for n_points in POINTS:
        curves = alerts.made_up(max(2, GROWTH_POINTS // n_points), n_points // 2, n_points - n_points // 2)
        spent = []
        with threadpool_limits(1):
            for _ in range(GROWTH_ROUNDS):
                began = time.process_time()
                predict_grid(gaussian_process.fit(curves))
                spent.append(1e6 * (time.process_time() - began) / len(curves))
        table.append({"points": n_points, "us": round(min(spent), 1)})
    points, us = np.transpose([list(row.values()) for row in table])
    return table, growth_slope(points, us)


def without_last_night(curves: LightCurves) -> LightCurves:
    """The light curves as the alert before this one may have had them: without the last half day."""
    return curves.before(curves.alert_mjd - 0.5)
