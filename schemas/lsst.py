"""LSST alert packets, in every version of their schema that the package ``lsst-alert-packet`` holds.

The schemas are read as data from the package's folder; its code is not imported. On the wire a message is a byte 0,
the schema id as 4 bytes big endian (100 × major + minor), and one Avro record without its schema (DMTN-093,
https://dmtn-093.lsst.io). Fluxes are difference fluxes in nJy, times MJD TAI of mid-exposure.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.avro_values import MISSING
from schemas.columns import Column, Compiler, Layout, Program, Refusal
from schemas.light_curves import BANDS
from schemas.packet_rows import PacketRows, texts
from schemas.photometry import mjd_tai_of_unix_us
from schemas.surroundings import flux_or_nan, image_flags, time_or_nan, within

WIRE_MAGIC = 0
WIRE_HEADER_BYTES = 5
PRIOR_DETECTIONS, FORCED = 1, 2

_BAND_OF_LETTER = np.full(128, -1, np.int8)
for _letter in BANDS + "Y":
    _BAND_OF_LETTER[ord(_letter)] = BANDS.index(_letter.lower())

FLAGS = {
    "dipole": "isDipole",
    "saturated": "pixelFlags_saturatedCenter",
    "edge": "pixelFlags_edge",
    "cosmic ray": "pixelFlags_crCenter",
    "streak": "pixelFlags_streakCenter",
    "glint": "glint_trail",
    "bad pixels": "pixelFlags_bad",
    "no data": "pixelFlags_nodataCenter",
    "flux failed": "psfFlux_flag",
    "centroid failed": "centroid_flag",
    "injected": "pixelFlags_injectedCenter",
}
"""The field behind each image flag, in versions from 7.0 on; what the bits of earlier versions' ``flags`` mean is
not published with the schemas."""

LAYOUT = Layout(
    alert={
        # the id of the triggering measurement: unlike alertId it is in every version, and has been the alert's own id
        # since 8.0
        "alert_id": Column("int", ("diaSource.diaSourceId",)),
        "object_id": Column("int", ("diaSource.diaObjectId",)),
        "id_of_object": Column("int", ("diaObject.diaObjectId",)),
        "time": Column("float", ("diaSource.midpointMjdTai", "diaSource.midPointTai")),
        "flux": Column("float", ("diaSource.psfFlux", "diaSource.psFlux")),
        "flux_err": Column("float", ("diaSource.psfFluxErr", "diaSource.psFluxErr")),
        "band": Column("text", ("diaSource.band", "diaSource.filterName")),
        "withdrawn": Column("float", ("diaSource.timeWithdrawnMjdTai",)),
        "ra": Column("float", ("diaSource.ra",)),
        "dec": Column("float", ("diaSource.dec", "diaSource.decl")),
        "reliability": Column("float", ("diaSource.reliability",)),
        "solar_system_id": Column("int", ("diaSource.ssObjectId",)),
        "solar_system_source_id": Column("int", ("ssSource.ssObjectId",)),
        "has_solar_system_object": Column("present", ("ssObject",)),
        "has_object": Column("present", ("diaObject",)),
        "written_version": Column("text", ("lsst_schema_version",)),  # a column that another broker adds
        "processed": Column("float", ("diaSource.timeProcessedMjdTai",)),
        "processed_unix_us": Column("int", ("diaSource.time_processed",)),
        "extendedness": Column("float", ("diaSource.extendedness",)),
        "template_flux": Column("float", ("diaSource.templateFlux",)),
        "nearest_arcsec": Column("float", ("diaObject.nearbyObj1Dist", "diaObject.hostgal_snsep")),
        "second_arcsec": Column("float", ("diaObject.nearbyObj2Dist", "diaObject.hostgal2_snsep")),
        "host_radius": Column("float", ("diaObject.hostgal_sqradius",)),
        "host_ellipticity": Column("float", ("diaObject.hostgal_ellipticity",)),
        "host_photoz": Column("float", ("diaObject.hostgal_zphot",)),
        "host_photoz_err": Column("float", ("diaObject.hostgal_zphot_err",)),
        "ephemeris_offset": Column("float", ("ssSource.ephOffset",)),
        **{name: Column("int", (f"diaSource.{field}",)) for name, field in FLAGS.items()},
    },
    point={
        "time": Column("float", ("midpointMjdTai", "midPointTai")),
        "flux": Column("float", ("psfFlux", "psFlux")),
        "flux_err": Column("float", ("psfFluxErr", "psFluxErr")),
        "band": Column("text", ("band", "filterName")),
        "withdrawn": Column("float", ("timeWithdrawnMjdTai",)),
    },
    arrays={"prvDiaSources": PRIOR_DETECTIONS, "prvDiaForcedSources": FORCED},
    required=("alert_id", "time", "flux", "flux_err", "band", "ra", "dec"),
)


@cache
def schema_folder() -> Path:
    """The folder of schemas in the installed package; LookupError where it is missing."""
    spec = find_spec("lsst")
    for place in spec.submodule_search_locations or () if spec else ():
        folder = Path(place) / "alert" / "packet" / "schema"
        if folder.is_dir():
            return folder
    raise LookupError("the LSST alert schemas are not installed: pip install --no-deps lsst-alert-packet")


@cache
def known_ids() -> tuple[int, ...]:
    """Ids of the schemas that can be read, ascending."""
    ids = []
    for file in schema_folder().glob("*/*/lsst.v*_*.alert.avsc"):
        major, minor = file.parent.parent.name, file.parent.name
        if file.name == f"lsst.v{major}_{minor}.alert.avsc":
            ids.append(100 * int(major) + int(minor))
    return tuple(sorted(ids))


@cache
def definitions(schema_id: int) -> tuple[Any, dict[str, Any]]:
    """The alert's schema of a version, and the other records it names, as parsed JSON."""
    if schema_id not in known_ids():
        known_list = ", ".join(map(str, known_ids()))
        raise Refusal(
            f"the schema id {schema_id} at byte 1 is not known; known are {known_list}: "
            "a newer lsst-alert-packet may have it"
        )
    major, minor = divmod(schema_id, 100)
    prefix = f"lsst.v{major}_{minor}."
    files = (schema_folder() / str(major) / str(minor)).glob(prefix + "*.avsc")
    records = {file.name.removesuffix(".avsc"): json.loads(file.read_text(encoding="utf-8")) for file in files}
    return records.pop(prefix + "alert"), records


