"""When an alert is not classified, and why. Otherwise a source of constant flux might be called an early supernova."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas.light_curves import LightCurves

MIN_SIGNAL_TO_NOISE = 3.0
"""If no detection of an alert reaches this |flux / error|, the alert is taken for noise. The survey
itself detects at 5 (LSE-163); the margin allows for later revisions of templates and errors."""

SOLAR_SYSTEM = "Solar System object"
NO_DETECTION = "no usable detections"
FEATURELESS = f"featureless: no detection has a signal-to-noise of {MIN_SIGNAL_TO_NOISE:g} or more"


def n_detections(light_curves: LightCurves) -> NDArray[np.int64]:
    """Usable detections of each alert, shape (n,)."""
    return np.bincount(light_curves.alert_of_point[light_curves.is_detection], minlength=len(light_curves))


def reasons(light_curves: LightCurves, detections: NDArray[np.int64]) -> list[str]:
    """Why each alert is not classified; "" if it is. ``detections``: number of usable ones, shape (n,)."""
    signal_to_noise = np.abs(light_curves.flux_njy) / light_curves.flux_err_njy
    best = np.nan_to_num(light_curves.largest(signal_to_noise, light_curves.is_detection))
    text = np.full(len(light_curves), "", dtype=object)
    text[best < MIN_SIGNAL_TO_NOISE] = FEATURELESS
    text[detections == 0] = NO_DETECTION
    text[light_curves.is_solar_system] = SOLAR_SYSTEM
    return [str(reason) for reason in text]
