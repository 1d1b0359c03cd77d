"""Labelled ELAsTiCC alerts as a table: a row an alert, its history in list columns, other brokers' scores beside.

Fluxes are in SNANA's FLUXCAL (AB zero point 27.5) or in nJy, times MJD, classes those of :mod:`schemas.taxonomy`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.class_numberings import class_ids
from schemas.identifiers import object_id_of
from schemas.light_curves import BANDS, LightCurves
from schemas.passbands import ELASTICC
from schemas.photometry import (
    EARLIEST_MJD,
    FLUXCAL_ZERO_POINT,
    LATEST_MJD,
    LIMIT_SIGMA,
    NJY_ZERO_POINT,
    is_detection,
    njy_per_unit,
)
from schemas.positions import around_the_circle

ALERT_COLUMNS = {
    "alert_id": "the alert's number",
    "object_id": "the object's number",
    "alert_mjd": "when the alert was raised, MJD",
    "class_id": "the true class, an id of the taxonomy or of its first numbering",
    "ra": "right ascension in degrees",
    "dec": "declination in degrees",
}
POINT_COLUMNS = {
    "mjd": "a list of the times, MJD, the alert's own among them",
    "psFlux": "a list of the fluxes, FLUXCAL or nJy",
    "psFluxErr": "a list of their standard errors, in the same unit",
    "band": f"a list of the bands, each one of {' '.join(BANDS)} or Y",
}
NUMBERS = ("alert_mjd", "ra", "dec", "mjd", "psFlux", "psFluxErr")
MAY_BE_LEFT_OUT = {
    "class_name": "the class's name, where class_id is no id of the taxonomy",
    "origin": "a list of where the points are from: forced photometry is told by the word in it, or by a 2",
    "hostgal_zphot": "photometric redshift of the nearest host",
    "hostgal_zphot_err": "its standard error",
    "hostgal_snsep": "its distance in arcsec",
}
OF_TYPE_IA = ("ia", "snia", "sn1a")
"""A further column of numbers from 0 to 1 is another broker's score of type Ia where its name has one of these words:
snn_snia_vs_nonia. Other columns, truths among them (z_final), are left unread."""

FORCED_WORD = "forced"
FORCED_NUMBER, NUMBERS_OF_ORIGIN = 2, (0, 1, 2)
"""Where ``origin`` is numbers: 0 the alert's own measurement, 1 an earlier detection, 2 forced photometry."""

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
    table = _table(files, path)
    _require(table, path)
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    names = table["class_name"].to_pylist() if "class_name" in table.column_names else [None] * len(table)
    class_id = class_ids(table["class_id"].to_pylist(), names, lambda row: f"{path}, row {row + 1}")
    return LabelledAlerts(_light_curves(table, path), class_id, _peers(table), digest.hexdigest())


def is_table(file: Path) -> bool:
    """Whether a Parquet file has the columns of histories that labelled alerts have."""
    try:
        schema = pq.read_schema(file)
    except Exception:  # the library raises many kinds at a damaged file, which its reader names
        return False
    return all(name in schema.names and _is_list(schema.field(name).type) for name in POINT_COLUMNS)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _table(files: list[Path], path: Path) -> pa.Table:
    """All rows; other columns than those that are read are not even loaded."""
    named = {**ALERT_COLUMNS, **POINT_COLUMNS, **MAY_BE_LEFT_OUT}
    parts = []
    for file in files:
        try:
            schema = pq.read_schema(file)
            wanted = [name for name in schema.names if name in named or _is_score(name, schema)]
            parts.append(pq.ParquetFile(file).read(columns=wanted))
        except Exception as error:  # the library raises many kinds at a damaged file
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ValueError(f"{file} is not a Parquet file that can be read: {reason[:300]}") from error
    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowException as error:
        raise ValueError(f"{path}: all files must have the same columns: {str(error).splitlines()[0]}") from error


