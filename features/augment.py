"""Copies of supernovae: the same event at another redshift, observed at the visits to another object.

The Gaussian process of a whole light curve gives its flux at any time and wavelength. A copy moves the event to another
redshift: its spectrum shifts in wavelength, its time stretches, and its flux changes with distance. It is observed at
the times, in the bands and with the noise of a donor. With such copies a classifier can be trained for distant, faint
events on a training set of near, bright ones (Boone 2019, arXiv:1907.04690, section 4; Revsbech et al. 2018,
arXiv:1706.03811). Those works use the mean of the process. Here a copy is a random draw from the process, so that it
also has the uncertainty that the data of the parent leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.cosmology import luminosity_distance_mpc, volume_per_redshift
from features.gaussian_process import GaussianProcessFits, fit
from features.kernel import SQRT3, WAVELENGTH_LENGTH_NM, wavelengths_nm
from features.points import peak_mjd
from schemas.light_curves import ALERT_COLUMNS, LightCurves
from schemas.photometry import DETECTION_SIGNAL_TO_NOISE, is_detection

Array = NDArray[np.float64]

STRETCH = (0.95, 1.6)
"""Bounds of (1 + new redshift) / (1 + old). In a nearer copy the noise of the parent would look like structure; the
blue bands of a more distant copy would lie outside the bands of the parent."""

RATE_EVOLUTION = 2.0
"""The rate of events per volume and time grows as (1 + z) to this power. It lies between the values for type Ia, 1.5
(arXiv:0801.3297), and for star formation, which core collapse follows, 3.6 (arXiv:astro-ph/0601463)."""

LARGEST_OPEN = 0.5
"""Points where the standard deviation of the process is more than this fraction of its amplitude are left out."""

PEAK_JITTER_DAYS = 3.0
"""Standard deviation of the peak time of a copy around that of its donor, days."""

ROUGH = 0.5
"""Part of the copies whose noise is that of real light curves, where this is asked for: errors understated by one
factor, and some points that are outliers."""

ROUGH_FACTOR, ROUGH_SPREAD, ROUGH_BOUNDS = 1.8, 0.45, (1.0, 5.0)
"""Median of that factor, standard deviation of its logarithm, and bounds: fitted to 21 light curves of real alerts
its quartiles are 1.4 and 2.7 (``noise_factor``, :mod:`features.noise`)."""

OUTLIERS, OUTLIER_ERRORS = 0.01, (8.0, 70.0)
"""Part of the points that are outliers, and how far, evenly in the logarithm: of 17,244 points of those light curves
156 are set aside (:mod:`features.outliers`)."""

LEAST_DETECTIONS = 2
"""A copy with fewer detections would not be an event: that needs two (LSE-163)."""

NEAREST = 0.003
"""Least redshift of a copy that gets the brightness of a donor. Below it, peculiar velocities are as large."""

LASTING = 0.8
"""A donor without points other than detections is used only if its light curve is at least as long as this quantile,
because a copy is observed no longer than its donor."""

TRIES = 5
"""Most draws for each copy, until one is detected."""

NEAR = 5
"""The error of a copy's photometric redshift is that of one of this many parents nearest in redshift."""


@dataclass(frozen=True, slots=True)
class Copies:
    """``light_curves`` (m,); ``parent``: the row of each copy's parent; ``redshift``: the true redshift of the copy."""

    light_curves: LightCurves
    parent: NDArray[np.int64]
    redshift: Array

    def __len__(self) -> int:
        return len(self.parent)


