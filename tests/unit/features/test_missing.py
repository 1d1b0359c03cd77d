"""Why a feature is missing: light curves for which the reason is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

import features
from features.missing import Reason, reasons
from schemas.light_curves import LightCurves
from tests.unit.features.made_curves import START_MJD, curves, simulated
from tests.unit.features.test_blocks import every_night, supernova


def reason_of(light_curves: LightCurves) -> dict[str, Reason]:
    matrix = features.extract(light_curves)
    return {name: Reason(k) for name, k in zip(matrix.names, reasons(matrix.values, matrix.fits)[0], strict=True)}


def test_measured_and_missing_are_told_apart_everywhere() -> None:
    light_curves = LightCurves.concatenate([simulated(12), curves([], [], [], [], [], n=1)])
    matrix = features.extract(light_curves)
    why_missing = reasons(matrix.values, matrix.fits)
    assert why_missing.shape == matrix.values.shape
    np.testing.assert_array_equal(why_missing == Reason.MEASURED, np.isfinite(matrix.values))


def test_too_few_points() -> None:
    why_missing = reason_of(curves([0], [START_MJD], [900.0], [20.0], [2]))
    assert why_missing["n_points"] == Reason.MEASURED
    for name in ("rise_days", "log_chi2", "period", "walk_timescale", "bazin_rise"):
        assert why_missing[name] == Reason.TOO_FEW_POINTS, name
    assert reason_of(every_night(supernova(6), "r"))["spm_rise"] != Reason.MEASURED


def test_no_band() -> None:
    why_missing = reason_of(every_night(supernova(45), "gr"))
    assert why_missing["g_r_peak"] == Reason.MEASURED
    for name in ("u_g_peak", "r_i_now", "peak_lag", "max_snr_z", "bend_now"):
        assert why_missing[name] == Reason.NO_BAND, name


def test_not_seen_yet() -> None:
    why_missing = reason_of(every_night(supernova(20)))
    assert why_missing["decline_days"] == why_missing["g_r_20_days_after_peak"] == Reason.NOT_SEEN
    assert why_missing["rise_days"] == Reason.MEASURED
    negative = reason_of(every_night(-supernova(45)))
    assert negative["days_since_first_detection"] == Reason.NOT_SEEN


def test_not_given_by_the_packet() -> None:
    light_curves = every_night(supernova(30))
    assert reason_of(light_curves)["host_separation"] == Reason.NOT_GIVEN
    with_host = replace(light_curves, host_separation_arcsec=np.array([2.0], np.float32))
    assert reason_of(with_host)["host_separation"] == Reason.MEASURED
    assert reason_of(with_host)["host_ambiguity"] == Reason.NOT_GIVEN


def test_a_process_that_did_not_converge() -> None:
    matrix = features.extract(every_night(supernova(30)))
    failed = replace(matrix.fits, converged=np.zeros(1, bool))
    from features.matrix import measure

    values = measure(failed)
    why_missing = dict(zip(matrix.names, reasons(values, failed)[0], strict=True))
    for name in ("amplitude", "peak_flux", "g_r_now"):
        assert math.isnan(values[0, matrix.names.index(name)])
        assert why_missing[name] == Reason.NOT_CONVERGED, name
    assert why_missing["log_chi2"] == Reason.MEASURED
