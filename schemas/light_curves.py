"""LightCurves: the photometry of many alerts as ragged columns, one slice of points per alert."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.arrange import arrange
from schemas.given_columns import band_column, column
from schemas.photometry import FLUX_LIMIT_NJY as FLUX_LIMIT_NJY
from schemas.photometry import LEAST_FLUX_ERR_NJY

BANDS = "ugrizy"
"""Band letters; ``LightCurves.band`` is an index into this string."""

POINT_COLUMNS: dict[str, type] = {
    "time_mjd": np.float64,
    "flux_njy": np.float64,
    "flux_err_njy": np.float64,
    "band": np.int8,
    "is_detection": np.bool_,
}
ALERT_COLUMNS: dict[str, type] = {
    "alert_id": np.int64,
    "object_id": np.int64,
    "alert_mjd": np.float64,
    "ra_deg": np.float64,
    "dec_deg": np.float64,
    "survey": np.int8,
    "schema_id": np.int32,
    "is_solar_system": np.bool_,
    "reliability": np.float32,
    "n_points_dropped": np.int32,
    "packet_index": np.int64,
    "n_points_from_history": np.int32,
    "processed_mjd": np.float64,
    "host_separation_arcsec": np.float32,
    "host2_separation_arcsec": np.float32,
    "host_radius_arcsec": np.float32,
    "host_ellipticity": np.float32,
    "host_photoz": np.float32,
    "host_photoz_err": np.float32,
    "star_score": np.float32,
    "extendedness": np.float32,
    "template_flux_njy": np.float32,
    "solar_system_separation_arcsec": np.float32,
    "image_flags": np.int16,
}

IMAGE_FLAGS = (
    "dipole", "saturated", "edge", "cosmic ray", "streak", "glint", "bad pixels", "no data", "flux failed",
    "centroid failed", "injected",
)  # fmt: skip
"""What bit ``k`` of ``LightCurves.image_flags`` says of the triggering measurement's image; the last: a source that
was put into the image to measure the survey's completeness."""

FLAGS_UNKNOWN = -1

_UNLESS_GIVEN = dict.fromkeys(list(ALERT_COLUMNS)[list(ALERT_COLUMNS).index("processed_mjd") :], np.nan)
_UNLESS_GIVEN["image_flags"] = FLAGS_UNKNOWN
"""What an alert column that the caller leaves out is; others are 0, and ``packet_index`` the row."""


