"""Conformal test martingale: whether labelled objects still come from one distribution, tested anew at each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

JUMP = 0.01
"""Part of each bet that is laid anew at every object."""

BETS = np.array([-1.0, 0.0, 1.0])
"""Slopes of the bets on a p-value: that it is small, that it is uniform, that it is large."""

ALARM = 20.0
"""A martingale that starts at 1 reaches this with probability 1/20 at most, if nothing changes: Ville's inequality."""


def p_values(scores: ArrayLike, seed: int) -> Array:
    """The smoothed conformal p-value of each score among those up to it, (n,); a large score gives a small one.

    If the scores are exchangeable, these are independent and uniform (Vovk, Gammerman & Shafer 2005,
    doi:10.1007/b106715, theorem 8.2). Ties are broken by draws from ``seed``.
    """
    score = np.asarray(scores, np.float64)
    luck = np.random.default_rng(seed).random(len(score))
    p = np.empty(len(score))
    for i in range(len(score)):
        past = score[: i + 1]
        p[i] = ((past > score[i]).sum() + luck[i] * (past == score[i]).sum()) / (i + 1)
    return p


def log_capital(p: ArrayLike) -> Array:
    """The natural logarithm of the martingale after each p-value, (n,), 0 at the beginning: the simple jumper.

    At each p it multiplies the capital on every bet e by 1 + e (p - 1/2), and moves a part :data:`JUMP` of all capital
    to even shares (Vovk et al. 2021, arXiv:2102.10439, algorithm 1). If the p-values are independent and uniform, the
    probability that it ever reaches c is 1/c at most (Ville 1939), at whatever moment one looks.
    """
    share = np.full(len(BETS), 1 / len(BETS))
    path = np.empty(len(np.asarray(p)))
    total = 0.0
    for i, one in enumerate(np.asarray(p, np.float64)):
        share = (1 - JUMP) * share + JUMP * share.sum() / len(BETS)
        share = share * (1 + BETS * (one - 0.5))
        total += float(np.log(share.sum()))  # in logarithms: it may grow without limit
        share = share / share.sum()
        path[i] = total
    return path


def largest(path: Array) -> float:
    """The largest value of the martingale, 1 or more, at most 1e300."""
    return float(np.exp(min(max(path.max(initial=0.0), 0.0), 690.0)))
