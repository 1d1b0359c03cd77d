"""What ``gueststar show --plot`` draws of the Gaussian process: where it is known, its marks, a fast one's night."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

import features
from broker.report.light_curve_plot import figure_of
from broker.report.process_plot import predictions_of
from features.gaussian_process import fit
from schemas.light_curves import LightCurves
from tests.unit.features.made_curves import START_MJD, curves

NIGHTS = np.arange(0.0, 90.0, 3.0)


def bump() -> LightCurves:
    """Thirty days wide about day 40, in r every three nights."""
    flux = 9_000.0 * np.exp(-0.5 * ((NIGHTS - 40.0) / 13.0) ** 2)
    return curves(np.zeros(len(NIGHTS)), START_MJD + NIGHTS, flux, np.full(len(NIGHTS), 90.0), np.full(len(NIGHTS), 2))


def flickering(nights: int = 3) -> LightCurves:
    """A cycle in an hour, thirty points a night and forty in the second."""
    per_night = [40 if night == 1 else 30 for night in range(nights)]
    time = np.concatenate([5.0 * night + np.linspace(0, 0.1, n) for night, n in enumerate(per_night)])
    flux = 5_000.0 * np.sin(2 * np.pi * 24 * time)
    return curves(np.zeros(len(time)), START_MJD + time, flux, np.full(len(time), 80.0), np.full(len(time), 2))


def words(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_peak_and_rise_are_those_of_the_features() -> None:
    alert = bump()
    (prediction,) = predictions_of(alert)
    assert prediction is not None
    assert prediction.closer_mjd is None
    matrix = features.extract(alert)
    assert prediction.features["rise_days"] == pytest.approx(
        matrix.values[0, matrix.names.index("rise_days")], rel=1e-6
    )
    assert prediction.peak_mjd - START_MJD == pytest.approx(40.0, abs=2.0)
    assert prediction.peak_njy == pytest.approx(9_000.0, rel=0.03)
    figure = figure_of(alert, [prediction])
    (axes,) = figure.axes
    labels = {text.get_text() for text in axes.texts}
    assert f"{prediction.features['rise_days']:.1f} d" in labels
    assert "peak of the process in r" in words(figure)


def test_it_is_drawn_where_it_is_known() -> None:
    alert = curves(np.zeros(4), START_MJD + np.array([0.0, 1.0, 80.0, 81.0]), [9e3, 9e3, 9e3, 8e3], [90.0] * 4, [2] * 4)
    (prediction,) = predictions_of(alert)
    assert prediction is not None
    mean, std = fit(alert).predict(prediction.time_mjd[None])
    drawn = np.isfinite(prediction.mean_njy[2])
    np.testing.assert_allclose(prediction.mean_njy[2][drawn], mean[0, 2][drawn], rtol=1e-9)
    assert drawn.any()
    assert std[0, 2][drawn].max() < 0.4 * fit(alert).amplitude_njy[0]
    assert np.array_equal(np.isnan(prediction.std_njy[2]), ~drawn)


def test_a_fast_one_is_drawn_in_its_best_night() -> None:
    alert = flickering()
    (prediction,) = predictions_of(alert)
    assert prediction is not None
    assert prediction.closer_mjd == pytest.approx((START_MJD + 5.0, START_MJD + 5.1))
    figure = figure_of(alert, [prediction])
    whole, night = figure.axes
    first, last = night.get_xlim()
    assert START_MJD + 4.9 < first < last < START_MJD + 5.2
    assert whole.get_xlim()[1] > START_MJD + 10
    assert "peak of the process in r" not in words(figure)


def test_of_one_night_there_is_one_panel() -> None:
    alert = flickering(nights=1)
    (prediction,) = predictions_of(alert)
    assert prediction is not None
    assert prediction.closer_mjd is None
    assert len(figure_of(alert, [prediction]).axes) == 1


def test_an_alert_without_points_has_none() -> None:
    assert predictions_of(curves([], [], [], [], [], n=1)) == [None]


def test_points_set_aside_are_crosses() -> None:
    alert = bump()
    wild = alert.flux_njy.copy()
    wild[5] += 40 * 90.0
    (prediction,) = predictions_of(replace(alert, flux_njy=wild))
    assert prediction is not None
    assert prediction.set_aside.T.tolist() == [[alert.time_mjd[5], wild[5]]]
    assert "point set aside" in words(figure_of(replace(alert, flux_njy=wild), [prediction]))
    (without,) = predictions_of(alert)
    assert "point set aside" not in words(figure_of(alert, [without]))
