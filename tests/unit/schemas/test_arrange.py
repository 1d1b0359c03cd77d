"""Points arranged by the compiled loop are those that NumPy's sorting gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrange import arrange

N_ALERTS, N_BANDS, ERR_LEAST, FLUX_LIMIT = 4, 3, 0.25, 4.0
ODD = st.sampled_from([np.nan, np.inf, -np.inf])
POINT = st.tuples(
    st.integers(0, N_ALERTS - 1),
    st.sampled_from([1.0, 2.0, 3.0, 4.0, 9.0]) | ODD,
    st.floats(-5, 5) | ODD,
    st.sampled_from([0.5, 0.25, 0.2, 0.0, -1.0, 2.0, 4.0, 99.0]) | ODD,
    st.integers(-1, N_BANDS),
    st.booleans(),
    st.integers(0, 2),
)
LATEST = np.array([2.0, 4.0, 8.0, np.nan])


def expected(points: list[tuple]) -> tuple[list[tuple], list[int]]:
    """The kept points, and how many of each alert were dropped, one at a time."""
    kept: dict[tuple, tuple] = {}
    dropped = [0] * N_ALERTS
    best: dict[tuple, int] = {}
    for alert, time, flux, err, band, detection, precedence in points:
        sound = np.isfinite([time, flux, err]).all() and ERR_LEAST <= err < FLUX_LIMIT and abs(flux) < FLUX_LIMIT
        if not (sound and 0 <= band < N_BANDS):
            dropped[alert] += 1
        elif time <= LATEST[alert]:
            key = (alert, time, band)
            first = kept.setdefault(key, (flux, err, detection))
            values = (flux, err) if precedence < best.setdefault(key, precedence) else first[:2]
            best[key] = min(best[key], precedence)
            kept[key] = (*values, first[2] or detection)
    return [(*key, *kept[key]) for key in sorted(kept)], dropped


@settings(deadline=None)
@given(st.lists(POINT, max_size=40))
def test_it_is_sorted_and_without_repeats(points: list[tuple]) -> None:
    columns = [np.array([point[k] for point in points], kind) for k, kind in enumerate("qdddb?b")]
    offsets, time, flux, err, band, detection, dropped = arrange(*columns, LATEST, N_BANDS, ERR_LEAST, FLUX_LIMIT)
    alert = np.repeat(np.arange(N_ALERTS), np.diff(offsets))
    arranged = zip(alert, time, band, flux, err, detection, strict=True)
    wanted, wanted_dropped = expected(points)
    assert [tuple(value.item() for value in point) for point in arranged] == wanted
    assert dropped.tolist() == wanted_dropped