def _is_score(name: str, schema: pa.Schema) -> bool:
    words = re.split(r"[^a-z0-9]+", name.lower())
    return pa.types.is_floating(schema.field(name).type) and any(word in OF_TYPE_IA for word in words)


def _require(table: pa.Table, path: Path) -> None:
    for name, meaning in {**ALERT_COLUMNS, **POINT_COLUMNS}.items():
        if name not in table.column_names:
            columns_there = ", ".join(table.column_names)
            raise ValueError(f"{path}: the column {name} is missing ({meaning}); found {columns_there}")
        column = table[name]
        if column.null_count:
            row = pc.index(pc.is_null(column), True).as_py()
            raise ValueError(f"{path}, row {row + 1}: {name} must be {meaning}, found nothing")
        is_list = _is_list(column.type)
        kind = column.type.value_type if is_list else column.type
        if is_list != (name in POINT_COLUMNS) or (name in NUMBERS and not _is_number(kind)):
            raise ValueError(f"{path}: {name} must be {meaning}, found the type {column.type}")
    _require_kinds(table, path)
    if not len(table):
        raise ValueError(f"{path}: there must be at least one alert, found none")
    lengths = {name: pc.list_value_length(table[name]).to_numpy() for name in POINT_COLUMNS}
    for name, columns_there in lengths.items():
        wrong = np.flatnonzero(columns_there != lengths["mjd"])
        if len(wrong):
            raise ValueError(
                f"{path}, row {wrong[0] + 1}: {name} must have as many entries as mjd ({lengths['mjd'][wrong[0]]}), "
                f"found {columns_there[wrong[0]]}"
            )


def _require_kinds(table: pa.Table, path: Path) -> None:
    """The types of the columns that may be left out, and of the classes."""
    for name in ("hostgal_zphot", "hostgal_zphot_err", "hostgal_snsep"):
        if name in table.column_names and not _is_number(table[name].type):
            raise ValueError(f"{path}: {name} must be {MAY_BE_LEFT_OUT[name]}, found the type {table[name].type}")
    for name in ("class_id", "class_name"):
        if name in table.column_names and not _is_name(table[name].type):
            meaning = {**ALERT_COLUMNS, **MAY_BE_LEFT_OUT}[name]
            raise ValueError(f"{path}: {name} must be {meaning}, found the type {table[name].type}")


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)


def _is_name(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return _is_number(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)


def _light_curves(table: pa.Table, path: Path) -> LightCurves:
    time, flux, error = (_doubles(_flat(table, name)) for name in ("mjd", "psFlux", "psFluxErr"))
    scale = float(njy_per_unit(_zero_point(error)))
    owner = np.repeat(np.arange(len(table)), pc.list_value_length(table["mjd"]).to_numpy())
    is_detection, precedence = _detected(table, flux, error)
    alert_mjd, ra, dec = (_doubles(table[name]) for name in ("alert_mjd", "ra", "dec"))
    _hold(alert_mjd, EARLIEST_MJD, LATEST_MJD, "alert_mjd", np.arange(len(table)), path)
    _hold(time, EARLIEST_MJD, LATEST_MJD, "mjd", owner, path)
    _hold(ra, -180.0, 360.0, "ra", np.arange(len(table)), path)
    _hold(dec, -90.0, 90.0, "dec", np.arange(len(table)), path)
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
            "alert_id": _ids(table, "alert_id", path),
            "object_id": _ids(table, "object_id", path),
            "alert_mjd": alert_mjd,
            "ra_deg": around_the_circle(ra),
            "dec_deg": dec,
            "survey": np.full(len(table), ELASTICC),
            "schema_id": np.zeros(len(table)),
            "is_solar_system": np.zeros(len(table), bool),
            "reliability": np.full(len(table), np.nan),
            "host_separation_arcsec": _at_least(table, "hostgal_snsep", 0.0),
            "host_photoz": _at_least(table, "hostgal_zphot", 0.0),
            "host_photoz_err": _at_least(table, "hostgal_zphot_err", 0.0),
        },
    )


