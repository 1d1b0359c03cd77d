"""Properties that the whole feature matrix must have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import features
from features import catalogue
from features.definition import ASINH_FLUX, FLUX_SOFTENING_NJY, LOG_FLUX
from features.matrix import FeatureMatrix
from features.search import GAIN_TOLERANCE
from schemas import packets
from schemas.light_curves import ALERT_COLUMNS, POINT_COLUMNS, LightCurves
from tests.unit.features.made_curves import START_MJD, curves, light_curve, simulated

UNITS_OF_FEATURES = [feature.unit for feature in catalogue.CATALOGUE]

# Bazin's model can say little of this curve: its fit ends elsewhere if the peak is moved by a rounding.
TIPPED_DAYS = [
    23.9, 172.3, 384.4, 608.0, 769.1, 801.5, 1001.9, 1093.2, 1537.2, 1710.9, 1814.9, 1861.1, 2042.7, 2182.3, 2190.9,
    2251.4, 2397.8, 3073.9, 3228.1, 3273.9, 3657.9, 3676.4, 3783.3,
]  # fmt: skip
TIPPED_FLUX_NJY = [
    9289, 7251, 3597, -8483, 6856, 6921, -1682, -9504, 9944, -6603, 3539, -9296, 9998, 7466, 4000, -5040, 4861, 2399,
    -9254, 3286, 6328, 9991, 6221,
]  # fmt: skip
TIPPED_ERROR_NJY = [
    4.9, 3.5, 3.9, 5.9, 2.8, 5.1, 4.4, 3.6, 3.8, 6.1, 6.3, 5.6, 5.9, 4.2, 6.1, 2.8, 6.2, 5.8, 3.5, 4.8, 1.7, 3.5, 3.8,
]  # fmt: skip
TIPPED_BAND = [
    0, 0, 2, 0, 1, 2, 1, 3, 2, 0, 1, 4, 0, 1, 4, 3, 3, 4, 0, 1, 1, 2, 4,
]  # fmt: skip
TIPPED = curves(
    np.zeros(len(TIPPED_BAND)), START_MJD + np.array(TIPPED_DAYS), TIPPED_FLUX_NJY, TIPPED_ERROR_NJY, TIPPED_BAND
)


def assert_alike(one: FeatureMatrix, two: FeatureMatrix, tolerance: float = 1e-6) -> None:
    for k, name in enumerate(one.names):
        np.testing.assert_allclose(two.values[:, k], one.values[:, k], rtol=tolerance, atol=tolerance, err_msg=name)


def rebuilt(light_curves: LightCurves, order: np.ndarray, extra: dict[str, list] | None = None) -> LightCurves:
    """The same points given in another order, with more points of the first alert."""
    added = extra or {name: [] for name in POINT_COLUMNS}
    n_added = len(added["time_mjd"])
    return LightCurves.from_points(
        alert=np.concatenate([light_curves.alert_of_point[order], np.zeros(n_added, int)]),
        columns={n: np.concatenate([getattr(light_curves, n)[order], added[n]]) for n in POINT_COLUMNS},
        alerts={name: getattr(light_curves, name) for name in ALERT_COLUMNS},
    )


def changed(light_curves: LightCurves, **columns: np.ndarray) -> LightCurves:
    return LightCurves.from_points(
        alert=light_curves.alert_of_point,
        columns={name: columns.get(name, getattr(light_curves, name)) for name in POINT_COLUMNS},
        alerts={name: columns.get(name, getattr(light_curves, name)) for name in ALERT_COLUMNS},
    )


@settings(max_examples=40, deadline=None)
@given(light_curve(), st.integers(0, 2**32 - 1))
def test_order_of_points_changes_nothing(light_curves: LightCurves, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(light_curves.time_mjd))
    np.testing.assert_array_equal(
        features.extract(rebuilt(light_curves, order)).values, features.extract(light_curves).values
    )


@settings(max_examples=40, deadline=None)
@given(light_curve(), st.floats(0.01, 300.0), st.floats(-1e6, 1e6), st.integers(0, 5))
def test_points_after_the_alert_change_nothing(
    light_curves: LightCurves, days: float, flux_njy: float, band: int
) -> None:
    later = {
        "time_mjd": [light_curves.alert_mjd[0] + days],
        "flux_njy": [flux_njy],
        "flux_err_njy": [10.0],
        "band": [band],
        "is_detection": [True],
    }
    with_later = rebuilt(light_curves, np.arange(len(light_curves.time_mjd)), later)
    expected = features.extract(light_curves).values
    np.testing.assert_array_equal(features.extract(with_later).values, expected)


@settings(max_examples=30, deadline=None)
@given(light_curve(min_points=4), st.integers(0, 3))
def test_an_early_cut_is_the_alert_of_that_time(light_curves: LightCurves, k: int) -> None:
    then = light_curves.time_mjd[[min(k, len(light_curves.time_mjd) - 1)]]
    raised_then = changed(light_curves, alert_mjd=then)  # all points are offered; the later ones must not count
    expected = features.extract(raised_then).values
    np.testing.assert_array_equal(features.extract(light_curves.before(then)).values, expected)


def assert_shifted_alike(light_curves: LightCurves, days: float) -> None:
    quarter = np.round(light_curves.time_mjd * 1024) / 1024  # representable before and after the shift
    still = changed(light_curves, time_mjd=quarter, alert_mjd=np.ceil(light_curves.alert_mjd))
    shifted = changed(still, time_mjd=still.time_mjd + days, alert_mjd=still.alert_mjd + days)
    assert_alike(features.extract(still), features.extract(shifted))


@pytest.mark.parametrize("days", [1024.0, -2048.0])
def test_a_shift_in_time_changes_nothing(days: float) -> None:
    assert_shifted_alike(simulated(20), days)


@settings(max_examples=40, deadline=None)
@given(light_curve(), st.sampled_from([1024.0, -2048.0, 16384.0]))
@example(TIPPED, 1024.0)
def test_a_shift_in_time_changes_nothing_of_any_curve(light_curves: LightCurves, days: float) -> None:
    assert_shifted_alike(light_curves, days)


def assert_scaled_alike(
    light_curves: LightCurves, factor: float, blocks: tuple[str, ...] = ()
) -> tuple[FeatureMatrix, FeatureMatrix]:
    in_flux = ("flux_njy", "flux_err_njy", "template_flux_njy")
    scaled = changed(light_curves, **{name: factor * getattr(light_curves, name) for name in in_flux})
    before, after = features.extract(light_curves), features.extract(scaled)
    for k, unit in enumerate(UNITS_OF_FEATURES):
        if blocks and catalogue.CATALOGUE[k].block not in blocks:
            continue
        expected = before.values[:, k].copy()
        if unit == ASINH_FLUX:
            expected = np.arcsinh(factor * np.sinh(expected))
        elif unit == LOG_FLUX:
            expected += np.log10(factor)
        np.testing.assert_allclose(after.values[:, k], expected, rtol=1e-4, atol=1e-4, err_msg=before.names[k])
    return before, after


@pytest.mark.parametrize("factor", [0.125, 16.0])  # powers of two: scaling is exact
def test_scaling_the_flux_scales_features_in_flux_and_nothing_else(factor: float) -> None:
    assert {ASINH_FLUX, LOG_FLUX} <= set(UNITS_OF_FEATURES)
    assert FLUX_SOFTENING_NJY > 0
    assert_scaled_alike(simulated(20), factor)


@settings(max_examples=40, deadline=None)
@given(light_curve(), st.sampled_from([0.0625, 0.5, 2.0, 64.0]))
def test_scaling_the_flux_of_any_curve(light_curves: LightCurves, factor: float) -> None:
    """A curve that says nothing of a timescale has its amplitude to the search's tolerance alone: there the likelihood
    is compared, and features are of the blocks that don't come from the process."""
    before, after = assert_scaled_alike(light_curves, factor, ("statistics", "timescales"))
    fitted = before.fits.converged & after.fits.converged
    expected = before.fits.log_likelihood - light_curves.n_points * np.log(factor)
    assert np.abs(after.fits.log_likelihood - expected)[fitted].max(initial=0) < 2 * GAIN_TOLERANCE