def copies(
    parents: LightCurves,
    redshift: ArrayLike,
    donors: LightCurves,
    wanted: ArrayLike,
    seed: int,
    *,
    as_bright: bool = False,
    rough: bool = False,
) -> Copies:
    """Up to ``wanted`` (n,) copies of each parent, fewer if they would not be detected.

    ``redshift`` (n,): true redshifts of the parents; there are no copies where it is 0 or NaN. ``donors`` give visits
    and noise; their classes are not used. New redshifts follow the volume and :data:`RATE_EVOLUTION` within
    :data:`STRETCH`. With ``as_bright``, the redshift of a copy makes its peak as bright as that of a donor. Use this
    for donors of another flux-limited survey: in the nearby universe the distribution of brightness is the same for all
    classes.
    With ``rough``, :data:`ROUGH` of the copies have the noise of real light curves, the stated errors as before.
    """
    z, number = np.asarray(redshift, np.float64), np.asarray(wanted, np.int64)
    fits = fit(parents)
    peak = peak_mjd(fits.light_curves)
    sky = _Sky.of(donors)
    seen_copies: list[tuple[int, float, _Seen]] = []
    for i in np.flatnonzero((z > 0) & fits.converged & (number > 0)):
        luck = np.random.default_rng([seed, int(parents.object_id[i]) & 0xFFFFFFFF])
        process = _Process.of(fits, int(i))
        place = _Place.as_bright(z[i], process, peak[i], sky) if as_bright else _Place.by_volume(z[i])
        had = 0
        for _ in range(TRIES * number[i]):
            new = place.redshift(luck.random())
            seen = _seen(process, peak[i], z[i], new, sky, luck, rough)
            if seen is not None:
                seen_copies.append((int(i), new, seen))
                had += 1
            if had == number[i]:
                break
    return _assembled(parents, z, seen_copies, seed)


def source_noise_njy(light_curves: LightCurves) -> Array:
    """Variance that the flux of a source adds, per unit of flux, nJy, in each band, (6,), 0 or greater.

    This is the slope of a line fitted to variance against flux, with each point weighted by its relative error.
    """
    slopes = np.zeros(wavelengths_nm().shape[1])
    for band in range(len(slopes)):
        in_band = light_curves.band == band
        if in_band.sum() > 2:
            variance = light_curves.flux_err_njy[in_band] ** 2
            design = np.stack([np.ones(in_band.sum()), np.maximum(light_curves.flux_njy[in_band], 0)], axis=1)
            line = np.linalg.lstsq(design / variance[:, None], np.ones(in_band.sum()), rcond=None)[0]
            slopes[band] = max(line[1], 0.0)
    return slopes


@dataclass(frozen=True, slots=True)
class _Sky:
    """The donors with their peaks (``peak_flux_njy``: those above zero, ascending), and the noise that a source
    adds."""

    donors: LightCurves
    peak: Array
    source: Array
    peak_flux_njy: Array
    usable: NDArray[np.int64]
    detections_only: bool

    @classmethod
    def of(cls, donors: LightCurves) -> _Sky:
        usable = np.flatnonzero(donors.n_points >= LEAST_DETECTIONS)
        if not len(usable):
            raise ValueError(f"copies need a donor of {LEAST_DETECTIONS} or more points, found none of {len(donors)}")
        detections_only = bool(donors.is_detection.all())
        if detections_only:
            first, last = donors.offsets[:-1][usable], donors.offsets[1:][usable] - 1
            length = donors.time_mjd[last] - donors.time_mjd[first]
            usable = usable[length >= np.quantile(length, LASTING)]
        peak = peak_mjd(donors)
        flux = donors.flux_njy[donors.time_mjd == peak[donors.alert_of_point]]
        return cls(donors, peak, source_noise_njy(donors), np.sort(flux[flux > 0]), usable, detections_only)


@dataclass(frozen=True, slots=True)
class _Process:
    """The Gaussian process of one light curve, at any wavelength."""

    time: Array
    wavelength: Array
    amplitude: float
    timescale: float
    factor: Array
    weights: Array

    @classmethod
    def of(cls, fits: GaussianProcessFits, i: int) -> _Process:
        curves = fits.light_curves
        of_curve = slice(curves.offsets[i], curves.offsets[i + 1])
        time, flux = curves.time_mjd[of_curve], curves.flux_njy[of_curve]
        wavelength: Array = wavelengths_nm()[curves.survey[i], curves.band[of_curve]]
        variance = fits.variance_njy2[of_curve]
        amplitude, timescale = float(fits.amplitude_njy[i]), float(fits.timescale_days[i])
        covariance = _covariance(amplitude, timescale, time, wavelength, time, wavelength) + np.diag(variance)
        factor = np.linalg.cholesky(covariance).astype(np.float64)
        weights: Array = np.linalg.solve(factor.T, np.linalg.solve(factor, flux)).astype(np.float64)
        return cls(time, wavelength, amplitude, timescale, factor, weights)

    def mean(self, time: Array, wavelength: Array) -> tuple[Array, Array]:
        """The mean at (m,) times and wavelengths, and its covariance with the points, (m, n)."""
        cross = _covariance(self.amplitude, self.timescale, time, wavelength, self.time, self.wavelength)
        return cross @ self.weights, cross

    def draw(self, time: Array, wavelength: Array, cross: Array, luck: np.random.Generator) -> tuple[Array, Array]:
        """The difference of a random draw from the mean, and the standard deviation, both (m,)."""
        explained = np.linalg.solve(self.factor, cross.T)
        left = _covariance(self.amplitude, self.timescale, time, wavelength, time, wavelength) - explained.T @ explained
        jitter = 1e-8 * self.amplitude**2 * np.eye(len(time))
        std = np.sqrt(np.maximum(np.diag(left), 0.0))
        normal = luck.standard_normal(len(time))
        try:
            return np.linalg.cholesky(left + jitter) @ normal, std
        except np.linalg.LinAlgError:  # indefinite by rounding: independent draws have the same scatter
            return std * normal, std


