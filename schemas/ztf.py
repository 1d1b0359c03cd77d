"""ZTF alert containers, schema 1.8 to 4.02.

Fields: https://zwickytransientfacility.github.io/ztf-avro-alert/schema.html. Detections are AB magnitudes of the
difference image with its sign; ``jd`` is UTC at the start of the exposure (30 s as a rule), and is taken as it is:
the history does not tell each exposure's length. A non-detection with only a limiting magnitude (``diffmaglim``, of
5 sigma) is a flux of 0 with a fifth of the limit's flux as its error. Forced photometry (``fp_hists``, since 4.0)
counts before it, and before a detection in the same exposure, which has the same ``jd``.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.avro_values import MISSING
from schemas.columns import Column, Layout
from schemas.identifiers import object_id_of
from schemas.light_curves import BANDS
from schemas.packet_rows import PacketRows, texts, word
from schemas.photometry import (
    JD_OF_MJD_ZERO,
    flux_err_of_limit,
    flux_of_magnitude,
    mjd_tai_of_jd_utc,
    njy_per_unit,
)
from schemas.surroundings import flux_or_nan, image_flags, within

PRIOR, FORCED = 1, 2
SOLAR_SYSTEM_ARCSEC = 5.0
"""A known Solar System object this near (``ssdistnr``) is taken as the source; the packet reports up to 30 arcsec."""

NO_VALUE = -99_998.0
"""At or below this a forced flux is ZTF's "no value", -99999."""

PIXEL_ARCSEC = 1.012
"""``distnr`` counts pixels of so many arcsec (Dekany et al. 2020, DOI 10.1088/1538-3873/ab4ca2)."""

IN_TEMPLATE_ARCSEC = 1.4
"""A source of the reference image this near is what the difference is taken against (Förster et al. 2021,
DOI 10.3847/1538-3881/abe9bc, for corrected magnitudes)."""

BAND_OF_FID = {1: "g", 2: "r", 3: "i"}
POSITIVE = ("t", "1")
NEGATIVE = ("f", "0")

_DETECTION = ("jd", "magpsf", "sigmapsf")
SURROUNDINGS = ("distpsnr1", "distpsnr2", "sgscore1", "classtar", "distnr", "magnr")
LAYOUT = Layout(
    alert={
        "alert_id": Column("int", ("candid",)),
        "object_name": Column("text", ("objectId",)),
        "fid": Column("int", ("candidate.fid",)),
        **{name: Column("float", (f"candidate.{name}",)) for name in (*_DETECTION, "ra", "dec", "ssdistnr")},
        "isdiffpos": Column("text", ("candidate.isdiffpos",)),
        "rb": Column("float", ("candidate.rb",)),
        "drb": Column("float", ("candidate.drb",)),
        "written_version": Column("text", ("schemavsn",)),
        **{name: Column("float", (f"candidate.{name}",)) for name in SURROUNDINGS},
        "nbad": Column("int", ("candidate.nbad",)),
    },
    point={
        "fid": Column("int", ("fid",)),
        **{name: Column("float", (name,)) for name in _DETECTION},
        "isdiffpos": Column("text", ("isdiffpos",)),
        "limit": Column("float", ("diffmaglim",)),
        "forced_flux": Column("float", ("forcediffimflux",)),
        "forced_flux_err": Column("float", ("forcediffimfluxunc",)),
        "zero_point": Column("float", ("magzpsci",)),
    },
    arrays={"prv_candidates": PRIOR, "fp_hists": FORCED},
    required=("alert_id", "object_name", "jd", "fid", "magpsf", "sigmapsf", "isdiffpos", "ra", "dec"),
)


def recognises(schema: dict[str, Any]) -> bool:
    """Whether a container's schema is a ZTF alert's."""
    return {"candid", "candidate"} <= {field["name"] for field in schema["fields"]}


def schema_id_of(schema: dict[str, Any]) -> int:
    """100 × major + minor of the version that the schema states; 0 where it states none."""
    return version_id(str(schema.get("version", "")))


def version_id(text: str) -> int:
    """100 × major + minor of a version such as 4.02 (402); 0 where it is none."""
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,2})", text)
    return 100 * int(match[1]) + int(match[2]) if match else 0


