"""Positions on the sky: right ascension in its circle."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def around_the_circle(ra_deg: ArrayLike) -> NDArray[np.float64]:
    """Right ascensions in [0, 360) degrees. ``ra_deg``: any finite angles, or NaN, which stays.

    The remainder alone is not enough: that of -1e-15 rounds to 360.

    >>> around_the_circle([-1e-15, 360.0, -5.0]).tolist()
    [0.0, 0.0, 355.0]
    """
    turned = np.mod(np.asarray(ra_deg, np.float64), 360.0)
    return np.where(turned >= 360.0, 0.0, turned)
