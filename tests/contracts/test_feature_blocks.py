"""What every block of features must do, whatever it measures."""

from __future__ import annotations

import inspect
import re
import sys
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from features.blocks import BLOCKS, Block, inputs_of
from features.catalogue import NAMES
from features.definition import UNITS, Feature, columns_by_name
from features.gaussian_process import fit
from features.matrix import measure
from schemas.light_curves import BANDS, LightCurves
from tests.unit.features.made_curves import START_MJD, curves, light_curve, simulated


def columns(block: Block, light_curves: LightCurves) -> NDArray[np.float64]:
    return block.measure(inputs_of(fit(light_curves)))


@pytest.fixture(scope="module", params=BLOCKS, ids=[block.name for block in BLOCKS])
def block(request: pytest.FixtureRequest) -> Block:
    return request.param  # type: ignore[no-any-return]


def constant(n: int, *, flux_njy: float = 300.0, band: int = 2) -> LightCurves:
    points = np.arange(n)
    return curves(np.zeros(n), START_MJD + points, np.full(n, flux_njy), np.full(n, 20.0), np.full(n, band), n=1)


def test_each_feature_is_described(block: Block) -> None:
    for feature in block.features:
        assert feature.unit in UNITS
        assert feature.min_points >= 0
        assert feature.description.endswith(".")
        assert feature.block == block.name
        assert feature.range[0] < feature.range[1]
        assert feature.bands == "" or all(band in BANDS for band in feature.bands)
        assert feature.source == "" or feature.source.startswith(("doi:10.", "arXiv:"))


def test_one_column_per_feature(block: Block) -> None:
    values = columns(block, simulated(8))
    assert values.shape == (8, len(block.features))
    assert values.dtype == np.float64


def test_the_matrix_has_the_blocks_in_their_order() -> None:
    fits = fit(simulated(8))
    matrix, inputs, at = measure(fits), inputs_of(fits), 0
    for block in BLOCKS:
        end = at + len(block.features)
        assert NAMES[at:end] == tuple(feature.name for feature in block.features)
        measured = np.isfinite(matrix[:, at:end])
        np.testing.assert_array_equal(matrix[:, at:end][measured], block.measure(inputs)[measured])
        at = end
    assert at == len(NAMES)


def features_named(*names: str) -> tuple[Feature, ...]:
    return tuple(Feature(name, UNITS[0], "block", 1, "Something.") for name in names)


def test_a_column_is_where_its_feature_stands() -> None:
    column = columns_by_name(features_named("period", "power"))
    assert (column.period, column.power) == (0, 1)
    with pytest.raises(AttributeError):
        _ = column.amplitude
    with pytest.raises(ValueError, match="period"):
        columns_by_name(features_named("period", "power", "period"))


def modules_with_columns() -> list[ModuleType]:
    modules = [module for name, module in sys.modules.items() if name.startswith("features.")]
    return [module for module in modules if hasattr(module, "COLUMN")]


def test_every_block_writes_its_columns_by_name() -> None:
    modules = modules_with_columns()
    assert {name for module in modules for name in module.COLUMN._fields} == set(NAMES)
    for module in modules:
        assert columns_by_name(module.FEATURES) == module.COLUMN
        numbered = re.findall(r"\b(?:row|out)\[[^]]*\b\d.*", inspect.getsource(module))
        assert numbered == [], f"{module.__name__}: write row[COLUMN.name] with the feature's name"


def test_columns_of_the_process_are_what_their_names_say() -> None:
    fits = fit(simulated(8))
    inputs = inputs_of(fits)
    (block,) = (block for block in BLOCKS if block.name == "process")
    by_name = dict(zip((feature.name for feature in block.features), block.measure(inputs).T, strict=True))
    std_now = inputs.grid.std_now_njy[:, BANDS.index("r")]
    np.testing.assert_allclose(by_name["amplitude"], np.log10(fits.amplitude_njy), rtol=1e-12)
    np.testing.assert_allclose(by_name["timescale"], np.log10(fits.timescale_days), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(by_name["uncertainty_now"], std_now / fits.amplitude_njy, rtol=1e-12)
    mean_now = inputs.grid.mean_njy[:, BANDS.index("r"), -1]
    np.testing.assert_allclose(by_name["snr_now"], np.arcsinh(mean_now / std_now), rtol=1e-12)
    residuals = fits.weights_per_njy * np.sqrt(fits.variance_njy2)
    for i, (a, b) in enumerate(zip(fits.light_curves.offsets[:-1], fits.light_curves.offsets[1:], strict=True)):
        assert by_name["misfit"][i] == pytest.approx((residuals[a:b] ** 2).mean())
        assert by_name["residual_largest"][i] == pytest.approx(np.arcsinh(np.abs(residuals[a:b]).max()))
        assert by_name["residual_outliers"][i] == pytest.approx((np.abs(residuals[a:b]) > 2).mean())


def test_no_light_curves(block: Block) -> None:
    assert columns(block, LightCurves.empty()).shape == (0, len(block.features))


def test_missing_below_the_minimum_number_of_points() -> None:
    features = [feature for block in BLOCKS for feature in block.features]
    for n in range(5):
        values = measure(fit(constant(n)))[0]
        for feature, value in zip(features, values, strict=True):
            assert n >= feature.min_points or np.isnan(value), f"{feature.name} with {n} points is {value}"


def test_everything_is_measured_of_a_good_light_curve(block: Block) -> None:
    values = columns(block, simulated(40, seed=2))
    measured = np.isfinite(values).mean(axis=0)
    for feature, part in zip(block.features, measured, strict=True):
        assert part > 0.1, f"{feature.name} is missing in {1 - part:.0%} of the light curves"


@pytest.mark.parametrize("n", [1, 2, 3, 5000])
@pytest.mark.parametrize("flux_njy", [300.0, -300.0, 0.0])
def test_points_without_any_change(block: Block, n: int, flux_njy: float) -> None:
    values = columns(block, constant(n, flux_njy=flux_njy))
    assert not np.isinf(values).any()


@settings(max_examples=80, deadline=None)
@given(light_curve(min_points=1, max_points=30))
def test_never_infinite_never_raises_never_warns(light_curves: LightCurves) -> None:
    for block in BLOCKS:
        values = columns(block, light_curves)
        assert not np.isinf(values).any()
        for k, feature in enumerate(block.features):
            measured = values[np.isfinite(values[:, k]), k]
            low, high = feature.range
            slack = 1e-9 * (1 + np.abs(measured))
            assert (measured >= low - slack).all(), f"{feature.name} is {measured.min()}, its range is {feature.range}"
            assert (measured <= high + slack).all(), f"{feature.name} is {measured.max()}, its range is {feature.range}"


def test_a_light_curve_is_measured_alike_in_any_batch(block: Block) -> None:
    light_curves = simulated(6)
    together = columns(block, light_curves)
    for row in range(6):
        np.testing.assert_array_equal(columns(block, light_curves.select([row]))[0], together[row])
