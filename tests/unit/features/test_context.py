"""What the packet tells of the surroundings, as features: values worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from features import context
from features.grid import GridFlux
from schemas.light_curves import IMAGE_FLAGS, LightCurves
from tests.unit.features.made_curves import START_MJD, curves

NO_GRID = GridFlux(np.empty((0, 0)), np.empty((0, 6, 0)), np.empty((0, 6)))  # the block does not look at it


def alert(**fields: float) -> LightCurves:
    """One alert of three points, the faintest of which is no detection, and what its packet tells."""
    one = curves(
        [0, 0, 0], START_MJD + np.arange(3), [400.0, -900.0, 2_000.0], [10.0] * 3, [1, 2, 3],
        is_detection=[True, True, False],
    )  # fmt: skip
    return replace(one, **{name: np.array([value], getattr(one, name).dtype) for name, value in fields.items()})


def measured(light_curves: LightCurves) -> dict[str, float]:
    names = [feature.name for feature in context.FEATURES]
    return dict(zip(names, context.columns(light_curves, NO_GRID)[0].tolist(), strict=True))


def test_what_is_not_told_is_missing() -> None:
    features = measured(alert())
    assert math.isfinite(features.pop("galactic_latitude"))
    assert len(features) == 11
    assert all(math.isnan(value) for value in features.values())


def test_hosts() -> None:
    features = measured(
        alert(host_separation_arcsec=3.6, host2_separation_arcsec=14.4, host_radius_arcsec=1.2, host_ellipticity=0.25)
    )
    assert features["host_separation"] == pytest.approx(0.001)
    assert features["host_separation_in_radii"] == pytest.approx(3.0)
    assert features["host_ambiguity"] == pytest.approx(0.25)
    assert features["host_ellipticity"] == 0.25


def test_two_sources_at_the_alerts_own_place_tell_no_ambiguity() -> None:
    features = measured(alert(host_separation_arcsec=0.0, host2_separation_arcsec=0.0))
    assert features["host_separation"] == 0.0
    assert math.isnan(features["host_ambiguity"])


@pytest.mark.parametrize(("template_njy", "contrast"), [(900.0, 0.5), (8_100.0, 0.1), (0.0, 1.0), (-50.0, 1.0)])
def test_the_template(template_njy: float, contrast: float) -> None:
    features = measured(alert(template_flux_njy=template_njy))
    assert 100 * math.sinh(features["template_flux"]) == pytest.approx(template_njy, rel=1e-6)
    assert features["template_contrast"] == pytest.approx(contrast)  # of the brightest detection, -900 nJy


def test_a_change_of_unknown_size_has_no_contrast() -> None:
    assert math.isnan(
        measured(replace(alert(template_flux_njy=9.0), is_detection=np.zeros(3, bool)))["template_contrast"]
    )


def test_flags_are_counted_but_for_the_dipole() -> None:
    bit = {name: 1 << k for k, name in enumerate(IMAGE_FLAGS)}
    assert (measured(alert(image_flags=0))["is_dipole"], measured(alert(image_flags=0))["n_image_flags"]) == (0, 0)
    features = measured(alert(image_flags=bit["dipole"] | bit["saturated"] | bit["injected"]))
    assert (features["is_dipole"], features["n_image_flags"]) == (1, 2)
    assert measured(alert(image_flags=bit["streak"]))["is_dipole"] == 0


def test_the_rest_is_as_told() -> None:
    features = measured(alert(star_score=0.75, extendedness=0.5, solar_system_separation_arcsec=7.2))
    assert (features["star_score"], features["extendedness"]) == (0.75, 0.5)
    assert features["solar_system_separation"] == pytest.approx(0.002)


def test_no_redshift_is_used() -> None:
    plain, features = measured(alert()), measured(alert(host_photoz=0.5, host_photoz_err=0.1))
    np.testing.assert_equal(features, plain)


def test_galactic_latitude_is_astropys() -> None:
    rng = np.random.default_rng(3)
    ra, dec = rng.uniform(0, 360, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))
    expected = np.abs(SkyCoord(ra, dec, unit="deg", frame="icrs").galactic.b.deg)
    np.testing.assert_allclose(context.galactic_latitude_deg(ra, dec), expected, atol=1e-4)
