"""Timescales of slow light curves whose errors are understated or that hold outliers: the table in
docs/gaussian-process.md.

Run it with ``python -m tests.reference.noise_table [--curves N]``; half a minute. A fit is right if its timescale is
within a factor of 2 of that of the undamaged light curve without noise factor and with every point.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features import state_space
from features.gaussian_process import fit
from features.kernel import ERROR_FLOOR_FRACTION
from features.points import points_of, unsolved
from models.datasets import plasticc
from schemas.light_curves import LightCurves

SLOW_DAYS = 10.0
OUTLIER_ERRORS = 20.0
Array = NDArray[np.float64]


def plain_timescale_days(light_curves: LightCurves) -> Array:
    """The timescale with the errors as stated and every point, days, (n,); NaN where the search did not end."""
    points = points_of(light_curves, ERROR_FLOOR_FRACTION)
    points.factor_ceiling[:] = 1.0
    solutions = unsolved(points)
    state_space.fit(points, np.full((len(light_curves), 2), np.nan), solutions)
    return np.where(solutions.converged, np.exp(0.5 * solutions.y), np.nan)


def slow_curves(n: int, seed: int = 1) -> tuple[LightCurves, Array]:
    """``n`` slow light curves of PLAsTiCC's training set, and their timescales, days."""
    everything = plasticc.load().light_curves
    candidates = np.random.default_rng(seed).permutation(np.flatnonzero(everything.n_points >= 10))[: 3 * n]
    chosen = everything.select(np.sort(candidates))
    timescale = plain_timescale_days(chosen)
    slow = np.flatnonzero(timescale >= SLOW_DAYS)[:n]
    return chosen.select(slow), timescale[slow]


def understated(curves: LightCurves, factor: float, seed: int = 2) -> LightCurves:
    """With noise, so that the true errors are ``factor`` times the stated ones."""
    normal = np.random.default_rng(seed).normal(size=len(curves.flux_njy))
    return replace(curves, flux_njy=curves.flux_njy + np.sqrt(factor**2 - 1) * curves.flux_err_njy * normal)


def with_outliers(curves: LightCurves, part: float, seed: int = 3) -> LightCurves:
    """With ``part`` of the points :data:`OUTLIER_ERRORS` stated errors too high or too low."""
    luck = np.random.default_rng(seed)
    is_outlier = luck.random(len(curves.flux_njy)) < part
    side = luck.choice([-1.0, 1.0], len(curves.flux_njy))
    return replace(curves, flux_njy=curves.flux_njy + is_outlier * side * OUTLIER_ERRORS * curves.flux_err_njy)


DAMAGES: dict[str, tuple[Callable[[LightCurves], LightCurves], float]] = {
    "none": (lambda curves: curves, 0.98),
    "errors understated by 1.5": (lambda curves: understated(curves, 1.5), 0.90),
    "errors understated by 2": (lambda curves: understated(curves, 2.0), 0.90),
    "errors understated by 3": (lambda curves: understated(curves, 3.0), 0.80),
    "1 % outliers": (lambda curves: with_outliers(curves, 0.01), 0.90),
    "3 % outliers": (lambda curves: with_outliers(curves, 0.03), 0.85),
    "understated by 1.7, 1 % outliers": (lambda curves: with_outliers(understated(curves, 1.7), 0.01), 0.85),
}
"""What is done to the light curves, and the least fraction of fits that must be right."""


def right(timescale_days: Array, expected_days: Array) -> float:
    """The fraction of timescales within a factor of 2."""
    return float(np.mean(np.abs(np.log2(timescale_days / expected_days)) < 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curves", type=int, default=600)
    curves, expected = slow_curves(parser.parse_args().curves)
    print(f"{len(curves)} light curves\n")
    print("| damage | right as stated | right | noise factor, 16 to 84 % | set aside |")
    print("|---|---|---|---|---|")
    for name, (damage, _) in DAMAGES.items():
        damaged = damage(curves)
        fits = fit(damaged)
        low, high = np.percentile(fits.noise_factor, [16, 84])
        before = right(plain_timescale_days(damaged), expected)
        after, aside = right(fits.timescale_days, expected), fits.n_points_set_aside.sum() / damaged.n_points.sum()
        print(f"| {name} | {before:.3f} | {after:.3f} | {low:.2f} to {high:.2f} | {100 * aside:.2f} % |")


if __name__ == "__main__":
    main()