@cache
def whole_schema(schema_id: int) -> dict[str, Any]:
    """The alert's schema of a version in one piece: each record stands where it is first named."""
    alert, records = definitions(schema_id)
    waiting = dict(records)

    def inlined(kind: Any) -> Any:
        if isinstance(kind, str) and kind in waiting:
            return inlined(waiting.pop(kind))
        if isinstance(kind, list):
            return [inlined(branch) for branch in kind]
        if isinstance(kind, dict) and kind["type"] == "record":
            return {**kind, "fields": [{**field, "type": inlined(field["type"])} for field in kind["fields"]]}
        if isinstance(kind, dict) and kind["type"] == "array":
            return {**kind, "items": inlined(kind["items"])}
        return kind

    whole: dict[str, Any] = inlined(alert)
    return whole


@cache
def _program(schema_id: int) -> Program:
    alert, records = definitions(schema_id)
    return Compiler(LAYOUT, records).compile(alert)


def wire_program(message: bytes) -> tuple[int, Program]:
    """Schema id of a wire message, and how to read it; Refusal where the header is not one."""
    if len(message) < WIRE_HEADER_BYTES:
        raise Refusal(
            f"a wire message begins with {WIRE_HEADER_BYTES} bytes of header, and ends at byte {len(message)}"
        )
    schema_id = int.from_bytes(message[1:WIRE_HEADER_BYTES], "big")
    return schema_id, _program(schema_id)


def recognises(schema: dict[str, Any]) -> bool:
    """Whether a container's schema is an LSST alert's, as written by the survey or by another broker."""
    return any(field["name"] == "diaSource" for field in schema["fields"])


def schema_id_of(schema: dict[str, Any]) -> int:
    """The schema id that a container's schema states; 0 where it states none."""
    return version_id(str(schema.get("namespace", "")) or str(schema["name"]))


def version_id(text: str) -> int:
    """100 × major + minor of the first ``vMAJOR_MINOR`` in a text; 0 where there is none."""
    match = re.search(r"v(\d{1,3})_(\d{1,2})", text)
    return 100 * int(match[1]) + int(match[2]) if match else 0


