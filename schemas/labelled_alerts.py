"""Labelled ELAsTiCC alerts as a table: a row an alert, its history in list columns, other brokers' scores beside.

Fluxes are in SNANA's FLUXCAL (AB zero point 27.5) or in nJy, times MJD, classes those of :mod:`schemas.taxonomy`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.identifiers import object_id_of
from schemas.light_curves import BANDS, LightCurves
from schemas.passbands import ELASTICC
from schemas.photometry import FLUXCAL_ZERO_POINT, LIMIT_SIGMA, NJY_ZERO_POINT, is_detection, njy_per_unit
from schemas.taxonomy import class_id_of

ALERT_COLUMNS = {
    "alert_id": "the alert's number",
    "object_id": "the object's number",
    "alert_mjd": "when the alert was raised, MJD",
    "class_id": "the true class, an id of the taxonomy",
    "ra": "right ascension in degrees",
    "dec": "declination in degrees",
}
POINT_COLUMNS = {
    "mjd": "a list of the times, MJD, the alert's own among them",
    "psFlux": "a list of the fluxes, FLUXCAL or nJy",
    "psFluxErr": "a list of their standard errors, in the same unit",
    "band": f"a list of the bands, each one of {' '.join(BANDS)} or Y",
}
MAY_BE_LEFT_OUT = {
    "class_name": "the class's name, where class_id is no id of the taxonomy",
    "origin": "a list of the tables the points are from: forced photometry is told by the word in it",
    "mwebv": "extinction by the Galaxy, magnitudes: not used, as in packets there is none",
    "hostgal_zphot": "photometric redshift of the nearest host",
    "hostgal_zphot_err": "its standard error",
    "hostgal_snsep": "its distance in arcsec",
}

FORCED_WORD = "forced"
DEPTH_AB_MAG = 24.0
"""Five standard errors of a visit are about this: single visits of the survey reach 22.7 (y) to 24.5 (g, r) (LSE-29,
table 6). The two zero points lie 3.9 magnitudes apart, so that there is no doubt which one is meant."""


@dataclass(frozen=True, slots=True)
class LabelledAlerts:
    """``n`` alerts, each with its history.

    - ``light_curves``: a row an alert; ``class_id``: (n,), its object's true class.
    - ``peers``: scores of others by the names of their columns, (n,), NaN where they are silent.
    - ``fingerprint``: SHA-256 of the files.
    """

    light_curves: LightCurves
    class_id: NDArray[np.int64]
    peers: dict[str, NDArray[np.float64]]
    fingerprint: str


def read(path: Path) -> LabelledAlerts:
    """The alerts in a Parquet file, or in all of a folder's.

    Raises LookupError where there is none; ValueError naming the column that is missing or not what it must be, and
    the first row where it is not.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.parquet"))
    if not files:
        raise LookupError(f"labelled alerts are a Parquet file, or a folder with such; found none at {path}")
    table = pa.concat_tables([pq.read_table(file) for file in files], promote_options="permissive")
    _require(table, path)
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return LabelledAlerts(_light_curves(table, path), _classes(table, path), _peers(table), digest.hexdigest())


def _require(table: pa.Table, path: Path) -> None:
    for name, meaning in {**ALERT_COLUMNS, **POINT_COLUMNS}.items():
        if name not in table.column_names:
            found = ", ".join(table.column_names)
            raise ValueError(f"{path}: the column {name} is missing ({meaning}); found {found}")
        column = table[name]
        if column.null_count:
            row = pc.index(pc.is_null(column), True).as_py()
            raise ValueError(f"{path}, row {row + 1}: {name} must be {meaning}, found nothing")
        is_list = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
        if is_list != (name in POINT_COLUMNS):
            raise ValueError(f"{path}: {name} must be {meaning}, found the type {column.type}")
    if not len(table):
        raise ValueError(f"{path}: there must be at least one alert, found none")
    lengths = {name: pc.list_value_length(table[name]).to_numpy() for name in POINT_COLUMNS}
    for name, found in lengths.items():
        wrong = np.flatnonzero(found != lengths["mjd"])
        if len(wrong):
            raise ValueError(
                f"{path}, row {wrong[0] + 1}: {name} must have as many entries as mjd ({lengths['mjd'][wrong[0]]}), "
                f"found {found[wrong[0]]}"
            )


