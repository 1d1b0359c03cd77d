"""Points kept from before a packet, and joined to it."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import history
from schemas.light_curves import LightCurves

POINT = st.tuples(
    st.integers(0, 60).map(lambda day: 60_000.0 + 0.5 * day),
    st.floats(-1e8, 1e8, width=32),
    st.floats(0.125, 1e6, width=32),
    st.integers(0, 5),
    st.booleans(),
)
CURVE = st.lists(POINT, max_size=30)
PACKETS_BEGIN_MJD, ALERT_MJD = 60_015.0, 60_025.0


def light_curves(curves: list[list[tuple]], alert_mjd: float = 60_100.0, object_id: int = 7) -> LightCurves:
    points = [(row, *point) for row, curve in enumerate(curves) for point in curve]
    names = ("time_mjd", "flux_njy", "flux_err_njy", "band", "is_detection")
    owner, *columns = list(zip(*points, strict=True)) or [[]] * 6
    n = len(curves)
    alerts = {"alert_id": np.arange(n), "object_id": np.full(n, object_id), "alert_mjd": np.full(n, alert_mjd)}
    alerts |= {"ra_deg": np.zeros(n), "dec_deg": np.zeros(n), "n_points_dropped": np.full(n, 2)}
    return LightCurves.from_points(alert=owner, columns=dict(zip(names, columns, strict=True)), alerts=alerts)


def listed(curves: LightCurves, row: int) -> list[tuple]:
    span = slice(curves.offsets[row], curves.offsets[row + 1])
    columns = (curves.time_mjd, curves.flux_njy, curves.flux_err_njy, curves.band, curves.is_detection)
    return list(zip(*(column[span].tolist() for column in columns), strict=True))


def same(first: LightCurves, second: LightCurves) -> bool:
    return all(
        np.array_equal(getattr(first, f.name), getattr(second, f.name), equal_nan=True) for f in fields(LightCurves)
    )


@settings(deadline=None)
@given(st.lists(CURVE, max_size=4))
def test_what_is_encoded_is_decoded(curves: list[list[tuple]]) -> None:
    whole = light_curves(curves)
    kept = history.encode(whole)
    assert [len(entry) for entry in kept] == (17 * whole.n_points).tolist()
    bare = light_curves([[] for _ in curves])
    merged = history.merge(bare, history.decode(kept))
    for row in range(len(curves)):
        assert listed(merged, row) == listed(whole, row)
    assert merged.n_points_from_history.tolist() == whole.n_points.tolist()


@settings(deadline=None)
@given(st.lists(st.tuples(CURVE, CURVE), min_size=1, max_size=4))
def test_it_is_what_is_older_than_the_packet_and_then_the_packet(pairs: list[tuple[list, list]]) -> None:
    kept = light_curves([old for old, _ in pairs])
    packet = light_curves([[p for p in new if p[0] >= PACKETS_BEGIN_MJD] for _, new in pairs], ALERT_MJD)
    merged = history.merge(packet, history.decode(history.encode(kept)))
    for row in range(len(pairs)):
        points_of_row = listed(packet, row)
        first = points_of_row[0][0] if points_of_row else np.inf
        older = [point for point in listed(kept, row) if point[0] < first and point[0] <= ALERT_MJD]
        assert listed(merged, row) == older + points_of_row
        assert merged.n_points_from_history[row] == len(older)
    assert (merged.time_mjd <= merged.alert_mjd[merged.alert_of_point]).all()
    assert merged.n_points_dropped.tolist() == [2] * len(pairs)


@settings(deadline=None)
@given(st.lists(st.tuples(CURVE, CURVE), min_size=1, max_size=3), st.integers(0, 12))
def test_merging_again_changes_nothing(pairs: list[tuple[list, list]], max_points: int) -> None:
    packet = light_curves([new for _, new in pairs])
    kept = history.decode(history.encode(light_curves([old for old, _ in pairs])))
    once = history.merge(packet, kept, max_points)
    assert same(history.merge(once, kept, max_points), once)
    assert (once.n_points_from_history <= max_points).all()


@settings(deadline=None)
@given(CURVE, CURVE, CURVE)
def test_the_company_does_not_matter(one: list, two: list, old: list) -> None:
    kept = history.encode(light_curves([old, two]))
    together = history.merge(light_curves([one, two]), history.decode(kept))
    alone = history.merge(light_curves([one]), history.decode(kept[:1]))
    assert listed(together, 0) == listed(alone, 0)


@settings(deadline=None)
@given(CURVE, CURVE, st.floats(60_000.0, 60_030.0))
def test_what_was_kept_later_changes_no_earlier_alert(old: list, later: list, alert_mjd: float) -> None:
    packet = light_curves([[(alert_mjd, 5.0, 1.0, 2, True)]], alert_mjd)
    whole = old + [point for point in later if point[0] > alert_mjd]
    before = history.merge(packet, history.decode(history.encode(light_curves([old]))))
    after = history.merge(packet, history.decode(history.encode(light_curves([whole]))))
    assert same(before, after)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.none() | st.binary(max_size=120) | st.binary(min_size=34, max_size=34), max_size=4))
def test_no_bytes_raise_and_no_bad_point_comes_of_them(kept: list[bytes | None]) -> None:
    decoded_history = history.decode(kept)
    assert len(decoded_history) == len(kept)
    assert decoded_history.n_refused == sum(len(entry or b"") % 17 != 0 for entry in kept)
    merged = history.merge(light_curves([[] for _ in kept]), decoded_history)
    assert np.isfinite(merged.time_mjd).all()
    assert (merged.flux_err_njy > 0).all()
    assert (np.abs(merged.flux_njy) < 1e9).all()
    assert ((merged.band >= 0) & (merged.band < 6)).all()


def test_the_newest_points_are_kept_and_taken() -> None:
    many = [(60_000.0 + 0.01 * k, float(k), 1.0, k % 6, True) for k in range(history.MAX_POINTS + 50)]
    (kept,) = history.encode(light_curves([many]))
    assert len(kept) == 17 * history.MAX_POINTS
    packet = light_curves([[(60_050.0, 1.0, 1.0, 0, True)]])
    merged = history.merge(packet, history.decode([kept]), max_points=3)
    assert merged.flux_njy.tolist() == [1047.0, 1048.0, 1049.0, 1.0]
    assert merged.n_points_from_history.tolist() == [3]


def test_the_packets_own_points_win() -> None:
    kept = history.decode(
        history.encode(light_curves([[(60_000.0, 1.0, 1.0, 2, True), (60_001.0, 2.0, 1.0, 2, True)]]))
    )
    merged = history.merge(light_curves([[(60_001.0, 9.0, 3.0, 2, False)]]), kept)
    assert listed(merged, 0) == [(60_000.0, 1.0, 1.0, 2, True), (60_001.0, 9.0, 3.0, 2, False)]


def test_what_the_survey_withdrew_does_not_come_back() -> None:
    kept = history.decode(history.encode(light_curves([[(60_005.0, 500.0, 1.0, 2, True)]])))
    packet = light_curves([[(60_000.0, 1.0, 1.0, 2, False), (60_010.0, 2.0, 1.0, 2, True)]])
    assert same(history.merge(packet, kept), packet)


def test_without_an_object_there_is_no_history() -> None:
    kept = history.decode(history.encode(light_curves([[(60_000.0, 1.0, 1.0, 2, True)]])))
    packet = light_curves([[(60_010.0, 2.0, 1.0, 2, True)]], object_id=0)
    assert same(history.merge(packet, kept), packet)


def test_errors_beyond_single_precision_are_left_out() -> None:
    one = light_curves([[(60_000.0, 1.0, 1e-60, 2, True), (60_001.0, 1.0, 1e60, 2, True)]])
    assert history.merge(light_curves([[]]), history.decode(history.encode(one))).n_points.tolist() == [0]


def test_a_history_of_other_alerts_is_an_error() -> None:
    with pytest.raises(ValueError, match="each of the 2 alerts, found 1"):
        history.merge(light_curves([[], []]), history.decode([None]))


def test_counts_add_up_over_two_stores() -> None:
    packet = replace(light_curves([[(60_010.0, 2.0, 1.0, 2, True)]]), n_points_from_history=np.array([4], np.int32))
    kept = history.decode(history.encode(light_curves([[(60_000.0, 1.0, 1.0, 2, True)]])))
    assert history.merge(packet, kept).n_points_from_history.tolist() == [5]
