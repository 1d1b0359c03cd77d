"""Several ways to the same result, timed in turn on one core."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.progress import Progress

ROUNDS = 7
"""Every contestant runs once a round, so that a slow minute of the machine harms all alike; the median counts."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """``work`` does ``items`` alerts; slow peers may do fewer than others."""

    name: str
    work: Callable[[], object]
    items: int


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU time of one alert over the rounds, µs."""

    median_us: float
    low_us: float
    high_us: float
    items: int
    rounds: int

    @property
    def rate(self) -> float:
        """Alerts a second that one core does."""
        return 1e6 / self.median_us

    def to_json(self) -> dict[str, float | int]:
        """For ``--json``."""
        return {
            "median_us": round(self.median_us, 3),
            "low_us": round(self.low_us, 3),
            "high_us": round(self.high_us, 3),
            "rate": round(self.rate, 1),
            "items": self.items,
            "rounds": self.rounds,
        }


def growth_slope(numbers: ArrayLike, costs: ArrayLike) -> float:
    """The exponent of a power law through costs against numbers: 1 where the cost is linear."""
    return float(np.polyfit(np.log(numbers), np.log(costs), 1)[0])


def side_by_side(
    contestants: list[Contestant], progress: Progress = lambda *_: None, rounds: int = ROUNDS
) -> dict[str, Timing]:
    """CPU time by contestant's name. Each runs once before, unmeasured, so that compiled code is loaded.

    All threads of the process are counted, and numerical libraries are held to one.
    """
    spent: dict[str, list[float]] = {one.name: [] for one in contestants}
    steps = (rounds + 1) * len(contestants)
    with threadpool_limits(1):
        for number in range(rounds + 1):
            for place, one in enumerate(contestants):
                began = time.process_time()
                one.work()
                if number:
                    spent[one.name].append(1e6 * (time.process_time() - began) / one.items)
                progress("rounds", number * len(contestants) + place + 1, steps)
    items = {one.name: one.items for one in contestants}
    return {name: Timing(float(np.median(us)), min(us), max(us), items[name], rounds) for name, us in spent.items()}
