"""Copies: dimmed, stretched and reddened as a source farther away is, and seen only where it would have been found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp, kstest

from features import augment
from features.cosmology import LIGHT_KM_S, luminosity_distance_mpc, volume_per_redshift
from features.gaussian_process import fit
from features.kernel import wavelengths_nm
from schemas.light_curves import LightCurves
from tests.unit.features.made_curves import START_MJD, curves

N_BANDS = 6


def event(
    n: int = 1, peak_njy: float = 40_000.0, error_njy: float = 100.0, seed: int = 1, step_days: float = 5.0
) -> LightCurves:
    """Smooth events of one height in all bands, observed every few days in each band for 160 days."""
    rng = np.random.default_rng(seed)
    day = np.tile(np.repeat(np.arange(0.0, 160.0, step_days), N_BANDS), n)
    band = np.tile(np.arange(N_BANDS), len(day) // N_BANDS)
    owner = np.repeat(np.arange(n), len(day) // n)
    flux = peak_njy * np.exp(-0.5 * ((day - 80.0) / 15.0) ** 2)
    time = START_MJD + day + 0.01 * band
    return curves(owner, time, flux + error_njy * rng.normal(size=len(day)), np.full(len(day), error_njy), band)


def test_distances_and_volumes_are_astropys() -> None:
    from astropy.cosmology import FlatLambdaCDM

    z, theirs = np.array([0.01, 0.1, 0.5, 1.0, 3.0]), FlatLambdaCDM(H0=70, Om0=0.3, Tcmb0=0)
    assert luminosity_distance_mpc(z) == pytest.approx(theirs.luminosity_distance(z).value, rel=1e-6)
    assert volume_per_redshift(z) == pytest.approx(4 * np.pi * theirs.differential_comoving_volume(z).value, rel=1e-6)
    assert LIGHT_KM_S == 299_792.458


def test_a_copy_has_the_height_and_the_width_of_the_event_at_its_distance() -> None:
    parent = event(peak_njy=400_000.0, step_days=2.0)
    made = augment.copies(parent, [0.1], parent, [10], seed=3)
    assert len(made) == 10
    curve = made.light_curves
    for i, z in enumerate(made.redshift):
        of_alert = slice(curve.offsets[i], curve.offsets[i + 1])
        stretch = 1 + (z - 0.1) / 1.1
        dimming = stretch * (luminosity_distance_mpc(0.1) / luminosity_distance_mpc(z)) ** 2
        middle = curve.band[of_alert] == 2  # r: well inside the parent's bands at any of these redshifts
        time, flux = curve.time_mjd[of_alert][middle], curve.flux_njy[of_alert][middle]
        bright = time[flux > 0.5 * flux.max()]
        assert flux.max() == pytest.approx(400_000 * dimming, rel=0.06)
        assert np.ptp(bright) == pytest.approx(
            2 * np.sqrt(2 * np.log(2)) * 15.0 * stretch, abs=6.0
        )  # a visit in two days


def test_redshifts_follow_the_volume_within_the_bounds() -> None:
    parent = event(30, peak_njy=400_000.0, step_days=20.0)
    made = augment.copies(parent, np.full(30, 0.1), parent, np.full(30, 20), seed=1)
    low, high = 1.1 * augment.STRETCH[0] - 1, 1.1 * augment.STRETCH[1] - 1
    assert len(made) == 600
    assert low <= made.redshift.min() < made.redshift.max() <= high
    grid = np.linspace(low, high, 2_001)
    cumulative = np.cumsum(volume_per_redshift(grid) * (1 + grid) ** (augment.RATE_EVOLUTION - 1))
    assert kstest(made.redshift, lambda z: np.interp(z, grid, cumulative / cumulative[-1])).pvalue > 0.01


def test_copies_as_bright_as_the_donors_have_their_peaks_and_the_redshifts_that_make_them() -> None:
    rng = np.random.default_rng(4)
    peaks = 20_000.0 * rng.uniform(0.02, 1.0, 40) ** (-2 / 3)  # as many as in a space without an edge
    donors = LightCurves.concatenate([event(peak_njy=peak, seed=i) for i, peak in enumerate(peaks)])
    parents = event(20, peak_njy=50_000.0, error_njy=500.0, step_days=3.0)
    made = augment.copies(parents, np.full(20, 0.3), donors, np.full(20, 5), seed=1, as_bright=True)
    assert len(made) == 100
    curve = made.light_curves
    brightest = curve.largest(curve.flux_njy, np.ones(len(curve.flux_njy), bool))
    assert ks_2samp(brightest, peaks).pvalue > 0.01
    stretch = (1 + made.redshift) / 1.3
    dimming = stretch * (luminosity_distance_mpc(0.3) / luminosity_distance_mpc(made.redshift)) ** 2
    assert brightest == pytest.approx(50_000 * dimming, rel=0.15)
    near, far = made.redshift.min(), made.redshift.max()
    assert augment.NEAREST <= near < 0.3 < far <= 1.3 * augment.STRETCH[1] - 1


def test_donors_of_detections_alone_lend_the_visits_of_the_longest_and_copies_have_detections_alone() -> None:
    long, short = event(2, step_days=5.0), event(8, step_days=5.0).before(np.full(8, START_MJD + 90.0))
    donors = LightCurves.concatenate([short, long])
    donors = replace(donors, is_detection=np.ones_like(donors.is_detection))
    made = augment.copies(event(5), np.full(5, 0.1), donors, np.full(5, 4), seed=1)
    assert len(made) == 20
    assert made.light_curves.is_detection.all()
    last = made.light_curves.time_mjd[made.light_curves.offsets[1:] - 1]
    assert (last > START_MJD + 95.0).all()  # the event itself is seen that long
    assert made.light_curves.alert_mjd.tolist() == last.tolist()


def test_noise_and_visits_are_the_donors() -> None:
    parent, donor = event(), event(error_njy=700.0, seed=2)
    made = augment.copies(parent, [0.1], donor, [10], seed=1)
    assert set(made.light_curves.time_mjd) <= set(donor.time_mjd)
    assert made.light_curves.flux_err_njy == pytest.approx(700.0, rel=0.02)
    late = made.light_curves.time_mjd > START_MJD + 150
    assert made.light_curves.flux_njy[late].std() == pytest.approx(700.0, rel=0.15)


def test_what_would_not_be_found_is_not_copied_and_neither_are_stars() -> None:
    faint = event(peak_njy=40.0)
    assert len(augment.copies(faint, [0.1], faint, [5], seed=1)) == 0
    three = event(3)
    made = augment.copies(three, [0.0, np.nan, 0.1], three, [5, 5, 5], seed=1)
    assert set(made.parent) == {2}
    detected = made.light_curves.is_detection
    assert np.add.reduceat(detected, made.light_curves.offsets[:-1]).min() >= augment.LEAST_DETECTIONS


def test_a_draw_scatters_as_the_process_says() -> None:
    parent = event().select([0])
    process = augment._Process.of(fit(parent), 0)
    time = np.array([START_MJD + 40.5, START_MJD + 80.5, START_MJD + 240.0])
    r_nm = np.full(3, wavelengths_nm()[0, 2])
    mean, cross = process.mean(time, r_nm)
    theirs, std = fit(parent).predict(time[None])
    assert mean == pytest.approx(theirs[0, 2], rel=1e-6)
    draws = [process.draw(time, r_nm, cross, np.random.default_rng(i))[0] for i in range(2_000)]
    assert np.std(draws, axis=0) == pytest.approx(std[0, 2], rel=0.06)


def test_a_sources_own_noise_is_found() -> None:
    rng = np.random.default_rng(1)
    flux = rng.uniform(0, 50_000, 600)
    bright = curves(np.zeros(600), START_MJD + np.arange(600.0), flux, np.sqrt(100.0**2 + 2.5 * flux), np.full(600, 2))
    assert augment.source_noise_njy(bright)[2] == pytest.approx(2.5, rel=1e-6)


def test_photometric_redshifts_err_as_the_parents_do() -> None:
    rng = np.random.default_rng(2)
    z = rng.uniform(0.05, 0.15, 40)
    parents = event(40, step_days=20.0)
    donors = LightCurves(
        **{name: getattr(parents, name) for name in parents.__slots__}
        | {
            "host_photoz": (z + 0.02 * (1 + z)).astype(np.float32),
            "host_photoz_err": np.full(40, 0.03, np.float32),
        }
    )
    made = augment.copies(donors, z, donors, np.full(40, 3), seed=1)
    photoz = made.light_curves.host_photoz.astype(float)
    assert photoz == pytest.approx(made.redshift + 0.02 * (1 + made.redshift), rel=1e-4)
    assert made.light_curves.host_photoz_err == pytest.approx(0.03)


def test_copies_are_the_same_again_and_no_donors_are_said() -> None:
    parent = event(4)
    one, other = (augment.copies(parent, np.full(4, 0.1), parent, np.full(4, 3), seed=5) for _ in range(2))
    assert np.array_equal(one.light_curves.flux_njy, other.light_curves.flux_njy)
    empty = parent.select(np.zeros(0, int))
    with pytest.raises(ValueError, match="donor"):
        augment.copies(parent, np.full(4, 0.1), empty, np.full(4, 3), seed=5)


def test_a_copy_is_seen_in_the_passbands_of_the_donors_survey(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "STRETCH", (0.9999, 1.0001))
    ours, theirs = wavelengths_nm()[:2]
    grey = event(peak_njy=400_000.0, step_days=2.0)
    red = replace(grey, flux_njy=grey.flux_njy * ours[grey.band] / ours[2])
    donor = replace(grey, survey=np.ones_like(grey.survey))
    made = augment.copies(red, [0.1], donor, [20], seed=3).light_curves
    assert (made.survey == 1).all()
    for band in (1, 2, 3):
        brightest = made.largest(made.flux_njy, made.band == band)
        assert np.median(brightest) == pytest.approx(400_000 * theirs[band] / ours[2], rel=0.015)
    assert theirs[3] / ours[3] > 1.04  # else this would have told nothing


def test_rough_copies_have_understated_errors_and_outliers() -> None:
    luck = np.random.default_rng(4)
    noise = [augment._noise(400, luck, True) for _ in range(400)]
    scatter = np.array([np.median(np.abs(one)) / 0.6745 for one in noise])
    assert np.mean(scatter > 1.25) == pytest.approx(augment.ROUGH * 0.8, abs=0.1)
    assert np.median(scatter[scatter > 1.25]) == pytest.approx(2.0, rel=0.15)
    far = np.mean([np.mean(np.abs(one) > 7 * s) for one, s in zip(noise, scatter, strict=True)])
    assert far == pytest.approx(augment.ROUGH * augment.OUTLIERS, rel=0.4)
    assert np.std(augment._noise(100_000, luck, False)) == pytest.approx(1.0, abs=0.02)