def columns(rows: PacketRows) -> tuple[NDArray, dict[str, NDArray], dict[str, NDArray]]:
    """Owner of each point, point columns and alert columns, as ``LightCurves.from_points`` takes them."""
    trigger_flux, trigger_err = _signed(rows.alert("magpsf"), rows.alert("sigmapsf"), rows.alert("isdiffpos"))
    flux, flux_err = _signed(rows.point("magpsf"), rows.point("sigmapsf"), rows.point("isdiffpos"))
    forced = rows.array == FORCED
    per_count = njy_per_unit(rows.point("zero_point")[forced])
    counts = rows.point("forced_flux")[forced]
    flux[forced] = np.where(counts > NO_VALUE, counts, np.nan) * per_count
    flux_err[forced] = rows.point("forced_flux_err")[forced] * per_count
    limit = ~forced & ~np.isfinite(rows.point("magpsf"))
    flux[limit] = 0.0
    flux_err[limit] = flux_err_of_limit(rows.point("limit")[limit])
    jd = np.concatenate([rows.alert("jd"), rows.point("jd")])
    time = mjd_tai_of_jd_utc(jd)
    time = np.where(np.isnan(time), jd - JD_OF_MJD_ZERO, time)  # years that cannot be right are refused by their number
    points = {
        "time_mjd": time,
        "flux_njy": np.concatenate([trigger_flux, flux]),
        "flux_err_njy": np.concatenate([trigger_err, flux_err]),
        "band": _band_index(np.concatenate([rows.alert("fid"), rows.point("fid")])),
        "is_detection": np.concatenate([np.ones(rows.n_alerts, bool), ~(forced | limit)]),
        "precedence": np.concatenate([np.ones(rows.n_alerts, np.int8), np.where(forced, 0, 1 + limit)]),
    }
    owner = np.concatenate([np.arange(rows.n_alerts), rows.owner])
    return owner, points, {**_alert_columns(rows, time[: rows.n_alerts]), **_surroundings(rows)}


def _signed(magnitude: NDArray, magnitude_err: NDArray, sign: NDArray) -> tuple[NDArray, NDArray]:
    """Flux and error, nJy; NaN where the sign of the difference is not stated."""
    flux_njy, flux_err_njy = flux_of_magnitude(magnitude, magnitude_err)
    factor = np.full(len(flux_njy), np.nan)
    for texts_of_sign, value in ((POSITIVE, 1.0), (NEGATIVE, -1.0)):
        for text in texts_of_sign:
            factor[(sign[:, 0] == word(text)) & (sign[:, 1] == 0)] = value
    return flux_njy * factor, flux_err_njy


def _band_index(fid: NDArray[np.int64]) -> NDArray[np.int8]:
    band = np.full(len(fid), -1, np.int8)
    for number, name in BAND_OF_FID.items():
        band[fid == number] = BANDS.index(name)
    return band


def _alert_columns(rows: PacketRows, time_mjd: NDArray) -> dict[str, NDArray]:
    written = [version_id(text) for text in texts(rows.alert("written_version"))]
    distance, deep = rows.alert("ssdistnr"), rows.alert("drb")
    return {
        "alert_id": rows.alert("alert_id"),
        "object_id": np.array([_object_id(name) for name in texts(rows.alert("object_name"))], np.int64),
        "alert_mjd": time_mjd,
        "ra_deg": rows.alert("ra"),
        "dec_deg": rows.alert("dec"),
        "schema_id": np.where(written, written, rows.schema_id),
        "is_solar_system": (distance >= 0) & (distance <= SOLAR_SYSTEM_ARCSEC),
        "reliability": np.where(np.isfinite(deep), deep, rows.alert("rb")).astype(np.float32),
    }


def _surroundings(rows: PacketRows) -> dict[str, NDArray]:
    template_arcsec = rows.alert("distnr") * PIXEL_ARCSEC
    in_template = (template_arcsec >= 0) & (template_arcsec <= IN_TEMPLATE_ARCSEC)
    nearest_arcsec = within(rows.alert("distpsnr1"), 0)
    return {
        "host_separation_arcsec": nearest_arcsec,
        "host2_separation_arcsec": within(rows.alert("distpsnr2"), 0),
        "star_score": np.where(nearest_arcsec >= 0, within(rows.alert("sgscore1"), 0, 1), np.float32(np.nan)),
        "extendedness": within(1.0 - rows.alert("classtar"), 0, 1),
        "template_flux_njy": flux_or_nan(np.where(in_template, njy_per_unit(rows.alert("magnr")), np.nan)),
        "solar_system_separation_arcsec": within(rows.alert("ssdistnr"), 0),
        "image_flags": image_flags({"bad pixels": _any_bad(rows.alert("nbad"))}),
    }


def _any_bad(n_bad_pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(n_bad_pixels == MISSING, MISSING, (n_bad_pixels > 0).astype(np.int64))


def _object_id(name: str) -> int:
    try:
        return object_id_of(name)
    except ValueError:
        return MISSING
