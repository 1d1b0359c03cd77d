"""The blocks of features, in the order of the matrix: :data:`BLOCKS` is the only list of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features import colour, context, detections, parametric, process, shape, statistics, timescales, variability
from features.common_series import CommonSeries, common_series
from features.definition import Feature
from features.gaussian_process import GaussianProcessFits
from features.grid import GridFlux, predict_grid
from schemas.light_curves import LightCurves

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a block: the light curves with their fits, the process on its grid, the common series."""

    fits: GaussianProcessFits
    grid: GridFlux
    series: CommonSeries

    @property
    def given(self) -> LightCurves:
        """The light curves as the survey gave them."""
        return self.fits.given

    @property
    def curves(self) -> LightCurves:
        """The light curves as they are believed: :class:`features.gaussian_process.GaussianProcessFits`."""
        return self.fits.light_curves


def inputs_of(fits: GaussianProcessFits) -> Inputs:
    """The inputs of all blocks, from fitted light curves."""
    return Inputs(fits, predict_grid(fits), common_series(fits.light_curves))


@dataclass(frozen=True, slots=True)
class Block:
    """The features of one module: ``measure`` gives their columns (n, features), in the order of ``features``.

    ``cost_us``: CPU time, µs per alert, from ``python docs/features/cost.py`` on one core of an Intel Xeon, without the
    fit and the prediction of the Gaussian process. ``from_process``: the features are measured on the Gaussian process,
    and are missing if it did not converge.
    """

    features: tuple[Feature, ...]
    measure: Callable[[Inputs], Array]
    cost_us: float
    from_process: bool = False

    @property
    def name(self) -> str:
        """The module's name, as in ``Feature.block``."""
        return self.features[0].block


BLOCKS = (
    Block(detections.FEATURES, lambda of: detections.columns(of.given, of.grid), 1.2),
    Block(process.FEATURES, lambda of: process.columns(of.curves, of.fits, of.grid), 0.7, from_process=True),
    Block(shape.FEATURES, lambda of: shape.columns(of.curves, of.grid), 2.4, from_process=True),
    Block(colour.FEATURES, lambda of: colour.columns(of.curves, of.grid), 1.8, from_process=True),
    Block(parametric.FEATURES, lambda of: parametric.columns(of.curves, of.grid), 30.7, from_process=True),
    Block(variability.FEATURES, lambda of: variability.columns(of.curves, of.grid), 3.0),
    Block(statistics.FEATURES, lambda of: statistics.columns(of.series), 5.3),
    Block(timescales.FEATURES, lambda of: timescales.columns(of.series), 14.2),
    Block(context.FEATURES, lambda of: context.columns(of.curves, of.grid), 0.4),
)
"""All blocks, in the order of the matrix. Trained models depend on this order."""