@dataclass(frozen=True, slots=True)
class LightCurves:
    """The light curves of ``n`` alerts: points ``offsets[i]:offsets[i + 1]`` belong to alert ``i``.

    Points, sorted by time and then band within an alert, no two at the same time in the same band:

    - ``time_mjd``: middle of the exposure, MJD on the TAI scale, days.
    - ``flux_njy``, ``flux_err_njy``: difference flux and its standard error, nJy (AB zero point
      31.4); flux may be negative, both are finite and below
      1e9, the error is greater than 0.
    - ``band``: index into :data:`BANDS`.
    - ``is_detection``: True for a detection, False for forced photometry without one.

    Alerts:

    - ``alert_id``, ``object_id``: 64-bit; ``object_id`` is 0 where the packet names no object.
    - ``alert_mjd``: the time of the triggering measurement (MJD TAI); no point is later.
    - ``ra_deg``, ``dec_deg``: ICRS, [0, 360) and [-90, 90].
    - ``survey``: index into ``schemas.passbands.SURVEYS``; ``schema_id``: 100 × major + minor.
    - ``is_solar_system``: the packet associates the alert with a Solar System object.
    - ``reliability``: the survey's real/bogus score in [0, 1]; NaN where it gives none.
    - ``n_points_dropped``: measurements of the packet refused: not finite, flux or error of 1e9 nJy or
      more, without an error or a known band.
    - ``packet_index``: which message of the batch the alert came from.
    - ``n_points_from_history``: points that the packet did not hold (``schemas.history``): the first so many.
    - ``processed_mjd``: when the survey measured the trigger, MJD TAI.

    What the packet tells of the alert's surroundings; NaN where it does not:

    - ``host_separation_arcsec``, ``host2_separation_arcsec``: distance to the nearest and the second nearest
      catalogued source that may be the host, arcsec, 0 or more.
    - ``host_radius_arcsec``, ``host_ellipticity``: size and shape of the nearest; radius greater than 0.
    - ``host_photoz``, ``host_photoz_err``: its photometric redshift, 0 or more. A spectroscopic one is never read.
    - ``star_score``: how much the nearest looks like a star, 0 (galaxy) to 1 (star).
    - ``extendedness``: of the triggering source itself, 0 (point) to 1 (extended).
    - ``template_flux_njy``: flux at the alert's place in the template image, nJy; may be negative by noise.
    - ``solar_system_separation_arcsec``: distance to where the nearest known Solar System object should be.
    - ``image_flags``: a bit for each of :data:`IMAGE_FLAGS`; -1 where the packet tells none.
    """

    offsets: NDArray[np.int64]
    time_mjd: NDArray[np.float64]
    flux_njy: NDArray[np.float64]
    flux_err_njy: NDArray[np.float64]
    band: NDArray[np.int8]
    is_detection: NDArray[np.bool_]
    alert_id: NDArray[np.int64]
    object_id: NDArray[np.int64]
    alert_mjd: NDArray[np.float64]
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    survey: NDArray[np.int8]
    schema_id: NDArray[np.int32]
    is_solar_system: NDArray[np.bool_]
    reliability: NDArray[np.float32]
    n_points_dropped: NDArray[np.int32]
    packet_index: NDArray[np.int64]
    n_points_from_history: NDArray[np.int32]
    processed_mjd: NDArray[np.float64]
    host_separation_arcsec: NDArray[np.float32]
    host2_separation_arcsec: NDArray[np.float32]
    host_radius_arcsec: NDArray[np.float32]
    host_ellipticity: NDArray[np.float32]
    host_photoz: NDArray[np.float32]
    host_photoz_err: NDArray[np.float32]
    star_score: NDArray[np.float32]
    extendedness: NDArray[np.float32]
    template_flux_njy: NDArray[np.float32]
    solar_system_separation_arcsec: NDArray[np.float32]
    image_flags: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def n_points(self) -> NDArray[np.int64]:
        """Points of each alert, shape (n,)."""
        return np.diff(self.offsets)

    @property
    def alert_of_point(self) -> NDArray[np.int64]:
        """The alert each point belongs to, shape (number of points,)."""
        return np.repeat(np.arange(len(self)), self.n_points)

    def largest(self, values: NDArray[np.float64], which: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The largest of each alert's ``values`` (points,) among its points ``which`` (points,), shape (n,); NaN where
        it has none."""
        last_mjd, some = np.full(len(self), np.nan), self.n_points > 0
        if some.any():
            last_mjd[some] = np.fmax.reduceat(np.where(which, values, np.nan), self.offsets[:-1][some])
        return last_mjd

    @classmethod
    def empty(cls) -> LightCurves:
        """No alerts at all."""
        return cls(
            offsets=np.zeros(1, np.int64),
            **{name: np.empty(0, kind) for name, kind in {**POINT_COLUMNS, **ALERT_COLUMNS}.items()},
        )

    @classmethod
    def from_points(
        cls, *, alert: ArrayLike, columns: dict[str, ArrayLike], alerts: dict[str, ArrayLike]
    ) -> LightCurves:
        """Build light curves from points in any order.

        ``alert`` gives each point's alert as a row number of ``alerts``; ``columns`` holds the point
        columns, ``alerts`` the alert columns (those from ``n_points_dropped`` on may be left
        out). Points that are not finite, have a flux or an error of :data:`FLUX_LIMIT_NJY` or more, no error
        (:data:`~schemas.photometry.LEAST_FLUX_ERR_NJY` or more), no known band, or lie after ``alert_mjd`` are dropped;
        all but the last kind are counted in ``n_points_dropped``. Of points at the same time in the same band the
        first given is kept, or where ``columns`` has integers named ``precedence`` the one with the lowest; it is a
        detection if any was.

        What is masked (``numpy.ma``, astropy) is missing: such a point is dropped and counted, such a number of an
        alert is NaN.

        Raises ValueError, naming the column and the row, where columns have different lengths, ``alert`` is out of
        range, whole numbers or flags are masked, ids are doubles that have lost digits, or values have a unit.

        >>> import numpy as np
        >>> flux_njy = np.ma.masked_invalid([900.0, np.nan, 1400.0])
        >>> points = {"time_mjd": [61000.2, 61002.1, 61003.2], "flux_njy": flux_njy, "flux_err_njy": [90.0, 91.0, 95.0]}
        >>> points |= {"band": [BANDS.index(band) for band in "grr"], "is_detection": [True, True, True]}
        >>> alerts = {"alert_id": [7], "object_id": [42], "alert_mjd": [61003.2], "ra_deg": [150.1], "dec_deg": [2.2]}
        >>> light_curves = LightCurves.from_points(alert=[0, 0, 0], columns=points, alerts=alerts)
        >>> light_curves.flux_njy.tolist(), light_curves.n_points_dropped.tolist()
        ([900.0, 1400.0], [1])
        """
        per_alert = _alert_columns(alerts)
        owner = _owners(alert, len(per_alert["alert_id"]))
        time, flux, flux_err, band, is_detection, precedence = _point_columns(columns, len(owner)).values()
        trigger, n_bands = per_alert["alert_mjd"], len(BANDS)
        offsets, *arranged, dropped = arrange(
            owner, time, flux, flux_err, band, is_detection, precedence, trigger, n_bands,
            LEAST_FLUX_ERR_NJY, FLUX_LIMIT_NJY,
        )  # fmt: skip
        per_alert["n_points_dropped"] = (per_alert["n_points_dropped"] + dropped).astype(np.int32)
        return cls(offsets=offsets, **dict(zip(POINT_COLUMNS, arranged, strict=True)), **per_alert)

    def select(self, which: ArrayLike) -> LightCurves:
        """The chosen alerts, in the order given: row numbers or a boolean mask of shape (n,)."""
        chosen_rows = np.asarray(which)
        index = np.arange(len(self))[chosen_rows if chosen_rows.size else chosen_rows.astype(np.int64)]
        lengths = self.n_points[index]
        offsets = _offsets(lengths)
        take = np.repeat(self.offsets[:-1][index] - offsets[:-1], lengths) + np.arange(offsets[-1])
        chosen = {name: getattr(self, name)[take] for name in POINT_COLUMNS}
        return LightCurves(offsets=offsets, **chosen, **{name: getattr(self, name)[index] for name in ALERT_COLUMNS})

    def before(self, mjd: ArrayLike) -> LightCurves:
        """What was known at ``mjd`` (MJD TAI; one for all, or shape (n,)): points at that time or earlier.

        ``alert_mjd`` becomes the earlier of itself and ``mjd``. An alert may be left without points.
        """
        limit = np.broadcast_to(np.asarray(mjd, np.float64), (len(self),))
        owner = self.alert_of_point
        keep = self.time_mjd <= limit[owner]
        kept = {name: getattr(self, name)[keep] for name in POINT_COLUMNS}
        offsets = _offsets(np.bincount(owner[keep], minlength=len(self)))
        return replace(self, offsets=offsets, alert_mjd=np.minimum(self.alert_mjd, limit), **kept)

    @classmethod
    def concatenate(cls, parts: list[LightCurves]) -> LightCurves:
        """The alerts of all parts, one after the other."""
        if not parts:
            return cls.empty()
        lengths = np.concatenate([part.n_points for part in parts])
        names = [field.name for field in fields(cls) if field.name != "offsets"]
        return cls(
            offsets=_offsets(lengths),
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
        )


def _offsets(lengths: NDArray) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _point_columns(given: dict[str, ArrayLike], n_points: int) -> dict[str, NDArray]:
    """The columns of POINT_COLUMNS in their order, then ``precedence``; each has shape (n_points,)."""
    points: dict[str, NDArray] = {
        name: band_column(given[name], len(BANDS)) if name == "band" else column(name, given[name], kind)
        for name, kind in POINT_COLUMNS.items()
    }
    points["precedence"] = column("precedence", given.get("precedence", np.zeros(n_points)), np.int8)
    _require_equal_lengths(points, n_points, "point")
    return points


def _alert_columns(given: dict[str, ArrayLike]) -> dict[str, NDArray]:
    """The columns of ALERT_COLUMNS; each is as long as ``alert_id``. What the caller leaves out has its default."""
    n = len(np.asarray(given["alert_id"]))
    defaults = {name: np.full(n, _UNLESS_GIVEN.get(name, 0)) for name in ALERT_COLUMNS}
    defaults["packet_index"] = np.arange(n)
    per_alert: dict[str, NDArray] = {
        name: column(name, given.get(name, defaults[name]), kind) for name, kind in ALERT_COLUMNS.items()
    }
    _require_equal_lengths(per_alert, n, "alert")
    return per_alert


def _owners(alert: ArrayLike, n_alerts: int) -> NDArray[np.int64]:
    """The alert of each point, a row number from 0 to ``n_alerts`` - 1."""
    owner: NDArray[np.int64] = column("alert", alert, np.int64)
    if len(owner) and not (owner.min() >= 0 and owner.max() < n_alerts):
        raise ValueError(
            f"each point's alert must be a row number from 0 to {n_alerts - 1}, found {owner.min()} to {owner.max()}"
        )
    return owner


def _require_equal_lengths(columns: dict[str, NDArray], length: int, what: str) -> None:
    for name, values in columns.items():
        if values.shape != (length,):
            raise ValueError(f"{what} column {name!r} must have shape ({length},), found {values.shape}")
