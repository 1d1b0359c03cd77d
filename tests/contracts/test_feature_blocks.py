"""What every block of features must do, whatever it measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from features import colour, context, detections, parametric, process, shape, statistics, timescales, variability
from features.common_series import common_series
from features.definition import UNITS, Feature
from features.gaussian_process import fit
from features.grid import predict_grid
from features.matrix import measure
from schemas.light_curves import BANDS, LightCurves
from tests.unit.features.made_curves import START_MJD, curves, light_curve, simulated


@dataclass(frozen=True)
class Block:
    """A block's features and the call that measures them."""

    features: tuple[Feature, ...]
    columns: Callable[[LightCurves], NDArray[np.float64]]


def block_of(module: object, *, with_fits: bool = False) -> Block:
    def columns(light_curves: LightCurves) -> NDArray[np.float64]:
        fits = fit(light_curves)
        grid = predict_grid(fits)
        arguments = (light_curves, fits, grid) if with_fits else (light_curves, grid)
        return module.columns(*arguments)  # type: ignore[attr-defined]

    return Block(module.FEATURES, columns)  # type: ignore[attr-defined]


def of_series(module: object) -> Block:
    return Block(module.FEATURES, lambda curves: module.columns(common_series(curves)))  # type: ignore[attr-defined]


BLOCKS = {
    "detections": block_of(detections),
    "process": block_of(process, with_fits=True),
    "shape": block_of(shape),
    "colour": block_of(colour),
    "parametric": block_of(parametric),
    "variability": block_of(variability),
    "statistics": of_series(statistics),
    "timescales": of_series(timescales),
    "context": block_of(context),
}


@pytest.fixture(scope="module", params=BLOCKS)
def block(request: pytest.FixtureRequest) -> Block:
    return BLOCKS[request.param]


def constant(n: int, *, flux_njy: float = 300.0, band: int = 2) -> LightCurves:
    points = np.arange(n)
    return curves(np.zeros(n), START_MJD + points, np.full(n, flux_njy), np.full(n, 20.0), np.full(n, band), n=1)


def test_each_feature_is_described(block: Block) -> None:
    for feature in block.features:
        assert feature.unit in UNITS
        assert feature.min_points >= 0
        assert feature.description.endswith(".")
        assert feature.block == block.features[0].block
        assert feature.range[0] < feature.range[1]
        assert feature.bands == "" or all(band in BANDS for band in feature.bands)
        assert feature.source == "" or feature.source.startswith(("doi:10.", "arXiv:"))


def test_one_column_per_feature(block: Block) -> None:
    values = block.columns(simulated(8))
    assert values.shape == (8, len(block.features))
    assert values.dtype == np.float64


def test_no_light_curves(block: Block) -> None:
    assert block.columns(LightCurves.empty()).shape == (0, len(block.features))


def test_missing_below_the_minimum_number_of_points() -> None:
    features = [feature for block in BLOCKS.values() for feature in block.features]
    for n in range(5):
        values = measure(fit(constant(n)))[0]
        for feature, value in zip(features, values, strict=True):
            assert n >= feature.min_points or np.isnan(value), f"{feature.name} with {n} points is {value}"


def test_everything_is_measured_of_a_good_light_curve(block: Block) -> None:
    values = block.columns(simulated(40, seed=2))
    measured = np.isfinite(values).mean(axis=0)
    for feature, part in zip(block.features, measured, strict=True):
        assert part > 0.1, f"{feature.name} is missing in {1 - part:.0%} of the light curves"


@pytest.mark.parametrize("n", [1, 2, 3, 5000])
@pytest.mark.parametrize("flux_njy", [300.0, -300.0, 0.0])
def test_points_without_any_change(block: Block, n: int, flux_njy: float) -> None:
    values = block.columns(constant(n, flux_njy=flux_njy))
    assert not np.isinf(values).any()


@settings(max_examples=80, deadline=None)
@given(light_curve(min_points=1, max_points=30))
def test_never_infinite_never_raises_never_warns(light_curves: LightCurves) -> None:
    for block in BLOCKS.values():
        values = block.columns(light_curves)
        assert not np.isinf(values).any()
        for k, feature in enumerate(block.features):
            measured = values[np.isfinite(values[:, k]), k]
            low, high = feature.range
            slack = 1e-9 * (1 + np.abs(measured))
            assert (measured >= low - slack).all(), f"{feature.name} is {measured.min()}, its range is {feature.range}"
            assert (measured <= high + slack).all(), f"{feature.name} is {measured.max()}, its range is {feature.range}"


def test_a_light_curve_is_measured_alike_in_any_batch(block: Block) -> None:
    light_curves = simulated(6)
    together = block.columns(light_curves)
    for row in range(6):
        np.testing.assert_array_equal(block.columns(light_curves.select([row]))[0], together[row])
