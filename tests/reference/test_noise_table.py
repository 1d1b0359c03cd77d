"""The process on damaged light curves: the timescale is that of the undamaged one."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from features.gaussian_process import fit
from schemas.light_curves import LightCurves
from tests.reference.noise_table import DAMAGES, plain_timescale_days, right, slow_curves, understated


@cache
def slow() -> tuple[LightCurves, np.ndarray]:
    return slow_curves(200)


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_timescale_survives_the_damage(damage: str) -> None:
    curves, expected = slow()
    harm, least = DAMAGES[damage]
    chance = 2 * np.sqrt(least * (1 - least) / len(curves))  # of 200: two standard errors
    assert right(fit(harm(curves)).timescale_days, expected) >= least - chance


def test_as_stated_it_would_not() -> None:
    curves, expected = slow()
    assert right(plain_timescale_days(understated(curves, 2.0)), expected) < 0.6


def test_the_noise_factor_is_what_the_errors_were_understated_by() -> None:
    curves, _ = slow()
    for factor in (1.5, 2.0, 3.0):
        assert np.median(fit(understated(curves, factor)).noise_factor) == pytest.approx(factor, rel=0.05)
