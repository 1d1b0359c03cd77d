"""Parametric fits of transients: the supernova model with a plateau, Bazin's model, a rising sigmoid, an exponential
and a linear decline.

The models are in features.transient_models, the search in features.least_squares. All bands share one shape, because an
alert has too few points in one band; each band has its own amplitude. Errors have the floor of the Gaussian process.
Only points from the beginning of the prediction grid on are used (50 days before the first detection). The first two
models use all of them, the sigmoid those up to the peak of the process in r, the declines those from the peak on. A fit
needs one more point than it has parameters and amplitudes. Nothing is fitted to a negative peak.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.definition import (
    ANY,
    ASINH_FLUX,
    DAYS,
    FLUX_SOFTENING_NJY,
    FRACTION,
    LOG_DAYS,
    MAGNITUDES_PER_DAY,
    NUMBER,
    PER_DAY,
    POSITIVE,
    Feature,
    columns_by_name,
)
from features.grid import LEAST_PEAK, GridFlux
from features.kernel import ERROR_FLOOR_FRACTION
from features.least_squares import Memory, Problem, Search, by_band, memory_for, minimise, objective
from features.points import Points, longest_of, points_of
from features.transient_models import (
    BAZIN,
    EXPONENTIAL,
    JOIN_DAYS,
    LINEAR,
    MOST_PARAMETERS,
    PARAMETERS,
    PLATEAU,
    SIGMOID,
)
from schemas.light_curves import BANDS, LightCurves

Array = NDArray[np.float64]
MODELS = (EXPONENTIAL, LINEAR, SIGMOID, BAZIN, PLATEAU)
FITTED, TOO_FEW, NO_PEAK, NOT_CONVERGED = range(4)
"""The result of a fit: see :func:`statuses`."""

_BLOCK = "parametric"
_R = BANDS.index("r")
_N_BANDS = len(BANDS)
_BAZIN = "doi:10.1051/0004-6361/200911847"
_SPM = "arXiv:2008.03311"
_LN10 = math.log(10.0)
_MAGNITUDES_PER_E_FOLD = 2.5 / _LN10
LEAST_CHI2 = 1e-3

MOST_STEPS = np.array([20, 20, 25, 35, 40])
"""Most steps of the search for each model of MODELS: enough for 98 % of the fits."""

START = np.array(
    [
        [0.02, 0.0, 0.0, 0.0, 0.0],
        [0.01, 0.0, 0.0, 0.0, 0.0],
        [-8.0, math.log(4.0), 0.0, 0.0, 0.0],
        [-6.0, math.log(3.0), math.log(25.0), 0.0, 0.0],
        [-8.0, math.log(3.0), math.log(30.0), math.log(15.0), 0.5],
    ]
)
WIDTH = np.array(
    [
        [1.0, 1.0, 1.0, 1.0, 1.0],
        [1.0, 1.0, 1.0, 1.0, 1.0],
        [20.0, 1.5, 1.0, 1.0, 1.0],
        [20.0, 1.5, 1.5, 1.0, 1.0],
        [20.0, 1.0, 1.0, 1.0, 0.5],
    ]
)
LOW = np.array(
    [
        [-0.2, 0.0, 0.0, 0.0, 0.0],
        [-0.2, 0.0, 0.0, 0.0, 0.0],
        [-100.0, math.log(0.1), 0.0, 0.0, 0.0],
        [-100.0, math.log(0.1), math.log(0.5), 0.0, 0.0],
        [-100.0, math.log(0.1), math.log(JOIN_DAYS), math.log(1.0), 0.0],
    ]
)
HIGH = np.array(
    [
        [3.0, 0.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0, 0.0],
        [50.0, math.log(100.0), 0.0, 0.0, 0.0],
        [50.0, math.log(100.0), math.log(1000.0), 0.0, 0.0],
        [50.0, math.log(100.0), math.log(1000.0), math.log(200.0), 1.0],
    ]
)
"""Start of the search for each model, which is the centre of the prior; standard deviation of the prior; bounds. Rows
as in MODELS, columns in the order of the parameters in features.transient_models. The centres are typical of supernovae
(Villar et al. 2019, arXiv:1905.07422); the widths are an e-fold and more. If the fall were shorter than the width of
the transition, the plateau model would grow without bound before the plateau."""


_Described = tuple[str, str, tuple[float, float], str]


def _features(min_points: int, source: str, *described: _Described) -> tuple[Feature, ...]:
    return tuple(
        Feature(name, unit, _BLOCK, min_points, text, source, range_) for name, unit, range_, text in described
    )


def _chi2(name: str, model: str) -> _Described:
    return name, NUMBER, (-3.0, np.inf), f"log10 of the reduced chi-square of {model}, at least 0.001."


_T0 = (-100.0, 50.0)
_RISE = (-1.0, 2.0)
_FALL = (math.log10(0.5), 3.0)
_SPM_FALL = (math.log10(JOIN_DAYS), 3.0)
_FEATURES_OF_FITS = {
    (EXPONENTIAL,): _features(
        3,
        "",
        ("decline_rate", MAGNITUDES_PER_DAY, (-0.22, 3.26), "Rate of an exponential decline from the peak on."),
        _chi2("decline_chi2", "the exponential decline"),
    ),
    (LINEAR,): _features(
        3,
        "",
        ("linear_decline_rate", PER_DAY, (-0.2, 1.0), "Slope of a linear decline from the peak on, over its start."),
        _chi2("linear_decline_chi2", "the linear decline"),
    ),
    (SIGMOID,): _features(
        4,
        _BAZIN,
        ("sigmoid_t0", DAYS, _T0, "Middle of a rising sigmoid, after the peak of the process."),
        ("sigmoid_rise", LOG_DAYS, _RISE, "Timescale of the rising sigmoid."),
        ("sigmoid_amplitude", ASINH_FLUX, POSITIVE, "Height of the rising sigmoid in its brightest band."),
        _chi2("sigmoid_chi2", "the rising sigmoid"),
    ),
    (BAZIN,): _features(
        5,
        _BAZIN,
        ("bazin_t0", DAYS, _T0, "Bazin's t0, after the peak of the process."),
        ("bazin_rise", LOG_DAYS, _RISE, "Bazin's rise time."),
        ("bazin_fall", LOG_DAYS, _FALL, "Bazin's fall time."),
        ("bazin_amplitude", ASINH_FLUX, POSITIVE, "Bazin's A in the band where it is largest."),
        _chi2("bazin_chi2", "Bazin's model"),
    ),
    (PLATEAU,): _features(
        7,
        _SPM,
        ("spm_t0", DAYS, _T0, "Supernova parametric model: start of the plateau, after the peak of the process."),
        ("spm_rise", LOG_DAYS, _RISE, "Supernova parametric model: rise time."),
        ("spm_fall", LOG_DAYS, _SPM_FALL, "Supernova parametric model: fall time."),
        ("spm_gamma", LOG_DAYS, (0.0, math.log10(200.0)), "Supernova parametric model: length of the plateau."),
        ("spm_beta", NUMBER, FRACTION, "Supernova parametric model: part of the flux lost on the plateau."),
        ("spm_amplitude", ASINH_FLUX, POSITIVE, "Supernova parametric model: A in the band where it is largest."),
        _chi2("spm_chi2", "the supernova parametric model"),
    ),
    (BAZIN, PLATEAU): _features(
        7,
        _SPM,
        (
            "bazin_over_spm",
            NUMBER,
            ANY,
            "log10 of the chi-square of Bazin's model over that of the supernova parametric model: a plateau.",
        ),
    ),
    (EXPONENTIAL, LINEAR): _features(
        3,
        "",
        (
            "exponential_over_linear",
            NUMBER,
            ANY,
            "log10 of the chi-square of the exponential decline over that of the linear one.",
        ),
    ),
}
"""The features by the models whose fits they need. Those of one model stand as :func:`_fit` writes them: parameters in
the order of features.transient_models, the amplitude of what rises, chi-square."""

FEATURES = tuple(feature for features in _FEATURES_OF_FITS.values() for feature in features)
COLUMN = columns_by_name(FEATURES)
MODELS_OF_FEATURE = tuple(models for models, features in _FEATURES_OF_FITS.items() for _ in features)
"""The models whose fits each feature needs."""

FIRST_COLUMN = np.array([MODELS_OF_FEATURE.index((model,)) for model in MODELS])
"""The first feature of each model."""

PLATEAU_STARTS = np.log(np.array([6.0, 15.0, 40.0, 90.0]))
"""Lengths of the plateau, ln days; the search starts at the best of them."""


def columns(curves: LightCurves, grid: GridFlux) -> Array:
    """Measure the block: (n, features)."""
    return _fitted(curves, grid)[0]


def statuses(curves: LightCurves, grid: GridFlux) -> NDArray[np.int8]:
    """The result of the fit of each model, (n, models): FITTED, TOO_FEW points, NO_PEAK above zero, NOT_CONVERGED."""
    return _fitted(curves, grid)[1]


def _fitted(curves: LightCurves, grid: GridFlux) -> tuple[Array, NDArray[np.int8]]:
    out = np.full((len(curves), len(FEATURES)), np.nan)
    status = np.full((len(curves), len(MODELS)), NO_PEAK, np.int8)
    has_process = np.isfinite(grid.mean_njy[:, _R, -1])
    peak = np.argmax(np.where(has_process[:, None], grid.mean_njy[:, _R], -np.inf), axis=1)
    rows = np.arange(len(curves))
    positive = has_process & (grid.mean_njy[rows, _R, peak] > LEAST_PEAK * np.abs(grid.mean_njy[:, _R]).max(axis=1))
    _measure(
        points_of(curves, ERROR_FLOOR_FRACTION), grid.time_mjd[:, 0], grid.time_mjd[rows, peak], positive, out, status
    )
    return out, status


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(
    points: Points, begin: Array, peak: Array, positive: NDArray[np.bool_], out: Array, status: NDArray[np.int8]
) -> None:
    memory = memory_for(longest_of(points), MOST_PARAMETERS)
    theta, rise, chi2 = np.empty(MOST_PARAMETERS), np.empty(2), np.empty(len(MODELS))
    for i in range(len(positive)):
        if not positive[i]:
            continue
        a, b = points.offsets[i], points.offsets[i + 1]
        a += np.searchsorted(points.time[a:b], begin[i])
        time, flux, band = points.time[a:b] - peak[i], points.flux[a:b], points.band[a:b]
        weight = 1.0 / points.variance[a:b]
        at_peak, after = np.searchsorted(time, 0.0), np.searchsorted(time, 0.0, side="right")
        falling = by_band(time[at_peak:], flux[at_peak:], weight[at_peak:], band[at_peak:])
        rising = by_band(time[:after], flux[:after], weight[:after], band[:after])
        whole = by_band(time, flux, weight, band)
        for model in MODELS:
            problem = falling if model <= LINEAR else (rising if model == SIGMOID else whole)
            p = PARAMETERS[model]
            search = Search(model, LOW[model, :p], HIGH[model, :p], START[model, :p], WIDTH[model, :p])
            theta[:p] = START[model, :p]
            if model > SIGMOID and status[i, SIGMOID] == FITTED:
                theta[:2] = rise
            if model == PLATEAU:
                _choose_start(problem, search, theta, memory)
            status[i, model], chi2[model] = _fit(problem, search, theta[:p], memory, out[i, FIRST_COLUMN[model] :])
            if model == SIGMOID:
                rise[:] = theta[:2]
        row = out[i]
        row[COLUMN.bazin_over_spm] = _log_ratio(chi2[BAZIN], chi2[PLATEAU])
        row[COLUMN.exponential_over_linear] = _log_ratio(chi2[EXPONENTIAL], chi2[LINEAR])


@njit(cache=True, nogil=True, error_model="numpy")
def _log_ratio(chi2: float, other_chi2: float) -> float:
    return math.log10(max(chi2, LEAST_CHI2) / max(other_chi2, LEAST_CHI2))


@njit(cache=True, nogil=True, error_model="numpy")
def _choose_start(problem: Problem, search: Search, theta: Array, memory: Memory) -> None:
    """Set the length of the plateau to the best of a few values: chi-square has one minimum for a long plateau, and
    another without a plateau."""
    best, chosen = np.inf, theta[3]
    for length in PLATEAU_STARTS:
        theta[3] = length
        value = objective(problem, search, theta, memory)
        if value < best:
            best, chosen = value, length
    theta[3] = chosen


@njit(cache=True, nogil=True, error_model="numpy")
def _fit(problem: Problem, search: Search, theta: Array, memory: Memory, of_model: Array) -> tuple[int, float]:
    """Fit one model and write its features into ``of_model``: status and chi-square, NaN without."""
    p, bands = len(theta), 0
    for k in range(_N_BANDS):
        bands += problem.begin[k + 1] > problem.begin[k]
    freedom = problem.points - p - bands
    if freedom < 1:
        return TOO_FEW, np.nan
    chi2, converged = minimise(problem, search, theta, memory, MOST_STEPS[search.model])
    if not converged:
        return NOT_CONVERGED, np.nan
    amplitude = math.asinh(memory.amplitude.max() / FLUX_SOFTENING_NJY)
    reduced = math.log10(max(chi2 / freedom, LEAST_CHI2))
    if search.model <= LINEAR:
        of_model[0], of_model[1] = theta[0], reduced
        of_model[0] *= _MAGNITUDES_PER_E_FOLD if search.model == EXPONENTIAL else 1.0
        return FITTED, chi2
    of_model[0] = theta[0]
    for a in range(1, min(p, 4)):
        of_model[a] = theta[a] / _LN10
    if p == MOST_PARAMETERS:
        of_model[4] = theta[4]
    of_model[p], of_model[p + 1] = amplitude, reduced
    return FITTED, chi2
