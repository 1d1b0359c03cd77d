"""Snapshots: causal, fairly weighted, split by object."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.datasets.labelled import Labelled, alerts, alerts_at, triggers
from models.hashing import scramble, uniform
from models.training import snapshots
from schemas.light_curves import POINT_COLUMNS, LightCurves


def made(seed: int, n_objects: int, most_points: int = 25) -> Labelled:
    """Objects with random points, each with at least one detection."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, most_points, n_objects)
    owner = np.repeat(np.arange(n_objects), sizes)
    detected = rng.random(len(owner)) < 0.5
    detected[np.cumsum(sizes) - 1] = True
    columns = {
        "time_mjd": 60_000 + np.round(rng.uniform(0, 700, len(owner)), 1),
        "flux_njy": rng.normal(100, 500, len(owner)),
        "flux_err_njy": rng.uniform(10, 50, len(owner)),
        "band": rng.integers(0, 6, len(owner)),
        "is_detection": detected,
    }
    rows = {name: np.zeros(n_objects) for name in ("ra_deg", "dec_deg", "survey", "schema_id", "is_solar_system")}
    rows |= {"alert_id": np.arange(n_objects), "object_id": scramble(np.arange(n_objects), seed)}
    rows |= {"alert_mjd": np.full(n_objects, 70_000.0), "reliability": np.full(n_objects, np.nan)}
    curves = LightCurves.from_points(alert=owner, columns=columns, alerts=rows)
    return Labelled(curves, rng.integers(0, 3, n_objects) + 2222, "made", "0" * 64)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), n_objects=st.integers(1, 12))
@example(seed=1, n_objects=2)  # where two alerts once had one id
def test_a_snapshot_does_not_change_when_the_future_does(seed: int, n_objects: int) -> None:
    labelled = made(seed, n_objects)
    taken = snapshots.take(labelled, seed)
    assert (taken.light_curves.time_mjd <= taken.light_curves.alert_mjd[taken.light_curves.alert_of_point]).all()
    cut = float(np.median(taken.light_curves.alert_mjd))
    past = labelled.light_curves.before(cut)
    past = past.select(np.flatnonzero(np.bincount(past.alert_of_point[past.is_detection], minlength=len(past)) > 0))
    past_alerts = alerts_at(past, triggers(past))
    by_alert = {int(alert): i for i, alert in enumerate(past_alerts.alert_id)}
    early = np.flatnonzero(taken.light_curves.alert_mjd <= cut)
    again = past_alerts.select([by_alert[int(alert)] for alert in taken.light_curves.alert_id[early]])
    for name in POINT_COLUMNS:
        assert np.array_equal(getattr(again, name), getattr(taken.light_curves.select(early), name))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), n_objects=st.integers(1, 12))
def test_an_object_counts_once_and_its_first_and_last_alerts_are_there(seed: int, n_objects: int) -> None:
    labelled = made(seed, n_objects)
    taken = snapshots.take(labelled, seed)
    stream = alerts(labelled)
    for object_id in labelled.light_curves.object_id:
        mine = taken.light_curves.object_id == object_id
        times = np.sort(stream.alert_mjd[stream.object_id == object_id])
        chosen = taken.light_curves.alert_mjd[mine]
        assert taken.weight[mine].sum() == pytest.approx(1)
        assert taken.stream_weight[mine].sum() == pytest.approx(1)
        assert {*times[:3], times[-1]} <= set(chosen)
        assert len(chosen) == min(len(times), snapshots.FIRST_DETECTIONS + 1 + snapshots.RANDOM_DETECTIONS)
        assert chosen[taken.is_last[mine]].tolist() == [times[-1]]


def test_stream_weights_estimate_the_mean_over_all_alerts() -> None:
    labelled = made(3, 400, most_points=60)
    stream, taken = alerts(labelled), snapshots.take(labelled, 3)
    sizes = stream.n_points.astype(float)
    _, row, count = np.unique(stream.object_id, return_inverse=True, return_counts=True)
    truth = np.average(sizes, weights=1 / count[row])
    estimate = np.average(taken.light_curves.n_points, weights=taken.stream_weight)
    naive = np.average(taken.light_curves.n_points, weights=taken.weight)
    assert estimate == pytest.approx(truth, rel=0.02)
    assert abs(naive - truth) > abs(estimate - truth)


def test_snapshots_are_the_alerts_of_the_stream() -> None:
    labelled = made(5, 30)
    taken, stream = snapshots.take(labelled, 5).light_curves, alerts(labelled)
    place = {int(alert): i for i, alert in enumerate(stream.alert_id)}
    same = stream.select([place[int(alert)] for alert in taken.alert_id])
    assert np.array_equal(same.offsets, taken.offsets)
    assert np.array_equal(same.flux_njy, taken.flux_njy)


def test_splits_are_disjoint_by_object_and_stay_when_objects_are_added() -> None:
    labelled = made(7, 2_000, most_points=4)
    taken = snapshots.take(labelled, 1)
    of_object = {object_id: set() for object_id in labelled.light_curves.object_id.tolist()}
    for object_id, split in zip(taken.light_curves.object_id.tolist(), taken.split.tolist(), strict=True):
        of_object[object_id].add(split)
    assert {len(values) for values in of_object.values()} == {1}
    assert np.allclose(
        np.bincount(snapshots.split_of(labelled.light_curves.object_id, 1)) / 2_000,
        snapshots.SPLIT_FRACTIONS,
        atol=0.04,
    )
    few = labelled.light_curves.object_id[:50]
    assert np.array_equal(snapshots.split_of(few, 1), snapshots.split_of(labelled.light_curves.object_id, 1)[:50])


@given(st.lists(st.integers(0, 2**63 - 1), unique=True, max_size=50), st.integers(0, 2**31))
def test_scrambled_ids_never_meet(ids: list[int], seed: int) -> None:
    mixed = scramble(np.array(ids, np.int64), seed)
    assert len(set(mixed.tolist())) == len(ids)
    assert (mixed >= 0).all()
    assert ((uniform(ids, seed) >= 0) & (uniform(ids, seed) < 1)).all()
