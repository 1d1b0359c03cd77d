"""Why a feature is missing."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from features import parametric
from features.blocks import BLOCKS
from features.catalogue import CATALOGUE
from features.gaussian_process import GaussianProcessFits
from features.grid import predict_grid
from schemas.light_curves import BANDS


class Reason(IntEnum):
    """Why a feature is missing: the first reason in this order that applies.

    - ``MEASURED``: it is not missing.
    - ``TOO_FEW_POINTS``: the light curve has fewer points than the feature or its fit needs.
    - ``NO_BAND``: a band that the feature needs has no point.
    - ``NOT_CONVERGED``: the Gaussian process, or the parametric fit of the feature, did not converge.
    - ``NOT_SEEN``: the light curve does not show it, or not yet: no decline, no second night, no positive peak, no
      variation beyond rounding, or a value too large for float32.
    - ``NOT_GIVEN``: the packet does not give it (features of the block context).
    """

    MEASURED = 0
    TOO_FEW_POINTS = 1
    NO_BAND = 2
    NOT_CONVERGED = 3
    NOT_SEEN = 4
    NOT_GIVEN = 5


_FROM_PROCESS = np.isin(
    [feature.block for feature in CATALOGUE], [block.name for block in BLOCKS if block.from_process]
)
_FROM_PACKET = np.array([feature.block == "context" for feature in CATALOGUE])
_MIN_POINTS = np.array([feature.min_points for feature in CATALOGUE])
_NEEDED = np.array([[band in feature.bands for band in BANDS] for feature in CATALOGUE])
_FIRST_FIT = CATALOGUE.index(parametric.FEATURES[0])


def reasons(values: NDArray[np.float64], fits: GaussianProcessFits) -> NDArray[np.int8]:
    """The :class:`Reason` of each entry of the feature matrix ``values`` (n, features), as int8 of the same shape.

    ``fits`` are those of the matrix. This is not part of the extraction, because it repeats the fits of the block
    parametric to see whether they converged.
    """
    curves = fits.light_curves
    present = np.zeros((len(curves), len(BANDS)), bool)
    present[curves.alert_of_point, curves.band] = True
    absent = (~present).astype(np.float64) @ _NEEDED.T.astype(np.float64) > 0
    reasons_of_values = np.full(values.shape, Reason.NOT_SEEN, np.int8)
    reasons_of_values[:, _FROM_PACKET] = Reason.NOT_GIVEN
    reasons_of_values[np.ix_(~fits.converged, _FROM_PROCESS)] = Reason.NOT_CONVERGED
    _explain_fits(fits, reasons_of_values)
    reasons_of_values[absent] = Reason.NO_BAND
    reasons_of_values[curves.n_points[:, None] < _MIN_POINTS] = Reason.TOO_FEW_POINTS
    reasons_of_values[np.isfinite(values)] = Reason.MEASURED
    return reasons_of_values


def _explain_fits(fits: GaussianProcessFits, reasons_of_values: NDArray[np.int8]) -> None:
    status = parametric.statuses(fits.light_curves, predict_grid(fits))
    for column, models in enumerate(parametric.MODELS_OF_FEATURE):
        ends = status[:, models]
        entries = reasons_of_values[:, _FIRST_FIT + column]
        entries[(ends == parametric.NOT_CONVERGED).any(axis=1)] = Reason.NOT_CONVERGED
        entries[(ends == parametric.TOO_FEW).any(axis=1)] = Reason.TOO_FEW_POINTS