def _hold(values: NDArray[np.float64], low: float, high: float, name: str, row: NDArray[np.int64], path: Path) -> None:
    wrong = np.flatnonzero(~((values >= low) & (values <= high)))
    if len(wrong):
        meaning = {**ALERT_COLUMNS, **POINT_COLUMNS}[name]
        raise ValueError(
            f"{path}, row {row[wrong[0]] + 1}: {name} must be {meaning}, {low:,.0f} to {high:,.0f}, found "
            f"{values[wrong[0]]}"
        )


def _doubles(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Numbers as float64, NaN where there is none."""
    column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy(**({} if isinstance(column, pa.ChunkedArray) else {"zero_copy_only": False})))


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


def _ids(table: pa.Table, name: str, path: Path) -> NDArray[np.int64]:
    numbers = []
    for row, value in enumerate(table[name].to_pylist()):
        try:
            numbers.append(object_id_of(str(value)))
        except ValueError as error:
            raise ValueError(f"{path}, row {row + 1}: {name} must be {ALERT_COLUMNS[name]}: {error}") from error
    return np.array(numbers, np.int64)


def _at_least(table: pa.Table, name: str, least: float) -> NDArray[np.float64]:
    """The column's numbers, NaN where there is none or one below ``least``: simulations write -9 for unknown."""
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    values = _doubles(table[name])
    return np.where(values >= least, values, np.nan)


def _bands(letters: pa.Array, path: Path) -> NDArray[np.int64]:
    coded = letters.dictionary_encode()
    names = ["" if letter is None else str(letter).strip() for letter in [*coded.dictionary.to_pylist(), None]]
    number = [BANDS.find(letter.lower()) if len(letter) == 1 else -1 for letter in names]
    code = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)  # -1: the last, nothing
    bands = np.asarray(number, np.int64)[code]
    wrong = np.flatnonzero(bands < 0)
    if len(wrong):
        raise ValueError(f"{path}: band must be {POINT_COLUMNS['band']}, found {names[code[wrong[0]]]!r}")
    return bands


def _detected(
    table: pa.Table, flux: NDArray[np.float64], error: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Which points are detections, and 1 where a forced flux of the same visit would count instead of theirs."""
    forced = _forced(table, len(flux))
    if forced is not None and forced.any():
        return ~forced, (~forced).astype(np.int8)
    return is_detection(np.abs(flux), error), np.zeros(len(flux), np.int8)


def _forced(table: pa.Table, n: int) -> NDArray[np.bool_] | None:
    """Which points are forced photometry, (n,); None where the table does not say."""
    if "origin" not in table.column_names or not pa.types.is_list(table["origin"].type):
        return None
    origin = _flat(table, "origin")
    if len(origin) != n:
        return None
    if pa.types.is_string(origin.type) or pa.types.is_large_string(origin.type):
        said = pc.match_substring(origin, FORCED_WORD, ignore_case=True).fill_null(False)
        return np.asarray(said.to_numpy(zero_copy_only=False).astype(bool))
    if pa.types.is_integer(origin.type) and pc.all(pc.is_in(origin, pa.array(NUMBERS_OF_ORIGIN, origin.type))).as_py():
        return np.asarray(origin.to_numpy(zero_copy_only=False) == FORCED_NUMBER)
    return None


def _peers(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    """Other brokers' scores of type Ia. An exact 0 is what they store where a classifier did not run: silence."""
    peers = {}
    for name in table.column_names:
        if _is_score(name, table.schema):
            score = _doubles(table[name])
            score = np.where(score == 0, np.nan, score)
            said = score[np.isfinite(score)]
            if len(said) and said.min() >= 0 and said.max() <= 1:
                peers[name] = score
    return peers