def _covariance(amplitude: float, timescale: float, t: Array, w: Array, t2: Array, w2: Array) -> Array:
    in_time = SQRT3 * np.abs(t[:, None] - t2) / timescale
    in_wavelength = SQRT3 * np.abs(w[:, None] - w2) / WAVELENGTH_LENGTH_NM
    return np.asarray(amplitude**2 * (1 + in_time) * (1 + in_wavelength) * np.exp(-in_time - in_wavelength))


@dataclass(frozen=True, slots=True)
class _Seen:
    """The points of a copy."""

    time: Array
    flux: Array
    error: Array
    band: NDArray[np.int8]
    is_detection: NDArray[np.bool_]
    alert_mjd: float
    survey: int


@dataclass(frozen=True, slots=True)
class _Place:
    """The distribution of the redshifts of copies of one parent: redshifts, ascending, and the fraction up to each."""

    redshifts: Array
    fraction: Array

    def redshift(self, luck: float) -> float:
        """The redshift of a copy, for a random number uniform in 0 to 1."""
        return float(np.interp(luck, self.fraction, self.redshifts))

    @classmethod
    def by_volume(cls, z: float) -> _Place:
        """Redshifts by volume and rate, within the bounds of the stretch."""
        grid = np.linspace(max((1 + z) * STRETCH[0] - 1, 0.3 * z), (1 + z) * STRETCH[1] - 1, 200)
        # 1 / (1 + z): an observer's year is shorter in the rest frame.
        cumulative = np.cumsum(volume_per_redshift(grid) * (1 + grid) ** (RATE_EVOLUTION - 1))
        return cls(grid, cumulative / cumulative[-1])

    @classmethod
    def as_bright(cls, z: float, process: _Process, peak: float, sky: _Sky) -> _Place:
        """Redshifts at which the peak in the brightest band is as bright as the peaks of the donors."""
        grid = np.geomspace(NEAREST, (1 + z) * STRETCH[1] - 1, 200)
        bands = np.unique(process.wavelength)
        flux = process.mean(np.full(len(bands), peak), bands)[0].max() * _dimming(z, grid)
        brighter = -np.searchsorted(sky.peak_flux_njy, flux).astype(np.float64)
        brighter -= brighter[0]
        return cls(grid, brighter / max(brighter[-1], 1.0))


def _dimming(z: float, new: ArrayLike) -> Array:
    """Flux at a new redshift over that at ``z``, at the same rest-frame wavelength: flux per frequency is
    (1 + z) L / (4 π d²) (Hogg 1999, arXiv:astro-ph/9905116, equation 22)."""
    farther = np.asarray(new, np.float64)
    near = luminosity_distance_mpc(z) / luminosity_distance_mpc(farther)
    return np.asarray((1 + farther) / (1 + z) * near**2)


