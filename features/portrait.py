"""The portrait of a light curve: the mean of its Gaussian process by phase and band, as input for networks.

A portrait shows the shape of the whole light curve, beyond the features that we chose. It has neither brightness nor
redshift; together with the features, which have both, this works better. Boone 2019 (arXiv:1907.04690) predicts the
process on such a grid for his features; Qu et al. 2021 (arXiv:2106.04370) classify images of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.gaussian_process import GaussianProcessFits
from features.grid import first_time
from features.points import peak_mjd
from schemas.light_curves import BANDS

PHASES_DAYS = (-50, -35, -25, -18, -12, -7, -3, 0, 3, 7, 12, 18, 25, 33, 42, 52, 65, 80, 100, 130)
"""Days from the most significant point, in the observer frame; densest where transients change fastest."""

SLACK_DAYS = 5.0
"""The process is used up to this many days before the first point and after the alert."""

PORTRAIT_SIZE = (len(BANDS) + 2) * len(PHASES_DAYS)


def portraits(fits: GaussianProcessFits) -> NDArray[np.float32]:
    """One row per light curve, (n, :data:`PORTRAIT_SIZE`), of the process fitted to it.

    First the mean flux of the process at each phase, band after band, over the largest absolute value, from -1 to 1; 0
    if the phase is not between the first point and the alert. Then, for each phase, 1 if it is after the alert; then 1
    if it is before the first point. Without points, or if the process did not converge, fluxes are 0.
    """
    curves, n = fits.light_curves, len(fits)
    has_points = curves.n_points > 0
    first = first_time(curves, np.ones(len(curves.time_mjd), bool))
    peak = np.where(has_points, peak_mjd(curves), curves.alert_mjd)
    time = peak[:, None] + np.array(PHASES_DAYS, np.float64)
    after = time > curves.alert_mjd[:, None] + SLACK_DAYS
    before = time < first[:, None] - SLACK_DAYS
    inside = ~(after | before) & (fits.converged & has_points)[:, None]
    flux = np.where(inside[:, None], fits.predict_mean(time), 0.0)
    scale = np.abs(flux).max(axis=(1, 2), keepdims=True)
    shape = np.divide(flux, scale, out=np.zeros_like(flux), where=scale > 0)
    return np.concatenate([shape.reshape(n, -1), after, before], axis=1).astype(np.float32)