def test_a_distant_non_detection_changes_little() -> None:
    transients = simulated(40).select(np.arange(0, 40, 4))
    bright = np.array([transients.is_detection[a:b].sum() > 5 for a, b in _slices(transients)])
    transients = transients.select(bright)
    early = {
        "time_mjd": [transients.time_mjd[0] - 300.0],
        "flux_njy": [0.0],
        "flux_err_njy": [150.0],
        "band": [2],
        "is_detection": [False],
    }
    one = transients.select([0])
    before = features.extract(one)
    after = features.extract(rebuilt(one, np.arange(len(one.time_mjd)), early))
    for name in (
        "amplitude",
        "timescale",
        "peak_flux",
        "slope_now",
        "g_r_now",
        "days_since_first_detection",
        "log_chi2",
    ):
        k = before.names.index(name)
        assert after.values[0, k] == pytest.approx(before.values[0, k], rel=0.15, abs=0.1), name
    k = before.names.index("n_points")
    assert after.values[0, k] == before.values[0, k] + 1


def _slices(light_curves: LightCurves) -> list[tuple[int, int]]:
    return list(zip(light_curves.offsets[:-1], light_curves.offsets[1:], strict=True))


def test_chunks_join_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    light_curves = simulated(11)
    whole = features.extract(light_curves).values
    monkeypatch.setattr("features.matrix.CHUNK_ALERTS", 4)
    np.testing.assert_array_equal(features.extract(light_curves).values, whole)


