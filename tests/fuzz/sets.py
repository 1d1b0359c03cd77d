"""Damaged sets of light curves: SNANA text and FITS, BTS, PLAsTiCC and labelled alerts."""

from __future__ import annotations

import gzip
import io
import tarfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.datasets import bts, plasticc, snana, snana_fits
from schemas import labelled_alerts
from tests.fuzz.damage import HOSTILE_CELLS, damaged, damaged_cells
from tests.fuzz.files import Kind

Files = dict[str, bytes]

SNANA_TEXT = """SURVEY: DES
SNID: {name}
RA: 10.5 deg
DECL: -0.95 deg
SNTYPE: -9
SIM_TYPE_NAME: SN{kind}
SIM_TEMPLATE_INDEX: {name}
SIM_REDSHIFT_HELIO: 0.3
SIM_PEAKMJD: 56210.0
HOSTGAL_PHOTOZ: 0.31 +- 0.03
NOBS: 3
VARLIST: MJD FLT FIELD FLUXCAL FLUXCALERR PHOTFLAG
OBS: 56200.1 g NULL 5.0 2.0 0
OBS: 56205.1 r NULL 60.0 3.0 4096
OBS: 56210.1 DES-z NULL 80.0 4.0 4096
END:
"""

BTS_LABELS = """ZTFID,IAUID,RA,Dec,peakt,type,redshift
ZTF21aaovdlh,SN2021fck,08:41:22.68,+02:53:23.3,1293.65,SN Ia,0.056
ZTF21aanyfqu,SN2021esh,112.33,43.57,1290.74,TDE,0.067
ZTF21aanwfjk,SN2021ecv,15h35m10s,-35d37m13s,1283.01,SN II,-
"""
BTS_POINTS = "ZTFID,ant_mjd,ant_passband,ant_mag,ant_magerr\n" + "".join(
    f"{name},{59278.27 + day},{band},18.56,0.129\n"
    for name in ("ZTF21aaovdlh", "ZTF21aanyfqu", "ZTF21aanwfjk")
    for day, band in enumerate("gRi")
)

PLASTICC_OBJECTS = """object_id,ra,decl,ddf,hostgal_specz,hostgal_photoz,hostgal_photoz_err,mwebv,target
615,349.046051,-61.943836,1,0.0000,0.0000,0.0000,0.017,92
713,53.085938,-27.784405,1,1.8181,1.6267,0.2552,0.007,88
"""
PLASTICC_POINTS = """object_id,mjd,passband,flux,flux_err,detected
615,59750.4229,2,-544.810303,3.622952,1
615,59750.4306,1,-816.434326,5.553370,1
713,59825.26,3,5.0,2.0,0
713,59826.26,3,45.0,2.0,1
"""