def _light_curves(table: pa.Table, path: Path) -> LightCurves:
    time, flux, error = (_flat(table, name).to_numpy(zero_copy_only=False) for name in ("mjd", "psFlux", "psFluxErr"))
    scale = float(njy_per_unit(_zero_point(np.asarray(error, np.float64))))
    owner = np.repeat(np.arange(len(table)), pc.list_value_length(table["mjd"]).to_numpy())
    is_detection, precedence = _detected(table, np.asarray(flux, np.float64), np.asarray(error, np.float64))
    return LightCurves.from_points(
        alert=owner,
        columns={
            "time_mjd": time,
            "flux_njy": flux * scale,
            "flux_err_njy": error * scale,
            "band": _bands(_flat(table, "band"), path),
            "is_detection": is_detection,
            "precedence": precedence,
        },
        alerts={
            "alert_id": _ids(table, "alert_id"),
            "object_id": _ids(table, "object_id"),
            "alert_mjd": table["alert_mjd"].to_numpy(),
            "ra_deg": table["ra"].to_numpy(),
            "dec_deg": table["dec"].to_numpy(),
            "survey": np.full(len(table), ELASTICC),
            "schema_id": np.zeros(len(table)),
            "is_solar_system": np.zeros(len(table), bool),
            "reliability": np.full(len(table), np.nan),
            "host_separation_arcsec": _at_least(table, "hostgal_snsep", 0.0),
            "host_photoz": _at_least(table, "hostgal_zphot", 0.0),
            "host_photoz_err": _at_least(table, "hostgal_zphot_err", 0.0),
        },
    )


def _zero_point(error: NDArray[np.float64]) -> float:
    """The AB zero point of the fluxes, of the two in use that at which their errors are those of the survey."""
    usable = error[np.isfinite(error) & (error > 0)]
    if not len(usable):
        return FLUXCAL_ZERO_POINT
    depth = -2.5 * np.log10(LIMIT_SIGMA * np.median(usable))
    return min((FLUXCAL_ZERO_POINT, NJY_ZERO_POINT), key=lambda zero_point: abs(zero_point + depth - DEPTH_AB_MAG))


def _flat(table: pa.Table, name: str) -> pa.Array:
    values = pc.list_flatten(table[name]).combine_chunks()
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _ids(table: pa.Table, name: str) -> NDArray[np.int64]:
    values = table[name].to_pylist()
    return np.array([value if isinstance(value, int) else object_id_of(str(value)) for value in values], np.int64)


def _at_least(table: pa.Table, name: str, least: float) -> NDArray[np.float64]:
    """The column's numbers, NaN where there is none or one below ``least``: simulations write -9 for unknown."""
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    values = table[name].cast(pa.float64()).to_numpy()
    return np.where(values >= least, values, np.nan)


def _bands(letters: pa.Array, path: Path) -> NDArray[np.int64]:
    names = letters.dictionary_encode()
    known = [str(letter).strip() for letter in names.dictionary.to_pylist()]
    number = [BANDS.find(letter.lower()) if len(letter) == 1 else -1 for letter in known]
    if -1 in number:
        raise ValueError(f"{path}: band must be {POINT_COLUMNS['band']}, found {known[number.index(-1)]!r}")
    return np.asarray(number, np.int64)[names.indices.to_numpy()]


def _detected(
    table: pa.Table, flux: NDArray[np.float64], error: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Which points are detections, and 1 where a forced flux of the same visit would count instead of theirs."""
    origin = _flat(table, "origin") if "origin" in table.column_names else pa.nulls(len(flux))
    if pa.types.is_string(origin.type) or pa.types.is_large_string(origin.type):
        said = pc.match_substring(origin, FORCED_WORD, ignore_case=True).fill_null(False)
        forced = said.to_numpy(zero_copy_only=False).astype(bool)
        if forced.any():
            return ~forced, (~forced).astype(np.int8)
    return is_detection(np.abs(flux), error), np.zeros(len(flux), np.int8)


def _classes(table: pa.Table, path: Path) -> NDArray[np.int64]:
    ids = table["class_id"].to_pylist()
    names = table["class_name"].to_pylist() if "class_name" in table.column_names else [None] * len(ids)
    known: dict[tuple[object, object], int] = {}
    for row, key in enumerate(zip(ids, names, strict=True)):
        if key not in known:
            known[key] = _class(*key, path, row)
    return np.array([known[key] for key in zip(ids, names, strict=True)], np.int64)


def _class(number: object, name: object, path: Path, row: int) -> int:
    for said in (str(number), str(name)):
        try:
            return class_id_of(said)
        except LookupError:
            continue
    raise ValueError(
        f"{path}, row {row + 1}: class_id must be {ALERT_COLUMNS['class_id']}, or class_name one of its names; "
        f"found {number!r} and {name!r}"
    )


def _peers(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    """Every further column of numbers."""
    ours = {**ALERT_COLUMNS, **POINT_COLUMNS, **MAY_BE_LEFT_OUT}
    return {
        name: table[name].cast(pa.float64()).fill_null(np.nan).to_numpy()
        for name in table.column_names
        if name not in ours and (pa.types.is_floating(table[name].type) or pa.types.is_integer(table[name].type))
    }
