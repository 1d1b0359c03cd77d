"""LightCurves: invariants of from_points, before, select and concatenate."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.light_curves import BANDS, FLAGS_UNKNOWN, FLUX_LIMIT_NJY, LightCurves
from schemas.photometry import LEAST_FLUX_ERR_NJY

# few distinct times, so that points coincide; values that must be refused among them
TIMES = st.sampled_from([60000.0, 60000.5, 60001.0, 60001.25, 60003.0, 60009.0, float("nan"), float("inf")])
POINTS = st.lists(
    st.tuples(
        st.integers(0, 3),
        TIMES,
        st.sampled_from([1.0, -2.5, 0.0, 1e9, float("nan"), float("-inf")]),
        st.sampled_from([1.0, 0.5, 0.0, -1.0, float("nan"), float("inf")]),
        st.integers(-1, 6),
        st.booleans(),
    ),
    max_size=40,
)
ALERT_MJD = np.array([60000.5, 60001.0, 60003.0, 60020.0])


def light_curves(points: list[tuple]) -> LightCurves:
    columns = list(zip(*points, strict=True)) or [[]] * 6
    names = ("time_mjd", "flux_njy", "flux_err_njy", "band", "is_detection")
    alerts = {
        "alert_id": np.arange(4) + 2**60,
        "object_id": np.array([7, 8, 9, 0]),
        "alert_mjd": ALERT_MJD,
        "ra_deg": np.full(4, 10.0),
        "dec_deg": np.full(4, -5.0),
    }
    return LightCurves.from_points(alert=columns[0], columns=dict(zip(names, columns[1:], strict=True)), alerts=alerts)


def same(first: LightCurves, second: LightCurves) -> bool:
    return all(
        np.array_equal(getattr(first, field.name), getattr(second, field.name), equal_nan=True)
        and getattr(first, field.name).dtype == getattr(second, field.name).dtype
        for field in fields(LightCurves)
    )


@settings(deadline=None)  # the first example waits for the compiler
@given(POINTS)
def test_every_point_is_sound(points: list[tuple]) -> None:
    curves = light_curves(points)
    assert np.isfinite(curves.time_mjd).all()
    assert (np.abs(curves.flux_njy) < FLUX_LIMIT_NJY).all()
    assert ((curves.flux_err_njy >= LEAST_FLUX_ERR_NJY) & (curves.flux_err_njy < FLUX_LIMIT_NJY)).all()
    assert ((curves.band >= 0) & (curves.band < len(BANDS))).all()
    assert (curves.time_mjd <= curves.alert_mjd[curves.alert_of_point]).all()
    keys = list(zip(curves.alert_of_point.tolist(), curves.time_mjd.tolist(), curves.band.tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert curves.offsets[0] == 0
    assert curves.offsets[-1] == len(curves.time_mjd) == curves.n_points.sum()


@given(POINTS)
def test_each_point_is_kept_dropped_or_a_repeat_or_late(points: list[tuple]) -> None:
    curves = light_curves(points)
    measured = [p for p in points if np.isfinite(p[1:4]).all() and max(abs(p[2]), p[3]) < FLUX_LIMIT_NJY]
    sound = [p for p in measured if p[3] >= LEAST_FLUX_ERR_NJY and 0 <= p[4] < 6]
    in_time = {(p[0], p[1], p[4]) for p in sound if p[1] <= ALERT_MJD[p[0]]}
    assert int(curves.n_points_dropped.sum()) == len(points) - len(sound)
    assert len(curves.time_mjd) == len(in_time)


@given(POINTS, st.randoms(use_true_random=False))
def test_the_order_does_not_matter_but_for_repeats(points: list[tuple], random) -> None:
    distinct = list({(p[0], p[1], p[4]): p for p in points}.values())
    shuffled = distinct.copy()
    random.shuffle(shuffled)
    assert same(light_curves(distinct), light_curves(shuffled))


def test_of_repeats_the_first_counts_and_it_is_a_detection_if_any_is() -> None:
    curves = light_curves(
        [(3, 60000.0, 1.0, 0.1, 2, False), (3, 60000.0, 5.0, 0.2, 2, True), (3, 60000.0, 7.0, 0.3, 1, False)]
    )
    assert curves.flux_njy.tolist() == [7.0, 1.0]
    assert curves.is_detection.tolist() == [False, True]


def test_of_repeats_the_lowest_precedence_counts() -> None:
    columns = {
        "time_mjd": [60000.0] * 4, "flux_njy": [1.0, 2.0, 3.0, 4.0], "flux_err_njy": [0.1, 0.2, 0.3, 0.4],
        "band": [2] * 4, "is_detection": [True, False, False, False], "precedence": [1, 0, 0, 2],
    }  # fmt: skip
    alerts = {name: [1] for name in ("alert_id", "object_id", "ra_deg", "dec_deg")} | {"alert_mjd": [60001.0]}
    curves = LightCurves.from_points(alert=[0] * 4, columns=columns, alerts=alerts)
    assert (curves.flux_njy.tolist(), curves.flux_err_njy.tolist()) == ([2.0], [0.2])
    assert curves.is_detection.tolist() == [True]


def test_alert_columns_that_are_left_out_are_not_known() -> None:
    curves = light_curves([])
    assert np.isnan(curves.host_separation_arcsec).all()
    assert np.isnan(curves.processed_mjd).all()
    assert curves.image_flags.tolist() == [FLAGS_UNKNOWN] * 4
    assert curves.n_points_from_history.tolist() == curves.n_points_dropped.tolist() == [0] * 4
    assert curves.packet_index.tolist() == [0, 1, 2, 3]


@given(POINTS, st.floats(59999, 60010))
def test_before_is_what_the_points_until_then_give(points: list[tuple], mjd: float) -> None:
    curves = light_curves(points).before(mjd)
    assert (curves.time_mjd <= mjd).all()
    assert (curves.alert_mjd <= mjd).all()
    until_then = light_curves([p for p in points if not p[1] > mjd])
    for name in ("offsets", "time_mjd", "flux_njy", "flux_err_njy", "band", "is_detection"):
        assert np.array_equal(getattr(curves, name), getattr(until_then, name))


@given(POINTS, st.floats(59999, 60010), st.sampled_from([1.0, 1e6, -1e6]))
def test_nothing_later_changes_the_past(points: list[tuple], mjd: float, flux: float) -> None:
    changed = [(a, t, flux, e, b, d) if t > mjd else (a, t, f, e, b, d) for a, t, f, e, b, d in points]
    first, second = light_curves(points).before(mjd), light_curves(changed).before(mjd)
    assert np.array_equal(first.flux_njy, second.flux_njy)


@given(POINTS, st.lists(st.integers(0, 3), max_size=8))
def test_select_takes_rows_and_concatenate_puts_them_together(points: list[tuple], rows: list[int]) -> None:
    curves = light_curves(points)
    chosen = curves.select(np.array(rows, int))
    parts = [curves.select(np.array([row])) for row in rows]
    assert same(chosen, LightCurves.concatenate(parts))
    assert chosen.alert_id.tolist() == [curves.alert_id[row] for row in rows]


@given(POINTS)
def test_a_mask_selects_as_its_rows_do(points: list[tuple]) -> None:
    curves = light_curves(points)
    mask = curves.n_points > 2
    assert same(curves.select(mask), curves.select(np.flatnonzero(mask)))
    assert same(
        LightCurves.concatenate([curves.select(mask), curves.select(~mask)]),
        curves.select(np.argsort(~mask, kind="stable")),
    )


def test_nothing_is_empty() -> None:
    assert len(LightCurves.empty()) == 0
    assert same(LightCurves.concatenate([]), LightCurves.empty())
    assert same(LightCurves.concatenate([LightCurves.empty(), LightCurves.empty()]), LightCurves.empty())


def test_wrong_shapes_are_errors_that_say_which() -> None:
    columns = {"time_mjd": [1.0], "flux_njy": [1.0, 2.0], "flux_err_njy": [1.0], "band": [1], "is_detection": [True]}
    alerts = {name: [1] for name in ("alert_id", "object_id", "alert_mjd", "ra_deg", "dec_deg")}
    with pytest.raises(ValueError, match=r"flux_njy.*found"):
        LightCurves.from_points(alert=[0], columns=columns, alerts=alerts)
    columns["flux_njy"] = [1.0]
    with pytest.raises(ValueError, match="row number from 0 to 0, found 3"):
        LightCurves.from_points(alert=[3], columns=columns, alerts=alerts)