def columns(rows: PacketRows, scale: float = 1.0) -> tuple[NDArray, dict[str, NDArray], dict[str, NDArray]]:
    """Owner of each point, point columns and alert columns, as ``LightCurves.from_points`` takes them.

    ``scale`` is nJy per unit of flux. Where a visit has forced photometry and a detection, the forced flux counts: it
    is measured at the object's place, the same in every visit, where a detection's place is fitted to the noise of its
    own image, which makes faint ones too bright. Otherwise the trigger counts before the history as listed. One visit
    is one time in one band: in all 10,003 pairs of the real packets at hand ``midpointMjdTai`` is the same to the last
    bit. Withdrawn measurements are left out; real packets of 9.0 carry NaN, not null, where one was not withdrawn.
    """
    trigger = np.arange(rows.n_alerts)
    joined = {
        name: np.concatenate([rows.alert(name), rows.point(name)])
        for name in ("time", "flux", "flux_err", "band", "withdrawn")
    }
    owner = np.concatenate([trigger, rows.owner])
    points = {
        "time_mjd": joined["time"],
        "flux_njy": joined["flux"] * scale,
        "flux_err_njy": joined["flux_err"] * scale,
        "band": band_index(joined["band"]),
        "is_detection": np.concatenate([np.ones(rows.n_alerts, bool), rows.array == PRIOR_DETECTIONS]),
        "precedence": np.concatenate([np.ones(rows.n_alerts, np.int8), (rows.array != FORCED).astype(np.int8)]),
    }
    kept = np.isnan(joined["withdrawn"])
    if not kept.all():
        owner, points = owner[kept], {name: values[kept] for name, values in points.items()}
    return owner, points, {**_alert_columns(rows), **_surroundings(rows, scale)}


def _alert_columns(rows: PacketRows) -> dict[str, NDArray]:
    object_id = rows.alert("object_id")
    object_id = np.where((object_id == MISSING) | (object_id == 0), rows.alert("id_of_object"), object_id)
    solar = (rows.alert("solar_system_id") > 0) | (rows.alert("solar_system_source_id") > 0)
    solar |= (rows.alert("has_solar_system_object") == 1) | (rows.alert("has_object") != 1)
    written = [version_id(text) for text in texts(rows.alert("written_version"))]
    return {
        "alert_id": rows.alert("alert_id"),
        "object_id": np.where(object_id == MISSING, 0, object_id),
        "alert_mjd": rows.alert("time"),
        "ra_deg": rows.alert("ra"),
        "dec_deg": rows.alert("dec"),
        "schema_id": np.where(written, written, rows.schema_id),
        "is_solar_system": solar,
        "reliability": rows.alert("reliability").astype(np.float32),
    }


def _surroundings(rows: PacketRows, scale: float) -> dict[str, NDArray]:
    processed_us = rows.alert("processed_unix_us")
    processed = rows.alert("processed")
    if (processed_us != MISSING).any():
        processed = np.where(processed_us == MISSING, processed, mjd_tai_of_unix_us(processed_us))
    radius = within(rows.alert("host_radius"), np.nextafter(0, 1))
    return {
        "processed_mjd": time_or_nan(processed),
        "host_separation_arcsec": within(rows.alert("nearest_arcsec"), 0),
        "host2_separation_arcsec": within(rows.alert("second_arcsec"), 0),
        "host_radius_arcsec": radius,
        # simulated alerts have both 0 where the host's shape was not simulated
        "host_ellipticity": np.where(radius > 0, within(rows.alert("host_ellipticity"), 0, 1), np.float32(np.nan)),
        "host_photoz": within(rows.alert("host_photoz"), 0),
        "host_photoz_err": within(rows.alert("host_photoz_err"), 0),
        "extendedness": within(rows.alert("extendedness"), 0, 1),
        "template_flux_njy": flux_or_nan(rows.alert("template_flux") * scale),
        "solar_system_separation_arcsec": within(rows.alert("ephemeris_offset"), 0),
        "image_flags": image_flags({name: rows.alert(name) for name in FLAGS}),
    }


def band_index(words: NDArray[np.int64]) -> NDArray[np.int8]:
    """Index into BANDS of text columns; -1 for what is no band of the survey. ELAsTiCC writes Y for y."""
    letter = np.where((words[:, 1] == 0) & (words[:, 0] >= 0) & (words[:, 0] < len(_BAND_OF_LETTER)), words[:, 0], 0)
    return _BAND_OF_LETTER[letter]