def _seen(
    process: _Process, peak: float, z: float, new: float, sky: _Sky, luck: np.random.Generator, rough: bool
) -> _Seen | None:
    """The event at the new redshift, observed at the visits of a donor; None if it is not detected."""
    donor = int(luck.choice(sky.usable))
    of_donor = slice(sky.donors.offsets[donor], sky.donors.offsets[donor + 1])
    visit, band = sky.donors.time_mjd[of_donor], sky.donors.band[of_donor]
    stretch = (1 + new) / (1 + z)
    time = peak + (visit - sky.peak[donor] + luck.normal(0, PEAK_JITTER_DAYS)) / stretch
    survey = int(sky.donors.survey[donor])
    wavelength = wavelengths_nm()[survey, band] / stretch
    dimming = float(_dimming(z, new))
    mean, cross = process.mean(time, wavelength)
    donor_variance = sky.donors.flux_err_njy[of_donor] ** 2
    source = sky.source[band]
    background = np.maximum(
        donor_variance - source * np.maximum(sky.donors.flux_njy[of_donor], 0), 0.25 * donor_variance
    )
    if (mean * dimming >= 0.6 * DETECTION_SIGNAL_TO_NOISE * np.sqrt(background)).sum() < LEAST_DETECTIONS:
        return None  # cannot be detected: saves the draw
    extra, std = process.draw(time, wavelength, cross, luck)
    flux = (mean + extra) * dimming
    error = np.sqrt(background + source * np.maximum(flux, 0))
    measured = flux + error * _noise(len(flux), luck, rough)
    keep = std <= LARGEST_OPEN * process.amplitude
    detected = keep & is_detection(measured, error)
    if detected.sum() < LEAST_DETECTIONS:
        return None
    if sky.detections_only:
        keep = detected
    last = float(visit[keep][-1] if sky.detections_only else visit[-1])
    return _Seen(visit[keep], measured[keep], error[keep], band[keep], detected[keep], last, survey)


def _noise(n: int, luck: np.random.Generator, rough: bool) -> Array:
    """The noise of ``n`` points in stated errors."""
    normal = luck.standard_normal(n)
    if not rough or luck.random() >= ROUGH:
        return normal
    factor = np.clip(ROUGH_FACTOR * np.exp(ROUGH_SPREAD * luck.standard_normal()), *ROUGH_BOUNDS)
    least, most = np.log(OUTLIER_ERRORS)
    far = np.exp(luck.uniform(least, most, n)) * luck.choice([-1.0, 1.0], n)
    return np.asarray(factor * normal + (luck.random(n) < OUTLIERS) * far)


def _assembled(parents: LightCurves, z: Array, seen_copies: list[tuple[int, float, _Seen]], seed: int) -> Copies:
    parent = np.array([row for row, _, _ in seen_copies], np.int64)
    redshift = np.array([new for _, new, _ in seen_copies], np.float64)
    photoz, photoz_err = _photoz(parents, z, redshift, np.random.default_rng([seed, len(seen_copies)]))
    n = len(seen_copies)
    given = {
        "alert_id": np.arange(n),
        "object_id": parents.object_id[parent],
        "alert_mjd": np.array([seen.alert_mjd for _, _, seen in seen_copies]),
        "survey": np.array([seen.survey for _, _, seen in seen_copies], np.int64),
        "host_photoz": photoz,
        "host_photoz_err": photoz_err,
        "packet_index": np.arange(n),
    }
    alerts: dict[str, ArrayLike] = {name: given.get(name, getattr(parents, name)[parent]) for name in ALERT_COLUMNS}
    names = {"time_mjd": "time", "flux_njy": "flux", "flux_err_njy": "error", "band": "band"}
    points: dict[str, ArrayLike] = {
        column: np.concatenate([getattr(seen, name) for _, _, seen in seen_copies] or [np.zeros(0)])
        for column, name in (names | {"is_detection": "is_detection"}).items()
    }
    row = np.repeat(np.arange(n), [len(seen.time) for _, _, seen in seen_copies])
    return Copies(LightCurves.from_points(alert=row, columns=points, alerts=alerts), parent, redshift)


def _photoz(parents: LightCurves, z: Array, redshift: Array, luck: np.random.Generator) -> tuple[Array, Array]:
    """Photometric redshifts of copies and their errors, with the errors of parents at about that redshift."""
    with_both_redshifts = np.flatnonzero((z > 0) & np.isfinite(parents.host_photoz))
    if not len(with_both_redshifts) or not len(redshift):
        return np.full(len(redshift), np.nan), np.full(len(redshift), np.nan)
    with_both_redshifts = with_both_redshifts[np.argsort(z[with_both_redshifts])]
    place = np.searchsorted(z[with_both_redshifts], redshift) + luck.integers(
        -(NEAR // 2), NEAR // 2 + 1, len(redshift)
    )
    like = with_both_redshifts[np.clip(place, 0, len(with_both_redshifts) - 1)]
    off = (parents.host_photoz[like] - z[like]) / (1 + z[like])
    return np.maximum(redshift + off * (1 + redshift), 0.001), parents.host_photoz_err[like].astype(np.float64)
