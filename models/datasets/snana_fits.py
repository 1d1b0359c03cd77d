"""SNANA's FITS format: pairs of ``…HEAD.FITS`` (a row per object) and ``…PHOT.FITS`` (a row per point), also
gzipped."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.datasets.checked import TIME_MJD, Place, numbers, object_names, positions, require, whole_numbers
from models.datasets.labelled import Labelled
from models.datasets.reading import UnreadableError, reading
from models.datasets.snana_objects import POINT, ReleasedObject, band_of, first_known, labelled_of
from models.datasets.table_astropy import unpacked

_HEAD = re.compile(r"HEAD(?=\.FITS(\.gz)?$)", re.IGNORECASE)
END_OF_OBJECT = -777.0
"""MJD of the row that SNANA writes after the points of each object."""

UNKNOWN = -9.0


def is_release(path: Path) -> bool:
    """Whether ``path`` is a HEAD file, or a folder that holds one."""
    return bool(_HEAD.search(path.name)) if path.is_file() else bool(_heads(path))


def load(path: Path) -> Labelled:
    """The objects of a release (a HEAD file, or a folder of them), fluxes in nJy.

    Objects of unknown types and objects without a detection are left out and counted in ``notes``. Raises LookupError
    if a PHOT file is missing, UnreadableError with the file and the object if a column is missing, a value is invalid,
    a file is truncated, or no object remains.
    """
    digest, objects = hashlib.sha256(), []
    for head in [path] if path.is_file() else _heads(path):
        phot = _points_file(head)
        digest.update(head.read_bytes() + phot.read_bytes())
        objects += _objects(head, phot)
    return labelled_of(objects, "SNANA FITS", path, digest.hexdigest())


def _heads(folder: Path) -> list[Path]:
    """The HEAD files; if one is there both plain and gzipped, the plain one."""
    heads = sorted(file for file in folder.glob("*") if _HEAD.search(file.name))
    return [file for file in heads if file.suffix.lower() != ".gz" or file.with_suffix("") not in heads]


def _points_file(head: Path) -> Path:
    """The PHOT file beside a HEAD file, plain or gzipped, in upper or lower case."""
    stem = _HEAD.sub("PHOT", head.name).lower().removesuffix(".gz")
    beside = sorted(file for file in head.parent.glob("*") if file.name.lower() in (stem, f"{stem}.gz"))
    if not beside:
        raise LookupError(f"{head} needs its points beside it: {_HEAD.sub('PHOT', head.name)} is missing")
    return beside[0]


def _table(file: Path) -> pd.DataFrame:
    from astropy.table import Table

    with reading(file, "a FITS table"):
        table = Table.read(unpacked(file), format="fits", hdu=1, unit_parse_strict="silent")
        plain = table[[name for name in table.colnames if table[name].ndim == 1]]
        plain.convert_bytestring_to_unicode()
        frame: pd.DataFrame = plain.to_pandas()
        return frame


def _objects(head_file: Path, phot_file: Path) -> list[ReleasedObject]:
    head, phot = _table(head_file), _table(phot_file)
    require(list(head), ("SNID", "PTROBS_MIN", "PTROBS_MAX"), head_file)
    names = [_text(value) for value in head["SNID"].tolist()]
    object_names(names, "SNID", lambda row: f"{head_file}, row {row + 1}")
    if "" in names:
        raise UnreadableError(f"{head_file}, row {names.index('') + 1}: SNID must be the object's name, found nothing")

    def place(row: int) -> str:
        return f"{head_file}, object {names[row]}"

    points, flags = _points(phot, phot_file)
    first, end = _spans(head, len(points), phot_file, place)
    columns = _header_columns(head, place)
    part = _HEAD.split(head_file.name)[0].strip("_")
    objects = []
    for row, name in enumerate(names):
        span = np.arange(first[row], end[row])
        span = span[(points["band"][span] >= 0) & (points["time"][span] != END_OF_OBJECT)]
        _check_times(points["time"][span], span, phot_file, name)
        fields = {column: values[row] for column, values in columns.items()}
        objects.append(
            ReleasedObject(name, part, points=points[span], flags=None if flags is None else flags[span], **fields)
        )
    return objects


def _points(phot: pd.DataFrame, file: Path) -> tuple[np.ndarray, NDArray[np.int64] | None]:
    """All rows of a PHOT file, with band -1 if unknown, and their PHOTFLAG if there is one."""
    band = next((name for name in ("BAND", "FLT") if name in phot), "BAND")
    require(list(phot), ("MJD", band, "FLUXCAL", "FLUXCALERR"), file)

    def place(row: int) -> str:
        return f"{file}, row {row + 1}"

    letters = phot[band].map(_text)
    points = np.zeros(len(phot), POINT)
    points["band"] = letters.map({name: band_of(name) for name in letters.unique()}).to_numpy(np.int64)
    for field, name in (("time", "MJD"), ("flux", "FLUXCAL"), ("error", "FLUXCALERR")):
        points[field] = numbers(phot[name], name, place)
    if "PHOTFLAG" not in phot:
        return points, None
    return points, whole_numbers(phot["PHOTFLAG"], "PHOTFLAG", "a whole number", place, -(2**31), 2**31)


def _spans(
    head: pd.DataFrame, n_rows: int, phot_file: Path, place: Place
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row of each object in the PHOT file, from 0, and the row after its last."""
    meaning = f"the number of a row of {phot_file.name}"
    first = whole_numbers(head["PTROBS_MIN"], "PTROBS_MIN", meaning, place, 1) - 1
    end = whole_numbers(head["PTROBS_MAX"], "PTROBS_MAX", meaning, place, 0)
    wrong = np.flatnonzero((end > n_rows) | (end < first))
    if len(wrong):
        row = int(wrong[0])
        raise UnreadableError(
            f"{place(row)}: PTROBS_MIN and PTROBS_MAX must be rows of {phot_file.name}, which has {n_rows:,}, found "
            f"{first[row] + 1:,} to {end[row]:,}: the file may be cut off"
        )
    order = np.argsort(first, kind="stable")
    shared = np.flatnonzero(end[order][:-1] > first[order][1:])
    if len(shared):
        one, other = order[shared[0]], order[shared[0] + 1]
        raise UnreadableError(
            f"{place(int(other))}: its rows of {phot_file.name} must be of no other object, found them at row "
            f"{one + 1} too"
        )
    return first, end


