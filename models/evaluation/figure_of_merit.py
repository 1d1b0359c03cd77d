"""The figure of merit of the supernova photometric classification challenge."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FALSE_TAG_PENALTY = 3.0
"""W of Kessler et al. 2010 (arXiv:1001.5210, section 5; results arXiv:1008.1024): a false tag costs as
much as three objects."""


def figure_of_merit(selected: ArrayLike, is_ia: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Efficiency times pseudo-purity of the objects tagged as type Ia, 0 to 1:

        (N_true / N_Ia) × N_true / (N_true + W N_false)

    with N_true the Ia among the ``selected`` (n,) bool, N_false the others, N_Ia all Ia. 0 if nothing is selected.
    """
    chosen, ia = np.asarray(selected, bool), np.asarray(is_ia, bool)
    w = np.ones(len(ia)) if weight is None else np.asarray(weight, np.float64)
    true, false, total = w[chosen & ia].sum(), w[chosen & ~ia].sum(), w[ia].sum()
    return float(true / total * true / (true + FALSE_TAG_PENALTY * false)) if true > 0 else 0.0


def expected_best_threshold(p_ia: NDArray[np.float64]) -> float:
    """The cut in the probability of Ia with the largest expected figure of merit.

    The true classes are not used: N_true = sum p and N_false = sum (1 - p) over the objects above the cut. The cut is
    the best one if the probabilities are calibrated for this sample.
    """
    ordered = np.sort(p_ia)[::-1]
    true = np.cumsum(ordered)
    false = np.arange(1, len(ordered) + 1) - true
    merit = true**2 / np.maximum(true + FALSE_TAG_PENALTY * false, 1e-300)
    return float(ordered[merit.argmax()]) if len(ordered) else 0.5


def best_figure_of_merit(p_ia: NDArray[np.float64], is_ia: ArrayLike) -> float:
    """The largest figure of merit of any cut. Finding the cut needs the true classes, so this is an upper bound."""
    order = np.argsort(-p_ia, kind="stable")
    ia = np.asarray(is_ia, bool)[order]
    last_of_ties = np.append(np.diff(p_ia[order]) != 0, True)
    true = np.cumsum(ia)
    merit = true**2 / np.maximum(true + FALSE_TAG_PENALTY * np.cumsum(~ia), 1e-300)
    return float((merit * last_of_ties).max(initial=0.0) / max(ia.sum(), 1))