def test_odd_light_curves_in_one_batch() -> None:
    rng = np.random.default_rng(5)
    none = curves([], [], [], [], [], n=1)
    single = curves([0], [START_MJD], [900.0], [20.0], [2])
    n = 5000
    long = curves(
        np.zeros(n), START_MJD + np.sort(rng.uniform(0, 900, n)), rng.normal(size=n), np.ones(n), np.full(n, 1)
    )
    negative = curves(np.zeros(9), START_MJD + np.arange(9), np.full(9, -4e4), np.full(9, 30.0), np.arange(9) % 6)
    huge = curves(np.zeros(3), START_MJD + np.arange(3), np.full(3, 9.99e8), np.full(3, 9.99e8), [1, 2, 3])
    matrix = features.extract(LightCurves.concatenate([none, single, long, negative, huge]))
    assert matrix.values.shape == (5, len(matrix.names))
    assert not np.isinf(matrix.values).any()
    n_points = matrix.values[:, matrix.names.index("n_points")]
    assert n_points.tolist() == [0, 1, n, 9, 3]
    assert np.isfinite(matrix.values[0]).sum() == 6  # counts of points, detections, bands (2), nights; where it is
    assert matrix.fits.converged.tolist()[:4] == [False, True, True, True]


def test_missing_is_never_zero() -> None:
    single = features.extract(curves([0], [START_MJD], [900.0], [20.0], [2]))
    for name in ("rise_days", "slope_now", "u_g_peak", "log_chi2", "amplitude_ratio_g_r", "max_snr_u"):
        assert np.isnan(single.values[0, single.names.index(name)]), name


def test_real_alerts(shared_data: Path) -> None:
    files = [file for folder in ("rubin", "rubin-wire", "ztf") for file in (shared_data / folder).rglob("*.avro")]
    files = [file for file in files if "corrupt" not in file.parts]
    messages, _ = packets.read_files(sorted(files))
    light_curves, _ = packets.read(messages)
    matrix = features.extract(light_curves)
    assert len(matrix) == len(light_curves) > 30
    with_points = light_curves.n_points > 0
    assert matrix.fits.converged[with_points].all()
    assert np.isfinite(matrix.values[with_points][:, matrix.names.index("amplitude")]).all()