def _written(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def _cells_or_bytes(files: Files, separator: str | None, rng: np.random.Generator) -> Files:
    """One of the files with damaged cells, or with damaged bytes."""
    name = str(rng.choice(sorted(files)))
    data = files[name]
    packed = name.endswith(".gz")
    if rng.random() < 0.6:
        text = gzip.decompress(data).decode() if packed else data.decode()
        changed = damaged_cells(text, separator, rng).encode("utf-8", "surrogateescape")
        return files | {name: gzip.compress(changed, 1) if packed else changed}
    return files | {name: damaged(data, rng)}


def _snana_text(rng: np.random.Generator, folder: Path) -> Path:
    files = {f"SN{n}.DAT": SNANA_TEXT.format(name=n, kind=kind).encode() for n, kind in ((11, "Ia"), (12, "IIn"))}
    if rng.random() < 0.75:
        return _written(folder, _cells_or_bytes(files, None, rng))
    packed, ending = io.BytesIO(), str(rng.choice(["", "gz", "xz", "bz2"]))
    with tarfile.open(fileobj=packed, mode=f"w:{ending}") as archive:
        for name, data in _cells_or_bytes(files, None, rng).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    whole = packed.getvalue()
    return _written(folder, {f"release.tar{'.' if ending else ''}{ending}": damaged(whole, rng)})


HEAD: dict[str, list] = {
    "SNID": ["11", "12"], "RA": [10.0, 20.0], "DEC": [-30.0, 0.0], "PTROBS_MIN": [1, 4], "PTROBS_MAX": [2, 5],
    "SIM_TYPE_NAME": ["SNIa", "KN_K17"], "SIM_TEMPLATE_INDEX": [0, 7], "SIM_REDSHIFT_HELIO": [0.3, 0.1],
    "HOSTGAL_PHOTOZ": [0.31, -9.0], "SIM_PEAKMJD": [57000.5, 57010.0], "SNTYPE": [1, -9],
}  # fmt: skip
PHOT: dict[str, list] = {
    "MJD": [57001.0, 57002.0, -777.0, 57011.0, 57012.0, -777.0], "BAND": ["DES-g", "r", "-", "i", "Y", "-"],
    "FLUXCAL": [100.0, 5.0, -777.0, 60.0, 2.0, -777.0], "FLUXCALERR": [4.0, 3.0, -777.0, 5.0, 5.0, -777.0],
    "PHOTFLAG": [4096, 0, 0, 4096, 0, 0],
}  # fmt: skip
FITS = {"SIM_HEAD.FITS": HEAD, "SIM_PHOT.FITS": PHOT}


def _as_fits(columns: dict[str, list]) -> bytes:
    from astropy.table import Table

    out = io.BytesIO()
    Table(columns).write(out, format="fits")
    return out.getvalue()


@lru_cache
def _good_fits() -> Files:
    return {name: _as_fits(columns) for name, columns in FITS.items()}


def _with_hostile_value(columns: dict[str, list], rng: np.random.Generator) -> dict[str, list]:
    """Without one of the columns, with one that is all text, or with a hostile number or text in a cell."""
    name, way = str(rng.choice(sorted(columns))), rng.random()
    values = list(columns[name])
    if way < 0.1:
        return {column: cells for column, cells in columns.items() if column != name}
    if way < 0.2:
        return columns | {name: [str(value) for value in values]}
    row = int(rng.integers(len(values)))
    if isinstance(values[0], str):
        values[row] = str(rng.choice(["", " ", "x" * 300, "?", "-9", "nan"]))
    else:
        values[row] = HOSTILE_NUMBERS[rng.integers(len(HOSTILE_NUMBERS))]
    return columns | {name: values}


def _snana_fits(rng: np.random.Generator, folder: Path) -> Path:
    name, files = str(rng.choice(sorted(FITS))), _good_fits()
    changed = _as_fits(_with_hostile_value(FITS[name], rng)) if rng.random() < 0.5 else damaged(files[name], rng)
    return _written(folder, files | {name: changed})


def _bts(rng: np.random.Generator, folder: Path) -> Path:
    points = gzip.compress(BTS_POINTS.encode(), 1)
    files = {bts.LABELS_FILE: BTS_LABELS.encode(), bts.LIGHT_CURVES_FILE: points}
    return _written(folder, _cells_or_bytes(files, ",", rng))


def _plasticc(rng: np.random.Generator, folder: Path) -> Path:
    files = {"training_set.csv": PLASTICC_POINTS.encode(), "training_set_metadata.csv": PLASTICC_OBJECTS.encode()}
    return _written(folder, _cells_or_bytes(files, ",", rng))


def _alert_columns() -> dict[str, list]:
    points = [60001.0, 60002.0, 60003.0]
    return {
        "alert_id": [1, 2, 3], "object_id": [7, 7, 8], "alert_mjd": points, "class_id": [111, 111, 113],
        "class_name": ["SNIa", "SNIa", "SNII"], "ra": [0.5, 0.5, -0.2], "dec": [-40.0, -40.0, 5.0],
        "mjd": [points] * 3, "psFlux": [[10.0, 50.0, -3.0]] * 3, "psFluxErr": [[2.0, 2.0, 2.0]] * 3,
        "band": [["g", "r", "Y"]] * 3, "origin": [[1, 2, 0]] * 3, "hostgal_zphot": [0.3, 0.3, -9.0],
        "rf_snia": [0.1, 0.0, 0.9], "z_final": [0.1, 0.1, 0.2],
    }  # fmt: skip


HOSTILE_NUMBERS = (float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 1e300, 2.0**63, -9.0, 360.0, 2_460_000.5)
HOSTILE_VALUES = (
    None, float("nan"), float("inf"), -1, 0, 2**63 - 1, 2_460_000.5, "x", b"\xff", True, [], [None], {"a": 1},
)  # fmt: skip


def _alerts(rng: np.random.Generator, folder: Path) -> Path:
    """A file with damaged bytes, or whose columns are missing, of other types, or with hostile values."""
    columns, file, buffer = _alert_columns(), folder / "alerts.parquet", io.BytesIO()
    way = rng.random()
    if way < 0.7:
        name = str(rng.choice(sorted(columns)))
        hostile = HOSTILE_VALUES[rng.integers(len(HOSTILE_VALUES))]
        if way < 0.1:
            del columns[name]
        elif way < 0.3:
            columns[name] = [hostile] * 3
        elif isinstance(columns[name][0], list) and way < 0.55:
            columns[name] = [[hostile, *one[1:]] for one in columns[name]]
        elif way < 0.6:
            columns[name] = [HOSTILE_CELLS[rng.integers(len(HOSTILE_CELLS))] for _ in range(3)]
        else:
            columns[name] = [hostile, *columns[name][1:]]
    try:
        pq.write_table(pa.table(columns), buffer)
    except (pa.ArrowException, ValueError, TypeError):  # values that no column can hold together
        pq.write_table(pa.table(_alert_columns()), buffer)
        way = 1.0
    data = buffer.getvalue()
    file.write_bytes(damaged(data, rng) if way >= 0.7 else data)
    return file


KINDS = {
    "snana": Kind(_snana_text, snana.load),
    "snana-fits": Kind(_snana_fits, snana_fits.load),
    "bts": Kind(_bts, bts.load),
    "plasticc": Kind(_plasticc, plasticc.load),
    "labelled-alerts": Kind(_alerts, labelled_alerts.read, refused=(ValueError,)),
}
