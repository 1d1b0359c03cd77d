"""Light curves for tests of the features: Hypothesis strategies, simulated ones, and PLAsTiCC's."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from schemas.light_curves import LightCurves

LSST, ZTF = 0, 1
START_MJD = 61_000.0


def curves(
    owner: ArrayLike,
    time_mjd: ArrayLike,
    flux_njy: ArrayLike,
    flux_err_njy: ArrayLike,
    band: ArrayLike,
    *,
    is_detection: ArrayLike | None = None,
    alert_mjd: ArrayLike | None = None,
    survey: int = LSST,
    n: int | None = None,
) -> LightCurves:
    """Light curves from columns; a detection is 5σ, and the alert is at the last point, unless given."""
    owner, time, flux = np.asarray(owner, int), np.asarray(time_mjd, float), np.asarray(flux_njy, float)
    error = np.asarray(flux_err_njy, float)
    count = n if n is not None else int(owner.max(initial=-1)) + 1
    last = np.full(count, START_MJD)
    np.maximum.at(last, owner, time)
    return LightCurves.from_points(
        alert=owner,
        columns={
            "time_mjd": time,
            "flux_njy": flux,
            "flux_err_njy": error,
            "band": band,
            "is_detection": flux > 5 * error if is_detection is None else is_detection,
        },
        alerts={
            "alert_id": np.arange(count),
            "object_id": np.arange(count),
            "alert_mjd": last if alert_mjd is None else alert_mjd,
            "ra_deg": np.full(count, 150.0),
            "dec_deg": np.full(count, -30.0),
            "survey": np.full(count, survey),
            "schema_id": np.zeros(count),
            "is_solar_system": np.zeros(count),
            "reliability": np.full(count, np.nan),
        },
    )


@st.composite
def light_curve(draw: st.DrawFn, min_points: int = 1, max_points: int = 40) -> LightCurves:
    """One light curve as surveys make them, and worse: one band, one point, repeated times, gaps, negative flux."""
    n = draw(st.integers(min_points, max_points))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bands = draw(st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True))
    span_days = draw(st.sampled_from([0.02, 1.0, 30.0, 400.0, 4000.0]))
    time = START_MJD + span_days * rng.random(n)
    if draw(st.booleans()):
        time = np.round(time, 1)  # several bands, or several points, at one time
    if draw(st.booleans()):
        time[time > np.median(time)] += 1500.0  # two seasons, years apart
    sign = draw(st.sampled_from([-1.0, 0.0, 1.0]))
    scale = 10.0 ** draw(st.floats(1.0, 6.0))
    error = 10.0 ** draw(st.floats(0.5, 4.0)) * rng.uniform(0.5, 2.0, n)
    phase = (time - START_MJD) / draw(st.sampled_from([0.5, 20.0, 200.0]))
    flux = scale * (sign + np.sin(phase)) + error * rng.normal(size=n)
    survey = draw(st.sampled_from([LSST, ZTF]))
    return curves(np.zeros(n), time, flux, error, rng.choice(bands, n), survey=survey)


def simulated(n: int, seed: int = 1) -> LightCurves:
    """A mixture of supernova-like transients, sinusoids, random walks and noise in six bands, 5 to 120 points each."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(n):
        m = int(np.clip(rng.lognormal(np.log(35), 0.8), 5, 120))
        time = np.sort(np.round(rng.uniform(0, 3 * m, m)) + rng.uniform(0, 0.3, m))
        band = rng.integers(0, 6, m)
        colour = rng.uniform(0.5, 1.5, 6)[band]
        if k % 4 == 0:
            flux = colour / (1 + np.exp(-(time - m) / 4)) * np.exp(-np.maximum(time - m, 0) / rng.uniform(15, 60))
        elif k % 4 == 1:
            flux = colour * np.sin(2 * np.pi * time / np.exp(rng.uniform(-1, 4)))
        elif k % 4 == 2:
            flux = colour * np.cumsum(rng.normal(size=m)) / np.sqrt(m)
        else:
            flux = np.zeros(m)
        error = rng.uniform(80, 300, m)
        flux = flux * np.exp(rng.normal(8, 1)) + error * rng.normal(size=m)
        parts.append(curves(np.zeros(m), START_MJD + time, flux, error, band))
    return replace(
        LightCurves.concatenate(parts), alert_id=np.arange(n) + 1, object_id=np.arange(n) + 1, **surroundings(n, rng)
    )


def surroundings(n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What packets may tell beside the light curve, half of it each."""
    scales = {
        "host_separation_arcsec": 3.0, "host2_separation_arcsec": 9.0, "host_radius_arcsec": 2.0,
        "host_ellipticity": 1.0, "star_score": 1.0, "extendedness": 1.0, "template_flux_njy": 2e4,
        "solar_system_separation_arcsec": 20.0,
    }  # fmt: skip
    separations = {name: (scale * rng.random(n)).astype(np.float32) for name, scale in scales.items()}
    separations = {
        name: np.where(rng.random(n) < 0.5, values, np.float32(np.nan)) for name, values in separations.items()
    }
    return separations | {"image_flags": rng.integers(-1, 32, n).astype(np.int16)}


def plasticc(n: int, seed: int = 1) -> LightCurves:
    """The first season or so of ``n`` of PLAsTiCC's training objects, from the installed wheel, drawn at random."""
    spec = find_spec("snmachine")
    assert spec is not None
    assert spec.origin is not None
    table = pd.read_csv(Path(spec.origin).parent / "example_data" / "plasticc_train_lightcurves.csv")
    ids = np.random.default_rng(seed).choice(np.unique(table["object_id"]), n, replace=False)
    table = table[table["object_id"].isin(ids)]
    row = pd.Series(np.arange(n), ids)[table["object_id"]].to_numpy()
    to_njy = 10 ** (0.4 * (31.4 - 27.5))
    whole = curves(
        row,
        table["mjd"],
        table["flux"] * to_njy,
        table["flux_err"] * to_njy,
        table["passband"],
        is_detection=table["detected_bool"],
    )
    first = whole.time_mjd[whole.offsets[:-1]]
    return whole.before(first + 500.0)
