"""Class rates of a stream from unlabelled objects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.scoring.calibration import with_prior

STEPS, TOLERANCE = 500, 1e-7

PRIOR_OBJECTS = 50.0
"""The rates at the beginning weigh as much as this many objects."""


def stream_rates(
    p: NDArray[np.float64], rates: NDArray[np.float64], prior_objects: float = PRIOR_OBJECTS
) -> NDArray[np.float64]:
    """Class rates among unlabelled objects, (k,), adding up to 1, each positive.

    ``p`` (n, k): their probabilities at the class ``rates`` (k,). Expectation maximisation (Saerens, Latinne &
    Decaestecker 2002, doi:10.1162/089976602753284446) with a Dirichlet prior of mean ``rates`` and the weight of
    ``prior_objects``: it finds the most probable rates. The method assumes that the probabilities are calibrated, and
    that a class looks the same in both samples. Where that is wrong the result may be far off: ask labels
    (:mod:`models.adaptation.adapting`).

    >>> rng = np.random.default_rng(1)
    >>> is_b = rng.random(4000) < 0.2
    >>> likelihood = np.exp(-0.5 * (rng.normal(is_b * 2.0, 1)[:, None] - [0.0, 2.0]) ** 2)
    >>> bool(abs(stream_rates(with_prior(likelihood, np.array([0.5, 0.5])), np.array([0.5, 0.5]))[1] - 0.2) < 0.03)
    True
    """
    start = np.maximum(np.asarray(rates, np.float64), 1e-12)
    start = start / start.sum()
    estimate = start
    for _ in range(STEPS):
        before = estimate
        count = with_prior(p, before / start).sum(axis=0) + prior_objects * start
        estimate = count / count.sum()
        if np.abs(estimate - before).max() < TOLERANCE:
            break
    return estimate
