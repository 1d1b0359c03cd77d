"""Points that packets no longer hold: kept in a real Redis, joined to the next alert of the object."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import redis

from broker.state.connection import RedisConnection
from broker.state.keys import Keys
from broker.state.object_history import ObjectHistory
from schemas.light_curves import LightCurves
from schemas.passbands import LSST, ZTF
from tests.unit.features.made_curves import simulated

PACKET_DAYS = 30.0


def packet(curves: LightCurves, day: float) -> LightCurves:
    """What packets of ``day`` days after the first point hold: the month before it."""
    first = np.array([curves.time_mjd[a] for a in curves.offsets[:-1]])
    cut = curves.before(first + day)
    owner = cut.alert_of_point
    inside = cut.time_mjd >= (first + day - PACKET_DAYS)[owner]
    columns = {name: getattr(cut, name)[inside] for name in ("time_mjd", "flux_njy", "flux_err_njy", "band")}
    alerts = {
        name: getattr(cut, name) for name in ("alert_id", "object_id", "ra_deg", "dec_deg", "survey", "schema_id")
    }
    alerts |= {"alert_mjd": first + day, "is_solar_system": cut.is_solar_system, "reliability": cut.reliability}
    return LightCurves.from_points(
        alert=owner[inside], columns={**columns, "is_detection": cut.is_detection[inside]}, alerts=alerts
    )


@pytest.fixture
def objects() -> LightCurves:
    curves = simulated(4)
    return replace(curves, survey=np.full(4, ZTF, np.int8), object_id=np.arange(11, 15))


def test_each_alert_gets_what_earlier_packets_held(
    connection: RedisConnection, keys: Keys, objects: LightCurves
) -> None:
    kept = ObjectHistory(connection, keys)
    for day in (20.0, 45.0, 70.0):
        merged = kept.joined(packet(objects, day))
    whole = packet(objects, 70.0)
    assert (merged.n_points - whole.n_points == merged.n_points_from_history).all()
    assert merged.n_points_from_history.sum() > 0
    expected = objects.before(merged.alert_mjd)
    assert np.array_equal(merged.time_mjd, expected.time_mjd)
    assert np.allclose(merged.flux_njy, expected.flux_njy, rtol=1e-6)


def test_a_replay_gives_what_it_gave_and_takes_nothing_away(
    connection: RedisConnection, keys: Keys, objects: LightCurves
) -> None:
    kept = ObjectHistory(connection, keys)
    kept.joined(packet(objects, 20.0))
    first = kept.joined(packet(objects, 45.0))
    latest = kept.joined(packet(objects, 70.0))
    again = kept.joined(packet(objects, 45.0))
    assert np.array_equal(again.time_mjd, first.time_mjd)
    assert np.array_equal(kept.joined(packet(objects, 70.0)).time_mjd, latest.time_mjd)


def test_long_packets_and_alerts_without_an_object_are_left_alone(
    connection: RedisConnection, keys: Keys, objects: LightCurves, asked: redis.Redis
) -> None:
    kept = ObjectHistory(connection, keys)
    others = replace(objects, survey=np.array([LSST, ZTF, LSST, ZTF], np.int8), object_id=np.array([11, 0, 13, 14]))
    kept.joined(packet(others, 20.0))
    (name,) = [key.decode() for key in asked.keys(f"{keys.prefix}:*")]
    assert name == keys.points(ZTF, 14)
    assert asked.ttl(name) > 390 * 86_400
    merged = kept.joined(packet(others, 60.0))
    assert (np.flatnonzero(merged.n_points_from_history) == [3]).all()
    assert np.array_equal(merged.object_id, others.object_id)


def test_without_redis_the_packet_counts(keys: Keys, objects: LightCurves, caplog: pytest.LogCaptureFixture) -> None:
    kept = ObjectHistory(RedisConnection(lambda: "redis://127.0.0.1:1"), keys)
    curves = packet(objects, 45.0)
    assert kept.joined(curves) is curves
    assert kept.joined(curves) is curves  # and is not asked again at once
    assert caplog.text.count("Redis is away") == 1
