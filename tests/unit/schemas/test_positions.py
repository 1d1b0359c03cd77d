"""Right ascensions lie in their circle."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.positions import around_the_circle


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(-1e-15)
@example(360.0)
@example(-0.0)
def test_any_angle_is_in_the_circle(angle: float) -> None:
    (turned,) = around_the_circle([angle])
    assert 0 <= turned < 360
    assert np.cos(np.radians(np.mod(angle, 360) - turned)) > 0.999_999


def test_what_is_missing_stays_missing() -> None:
    assert np.isnan(around_the_circle([np.nan])).all()