def _check_times(mjd: NDArray[np.float64], rows: NDArray[np.int64], file: Path, name: str) -> None:
    numbers(mjd, "MJD", lambda point: f"{file}, row {rows[point] + 1}, object {name}", TIME_MJD)


def _header_columns(head: pd.DataFrame, place: Place) -> dict[str, Any]:
    """Values of the HEAD file for its objects, by the names of :class:`ReleasedObject`."""
    nothing = np.full(len(head), np.nan)

    def column(*names: str) -> NDArray[np.float64]:
        """The first of the columns that exists."""
        name = next((name for name in names if name in head), None)
        return nothing if name is None else numbers(head[name], name, place)

    def first_of(*names: str) -> list[float]:
        """For each row the first value greater than 0 among the columns that exist."""
        return [first_known(row) for row in zip(*(column(name) for name in names), strict=True)]

    dec = "DEC" if "DEC" in head else "DECL"
    ra_deg, dec_deg = positions(column("RA"), column(dec), ("RA", dec), place)
    photoz = next((name for name in ("HOSTGAL_PHOTOZ", "HOSTGAL_ZPHOT") if name in head), "HOSTGAL_PHOTOZ")
    return {
        "ra_deg": ra_deg,
        "dec_deg": dec_deg,
        "photoz": first_of(photoz),
        "photoz_err": first_of(f"{photoz}_ERR"),
        "type_name": head["SIM_TYPE_NAME"].map(_text).tolist() if "SIM_TYPE_NAME" in head else [""] * len(head),
        "redshift": first_of("SIM_REDSHIFT_HELIO", "SIM_REDSHIFT_CMB"),
        "template": column("SIM_NON1a", "SIM_TEMPLATE_INDEX"),
        "spectroscopic": ~np.isin(np.nan_to_num(column("SNTYPE"), nan=UNKNOWN), (UNKNOWN, 0.0)),
        "peak_mjd": first_of("SIM_PEAKMJD"),
        "trigger_mjd": first_of("MJD_TRIGGER"),
    }


def _text(value: object) -> str:
    """A cell as text without blanks around it; "" if it is missing."""
    if value is None or value is pd.NA or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
