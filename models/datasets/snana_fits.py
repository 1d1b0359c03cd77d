"""SNANA's FITS format: pairs of ``…HEAD.FITS`` (an object a row) and ``…PHOT.FITS`` (a point a row), also gzipped."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.datasets.snana_objects import POINT, Release, band_of, class_of, first_known, labelled_of, template_of

HEADS = ("*HEAD.FITS", "*HEAD.FITS.gz")
END_OF_OBJECT = -777.0
"""MJD of the row that SNANA puts after each object's points."""

UNKNOWN = -9.0


def is_release(path: Path) -> bool:
    """Whether ``path`` is a HEAD file, or a folder that holds one."""
    return "HEAD.FITS" in path.name if path.is_file() else bool(_heads(path))


def load(path: Path) -> Labelled:
    """The objects of a release (a HEAD file, or a folder of them), fluxes in nJy.

    Objects without a known simulated type, and objects never detected, are left out. Raises LookupError where a PHOT
    file is missing or no object is found, ValueError where a column is.
    """
    digest, objects = hashlib.sha256(), []
    for head in [path] if path.is_file() else _heads(path):
        phot = head.with_name(head.name.replace("HEAD.FITS", "PHOT.FITS"))
        if not phot.is_file():
            raise LookupError(f"{head} needs its points beside it: {phot.name} is missing")
        digest.update(head.read_bytes() + phot.read_bytes())
        objects += _objects(_table(head), _table(phot), head, phot)
    if not objects:
        raise LookupError(f"{path}: SNANA FITS must hold objects with a simulated type and a detection, found none")
    return labelled_of(objects, "SNANA", digest.hexdigest())


def _heads(folder: Path) -> list[Path]:
    return sorted(file for pattern in HEADS for file in folder.glob(pattern))


def _table(file: Path) -> pd.DataFrame:
    from astropy.table import Table

    found = Table.read(file, hdu=1, unit_parse_strict="silent")
    found.convert_bytestring_to_unicode()
    table: pd.DataFrame = found[[name for name in found.colnames if found[name].ndim == 1]].to_pandas()
    return table


def _objects(head: pd.DataFrame, phot: pd.DataFrame, head_file: Path, phot_file: Path) -> list[Release]:
    band = next((name for name in ("BAND", "FLT") if name in phot), "BAND")
    _require(head, ("SNID", "PTROBS_MIN", "PTROBS_MAX"), head_file)
    _require(phot, ("MJD", band, "FLUXCAL", "FLUXCALERR"), phot_file)
    letters = phot[band].astype(str).str.strip()
    letter = letters.map({name: band_of(name) for name in letters.unique()}).to_numpy(np.int64)
    points = np.zeros(len(phot), POINT)
    points["time"], points["flux"], points["error"] = (phot[name] for name in ("MJD", "FLUXCAL", "FLUXCALERR"))
    points["band"] = letter
    flags = phot["PHOTFLAG"].to_numpy(np.int64) if "PHOTFLAG" in phot else None
    found = []
    for row in head.to_dict("records"):
        span = np.arange(int(row["PTROBS_MIN"]) - 1, int(row["PTROBS_MAX"]))
        span = span[(letter[span] >= 0) & (points["time"][span] != END_OF_OBJECT)]
        one = _release(row, points[span], None if flags is None else flags[span])
        if one is not None and one.is_detection.any():
            found.append(one)
    return found


def _release(row: dict[str, Any], points: np.ndarray, flags: NDArray[np.int64] | None) -> Release | None:
    type_name = str(row.get("SIM_TYPE_NAME", "")).strip()
    class_id = class_of(type_name)
    if class_id is None or not len(points):
        return None
    number = int(str(row["SNID"]).strip())
    template = row.get("SIM_NON1a", row.get("SIM_TEMPLATE_INDEX", UNKNOWN))
    photoz = next((name for name in ("HOSTGAL_PHOTOZ", "HOSTGAL_ZPHOT") if name in row), "HOSTGAL_PHOTOZ")
    return Release(
        number=number,
        ra_deg=float(row.get("RA", np.nan)),
        dec_deg=float(row.get("DEC", row.get("DECL", np.nan))),
        class_id=class_id,
        points=points,
        flags=flags,
        photoz=_known(row, photoz),
        photoz_err=_known(row, f"{photoz}_ERR"),
        type_name=type_name,
        redshift=_known(row, "SIM_REDSHIFT_HELIO", "SIM_REDSHIFT_CMB"),
        template=template_of(float(template), number),
        spectroscopic=float(row.get("SNTYPE", UNKNOWN)) not in (UNKNOWN, 0.0),
        peak_mjd=_known(row, "SIM_PEAKMJD"),
        trigger_mjd=_known(row, "MJD_TRIGGER"),
    )


def _known(row: dict[str, Any], *names: str) -> float:
    return first_known(float(row[name]) for name in names if name in row)


def _require(table: pd.DataFrame, names: tuple[str, ...], file: Path) -> None:
    missing = [name for name in names if name not in table]
    if missing:
        raise ValueError(f"{file}: the columns {', '.join(missing)} are missing; found {', '.join(table.columns)}")
